"""What is left of the score without each part."""

from typing import Literal

import numpy as np
from typing_extensions import TypedDict

from circuits.circuit import Circuit
from fitness.analysis.every_lesion import lesion_scores
from fitness.analysis.every_lesion import lesions as every_lesion
from fitness.task import Task, Trials


class Lesion(TypedDict):
    """What is left without a part; `change` is the score less that of the whole circuit.

    kind    neuron   silenced: it stays, but nothing reaches it and it has no drive
            synapse  between two neurons, or
            input    from an input channel to a neuron: the connection is cut
            channel  all connections of an input channel are cut
            class    all of E>E, E>I, I>E, I>I, input>E or input>I
    part    how people read it: "I0", "E0>I1", "left>E0", "left", "I>E"
    source, target  of a synapse or an input, ids as in the motif file (of an input the channel's name), else None
    """

    kind: Literal["neuron", "synapse", "input", "channel", "class"]
    part: str
    source: str | int | None
    target: str | int | None
    score: float
    change: float


def lesions(task: Task, circuit: Circuit, held_out: Trials, score: float) -> list[Lesion]:
    """The part `lesions` of an analysis; score: the whole circuit's."""
    which = every_lesion(circuit)
    rest = lesion_scores(task, held_out, circuit, which)
    order = np.argsort(rest, kind="stable")
    return [_lesion(which[k], float(rest[k]), score) for k in order]


def _lesion(one, score, base):
    source, target = one.connections[0] if one.kind in ("synapse", "input") else (None, None)
    change = round(score - base, 9)
    return {"kind": one.kind, "part": one.part, "source": source, "target": target, "score": score, "change": change}
