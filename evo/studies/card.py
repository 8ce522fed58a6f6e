"""The card of a motif (`circuits.zoo.card`), measured."""

import numpy as np

from circuits.edit.lesion import lesion
from circuits.errors import UserError
from circuits.motif_file import Motif, digest
from circuits.simulation.packed import from_circuit
from circuits.zoo.card import Card, HeldOut, Lesion, Origin, Worst
from fitness.analysis import task_of
from fitness.analysis.lesions import cuts
from fitness.evaluation.evaluate import evaluate
from fitness.evaluation.objectives import HARDWARE, OBJECTIVES
from fitness.scoring.confidence import student

SEED, TRIALS, DRAWS = 2024, 1024, 8


def card(name: str, motif: Motif, made: Origin, picture: str = "", seed: int = SEED, trials: int = TRIALS) -> Card:
    """Score a motif on several fresh draws of trials of its task, and its lesions on the first draw, in float64.

    Raises UserError for a motif whose provenance names no built-in task.
    """
    task = task_of(motif)
    if task is None:
        raise UserError(f"{name}: a card takes a motif whose provenance names a task that ships")
    if made.seed in range(seed, seed + DRAWS):  # one number as a seed gives a run's search trials
        raise UserError(
            f"{name}: was searched for with seed {made.seed}; a card draws trials with others than {seed} to {seed + DRAWS - 1}"
        )
    fresh = task.trials(seed, trials, "held_out")
    evaluation = evaluate(task, fresh, from_circuit(motif.circuit, np.float64))

    def score_without(cut):
        return float(task.evaluate(lesion(motif.circuit, cut.neurons, cut.connections), fresh).value)

    lesions = [Lesion(kind=cut.kind, part=cut.part, score=score_without(cut)) for cut in cuts(motif.circuit)]
    held_out, worst = _over_draws(task, motif, seed, trials)
    joules = (f"joules_{hardware}" for hardware in HARDWARE)
    excitatory = int(motif.excitatory.sum())
    return Card(
        name=name,
        title=task.what(),
        task={"name": task.title(), **task.model_dump(mode="json")},
        excitatory=excitatory,
        inhibitory=len(motif.neurons) - excitatory,
        synapses=motif.synapse_count,
        held_out=held_out,
        energy={
            "spikes": float(evaluation.spikes[0]),
            "events": float(evaluation.events[0]),
            **{name: float(OBJECTIVES[name].loss(evaluation)[0]) for name in joules},
        },
        worst=worst,
        lesions=tuple(sorted(lesions, key=lambda lesion: lesion.score)),
        made=made,
        sha256=digest(motif),
        picture=picture,
    )


def _over_draws(task, motif, seed, trials):
    """The held-out score over all draws, and the worst condition, which has the lowest mean.

    The interval is Student's over the draws, but not narrower than those of the draws together: equal scores of all draws do
    not mean that another draw's score is the same.
    """
    scores, halves, by_condition = [], [], []
    for draw in range(seed, seed + DRAWS):
        fresh = task.trials(draw, trials, "held_out")
        score = task.evaluate(motif.circuit, fresh)
        scores.append(float(score.value))
        by_condition.append(task.by_condition(score, fresh))
        low, high = task.interval(score, fresh)
        halves.append((float(score.value - low), float(high - score.value)))
    mean, half = float(np.mean(scores)), student(DRAWS - 1) * np.std(scores, ddof=1)
    below, above = np.maximum(half, np.mean(halves, axis=0)) / np.sqrt(DRAWS)
    held_out = HeldOut(
        score=round(mean, 9),
        low=round(max(mean - below, 0.0), 9),
        high=round(min(mean + above, 1.0), 9),
        seed=seed,
        trials=trials,
        draws=DRAWS,
        minimum=min(scores),
        maximum=max(scores),
    )
    return held_out, _worst(by_condition, held_out.score)


def _worst(draws, score):
    names, trials = draws[0].names, draws[0].trials  # a graded factor's ends differ a little from draw to draw
    if not names:
        return None
    means = np.mean([draw.scores for draw in draws if len(draw.names) == len(names)], axis=0)
    worst = int(means.argmin())
    lowest = min(round(float(means[worst]), 9), score)
    return Worst(score=lowest, condition=names[worst], trials=int(trials[worst]), conditions=len(names))
