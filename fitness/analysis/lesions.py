"""Contribution of each part of a circuit: the score without it."""

from typing import Literal, NamedTuple

import numpy as np
from typing_extensions import TypedDict

from circuits.circuit import Circuit
from circuits.edit.variants import lesioned
from fitness.base.task import Task
from fitness.base.trials import Trials
from fitness.evaluation.evaluate import scores

Kind = Literal["neuron", "synapse", "input", "channel", "class"]
CLASSES = "E>E", "E>I", "I>E", "I>I", "input>E", "input>I"


class Cut(NamedTuple):
    """A lesion, as `circuits.edit.lesion.lesion` takes it.

    kind  neuron: silenced;   synapse, input: a connection cut, from a neuron or from an input channel;   channel: all
          connections of an input channel cut;   class: all of one of `CLASSES` cut
    part  "I0", "E0>I1", "left>E0", "left", "I>E"
    """

    kind: Kind
    part: str
    neurons: tuple
    connections: tuple[tuple, ...]


def cuts(circuit: Circuit) -> list[Cut]:
    """All lesions of a circuit: each neuron, each connection, each input channel and each class of connections that it has."""
    sign = {n.id: n.sign for n in circuit.neurons}
    inputs = list(dict.fromkeys((c.name, s.post) for c in circuit.inputs for s in c.synapses))
    between = list(dict.fromkeys((s.pre, s.post) for s in circuit.synapses))
    all_cuts = [Cut("neuron", str(n.id), (n.id,), ()) for n in circuit.neurons]
    all_cuts += [Cut("synapse", f"{pre}>{post}", (), ((pre, post),)) for pre, post in between]
    all_cuts += [Cut("input", f"{name}>{post}", (), ((name, post),)) for name, post in inputs]
    all_cuts += [Cut("channel", c.name, (), tuple(edge for edge in inputs if edge[0] == c.name)) for c in circuit.inputs]
    for name in CLASSES:
        source, target = name.split(">")
        of_source = inputs if source == "input" else [edge for edge in between if sign[edge[0]] == source]
        all_cuts.append(Cut("class", name, (), tuple(edge for edge in of_source if sign[edge[1]] == target)))
    return [cut for cut in all_cuts if cut.neurons or cut.connections]


def lesion_scores(task: Task, trials: Trials, circuit: Circuit, cuts: list[Cut]) -> np.ndarray:
    """The score after each of these lesions, float64 [lesions]."""
    return scores(task, trials, circuit, lesioned(circuit, [(cut.neurons, cut.connections) for cut in cuts]))[0]


class Lesion(TypedDict):
    """The score without a part; `change` is its difference from the score of the whole circuit.

    kind    neuron   silenced: it stays, but nothing reaches it and it has no drive
            synapse  between two neurons, or
            input    from an input channel to a neuron: the connection is cut
            channel  all connections of an input channel are cut
            class    all of E>E, E>I, I>E, I>I, input>E or input>I
    part    its name for readers: "I0", "E0>I1", "left>E0", "left", "I>E"
    source, target  of a synapse or an input, ids as in the motif file (of an input the channel's name), else None
    """

    kind: Kind
    part: str
    source: str | int | None
    target: str | int | None
    score: float
    change: float


def lesions(task: Task, circuit: Circuit, held_out: Trials, score: float) -> list[Lesion]:
    """The part `lesions` of an analysis; score: the whole circuit's."""
    every = cuts(circuit)
    after = lesion_scores(task, held_out, circuit, every)
    order = np.argsort(after, kind="stable")
    return [_lesion(every[k], float(after[k]), score) for k in order]


def _lesion(cut, score, base):
    source, target = cut.connections[0] if cut.kind in ("synapse", "input") else (None, None)
    change = round(score - base, 9)
    return {"kind": cut.kind, "part": cut.part, "source": source, "target": target, "score": score, "change": change}
