"""The card of a motif (`circuits.zoo.card`), measured."""

import numpy as np

from circuits.errors import UserError
from circuits.lesion import lesion
from circuits.motif_file import Motif, digest
from circuits.tables import from_circuit
from circuits.zoo.card import Card, HeldOut, Lesion, Made, Worst
from evo.analysis import task_of
from fitness.evaluate import evaluate
from fitness.lesions import lesions
from fitness.objectives import HARDWARE, OBJECTIVES

SEED, TRIALS = 2024, 1024  # no search scores or chooses by trials of a seed that is one number


def card(name: str, motif: Motif, made: Made, picture: str = "", seed: int = SEED, trials: int = TRIALS) -> Card:
    """Score a motif on fresh trials of its task, with and without its parts, in float64.

    Raises UserError for one whose provenance names no task that ships.
    """
    task = task_of(motif)
    if task is None:
        raise UserError(f"{name}: a card takes a motif whose provenance names a task that ships")
    fresh = task.trials(seed, trials)
    found = evaluate(task, fresh, from_circuit(motif.circuit, np.float64))
    low, high = found.interval
    cut = [
        Lesion(
            kind=one.kind,
            part=one.part,
            score=float(task.evaluate(lesion(motif.circuit, one.neurons, one.connections), fresh).value),
        )
        for one in lesions(motif.circuit)
    ]
    joules = (f"joules_{hardware}" for hardware in HARDWARE)
    excitatory = int(motif.excitatory.sum())
    return Card(
        name=name,
        title=task.what(),
        task={"name": task.title(), **task.model_dump(mode="json")},
        excitatory=excitatory,
        inhibitory=len(motif.neurons) - excitatory,
        synapses=motif.synapse_count,
        held_out=HeldOut(score=float(found.score[0]), low=float(low[0]), high=float(high[0]), seed=seed, trials=trials),
        energy={
            "spikes": float(found.spikes[0]),
            "events": float(found.events[0]),
            **{name: float(OBJECTIVES[name].loss(found)[0]) for name in joules},
        },
        worst=_worst(found),
        lesions=tuple(sorted(cut, key=lambda one: one.score)),
        made=made,
        sha256=digest(motif),
        picture=picture,
    )


def _worst(found):
    (score,), (which,) = found.worst
    if which < 0:
        return None
    names, members = conditions = found.task.grouped(found.trials)
    return Worst(score=float(score), condition=names[which], trials=len(members[which]), conditions=len(conditions.names))
