"""Checks of a user's own task before a search begins."""

import numpy as np

from circuits.errors import UserError
from circuits.simulation.raster import Raster, pack
from fitness.analysis.state_machine import sequence_of
from fitness.analysis.tuning import variable_of
from fitness.task import PARTS, Task
from fitness.trials import Trials

REPEATED = 0.01  # share of the held-out trials from which on stimuli of other parts among them are worth a warning


def check(task: Task, seed: int, count: int):
    """Make trials and score rasters of all kinds twice. Raises UserError for whatever a search would stumble over later: wrong
    shapes, scores that are not finite, exceptions, and answers that differ between two times."""
    another = type(task)(**dict(task))
    another._seconds = task._seconds
    first, second = (one.trials_of("search", seed, count) for one in (task, another))
    for what, a, b in (("spikes", first.spikes, second.spikes), ("labels", first.labels, second.labels)):
        _same(task, f"make gives other {what}", a, b)
    if first.signals is not None and second.signals is not None:
        _same(task, "make gives other signals", first.signals, second.signals)
    for name in first.facts:
        _same(task, f"make gives other facts {name!r}", np.asarray(first.facts[name]), np.asarray(second.facts[name]))
    variable_of(task, first)
    sequence_of(task, first)
    task.grouped(first)
    rng = np.random.default_rng(0)
    shape = count, task.steps, len(task.outputs)
    densities = np.array([0.0, 0.01, 0.3, 1.0])
    spikes = [rng.random(shape) < density for density in densities]
    raster = Raster(
        np.stack([pack(s) for s in spikes]), count, task.dt_ms, tuple(task.outputs), excitatory=np.ones((4, shape[2]), bool)
    )
    scores = [task.score(raster, first) for _ in range(2)]
    for what in ("trial_scores", "case_scores"):
        a, b = (np.moveaxis(getattr(score, what), -1, 0) for score in scores)
        _same(task, f"{what} gives other values", a, b)
    if (scores[0].value != scores[1].value).any():
        raise UserError(f"task {task.title()}: the score of the same raster is another one the second time")


def repeated(task: Task, seed: int, search: int, held_out: int, share: float = REPEATED) -> str | None:
    """A warning, in a line, about a run in whose trials held-out stimuli come in other parts too: in at least
    this share of the held-out trials. None where there is nothing to say. Trials without any input do not count.

    seed, search, held_out  of the run, and its numbers of trials: for the search, and on each of the other parts
    Raises UserError where the task fails for one of the parts.
    """
    drawn = {part: task.trials_of(part, seed, search if part == "search" else held_out) for part in PARTS}
    apart = drawn.pop("held_out")
    mine, worst = _stimuli(task, apart), (0, "", 0)
    for part, trials in drawn.items():
        labels: dict[bytes, set] = {}
        for stimulus, label in zip(_stimuli(task, trials), trials.labels.tolist(), strict=True):
            labels.setdefault(stimulus, set()).add(label)
        again = [labels[one] | {label} for one, label in zip(mine, apart.labels.tolist(), strict=True) if one and one in labels]
        worst = max(worst, (len(again), part, sum(len(them) > 1 for them in again)), key=lambda found: found[0])
    count, part, otherwise = worst
    if count < max(1, share * len(apart)):
        return None
    all_of = "all" if count == len(apart) else f"{count} of"
    labelled = f", {otherwise} of them with another label" if otherwise else ""
    different = len({one for one in mine if one})
    return (
        f"task {task.title()}: {all_of} {len(apart)} held-out trials ({different} different stimuli) are also among the {part} "
        f"trials{labelled}: the held-out score says less than it seems to about stimuli that are new to a circuit; draw every "
        "trial afresh, or keep the parts apart (make(self, rng, count, part), or fitness.FiniteData)"
    )


def _stimuli(task: Task, trials: Trials) -> list[bytes]:
    """Identity of each trial's stimulus; empty where there is none. In a closed loop that is all that is known
    of the trial, the environment being made of it."""
    columns = [trials.spikes] if trials.signals is None else [trials.spikes, trials.signals]
    if task._call(task.environment, trials) is not None:
        columns += [fact for fact in map(np.asarray, trials.facts.values()) if fact.shape[:1] == (len(trials),)]
    rows = [np.packbits(c.reshape(len(trials), -1), axis=1) if c.dtype == bool else c for c in columns]
    return [b"".join(r[k].tobytes() for r in rows) if any(c[k].any() for c in columns) else b"" for k in range(len(trials))]


def _same(task, what, a, b):
    """Equal, trial by trial (the first axis)?"""
    if a.shape != b.shape:
        raise UserError(f"task {task.title()}: {what} the second time with the same seed")
    differs = ~((a == b) | ((a != a) & (b != b))).reshape(len(a), -1).all(axis=1)
    if differs.any():
        trial = int(np.argmax(differs))
        raise UserError(f"task {task.title()}: {what} the second time with the same seed, first in trial {trial}; use only rng")
