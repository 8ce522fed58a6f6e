"""What each part of a circuit is good for: the score without it."""

from typing import Literal, NamedTuple

import numpy as np

from circuits.circuit import Circuit
from circuits.edit.variants import lesioned
from fitness.evaluation.evaluate import scores
from fitness.task import Task, Trials

Kind = Literal["neuron", "synapse", "input", "channel", "class"]
CLASSES = "E>E", "E>I", "I>E", "I>I", "input>E", "input>I"


class Lesion(NamedTuple):
    """A lesion, as `circuits.lesion.lesion` takes it.

    kind  neuron: silenced;   synapse, input: a connection cut, from a neuron or from an input channel;   channel: all
          connections of an input channel cut;   class: all of one of `CLASSES` cut
    part  "I0", "E0>I1", "left>E0", "left", "I>E"
    """

    kind: Kind
    part: str
    neurons: tuple
    connections: tuple[tuple, ...]


def lesions(circuit: Circuit) -> list[Lesion]:
    """All lesions of a circuit: each neuron, each connection, each input channel and each class of connections that it has."""
    sign = {n.id: n.sign for n in circuit.neurons}
    inputs = list(dict.fromkeys((c.name, s.post) for c in circuit.inputs for s in c.synapses))
    between = list(dict.fromkeys((s.pre, s.post) for s in circuit.synapses))
    found = [Lesion("neuron", str(n.id), (n.id,), ()) for n in circuit.neurons]
    found += [Lesion("synapse", f"{pre}>{post}", (), ((pre, post),)) for pre, post in between]
    found += [Lesion("input", f"{name}>{post}", (), ((name, post),)) for name, post in inputs]
    for c in circuit.inputs:
        found.append(Lesion("channel", c.name, (), tuple(one for one in inputs if one[0] == c.name)))
    for name in CLASSES:
        source, target = name.split(">")
        theirs = inputs if source == "input" else [one for one in between if sign[one[0]] == source]
        found.append(Lesion("class", name, (), tuple(one for one in theirs if sign[one[1]] == target)))
    return [one for one in found if one.neurons or one.connections]


def lesion_scores(task: Task, trials: Trials, circuit: Circuit, which: list[Lesion]) -> np.ndarray:
    """The score after each of these lesions, float64 [lesions]."""
    return scores(task, trials, circuit, lesioned(circuit, [(one.neurons, one.connections) for one in which]))[0]
