"""Taking parts out of a circuit: silencing them, to see what they were good for, or leaving them out."""

from collections.abc import Iterable
from itertools import count
from typing import TypeVar

from circuits.circuit import Circuit
from circuits.errors import UserError

C = TypeVar("C", bound=Circuit)


def lesion(circuit: C, neurons: Iterable = (), connections: Iterable[tuple] = ()) -> C:
    """The circuit (or motif) with some parts silenced, as another one of the same kind.

    neurons      ids; they stay, so that ports keep what they name, but nothing reaches them and they have no drive
    connections  (source, target): all synapses from a neuron or an input channel to a neuron are cut
    Raises UserError for a neuron or connection that is not there.
    """
    silent, cut = set(neurons), set(connections)
    there = {(s.pre, s.post) for s in circuit.synapses} | {(c.name, s.post) for c in circuit.inputs for s in c.synapses}
    for missing in silent - {n.id for n in circuit.neurons}:
        raise UserError(f"lesion: there is no neuron {missing!r}")
    for missing in cut - there:
        raise UserError(f"lesion: there is no connection from {missing[0]!r} to {missing[1]!r}")

    def kept(source, synapse):
        return (source, synapse.post) not in cut and synapse.post not in silent and source not in silent

    inputs = tuple(c.model_copy(update={"synapses": tuple(s for s in c.synapses if kept(c.name, s))}) for c in circuit.inputs)
    synapses = tuple(s for s in circuit.synapses if kept(s.pre, s))
    quiet = tuple(
        n.model_copy(update={"bias_mv": 0.0}) if n.id in silent and hasattr(n, "bias_mv") else n for n in circuit.neurons
    )
    return circuit.model_copy(update={"neurons": quiet, "inputs": inputs, "synapses": synapses})


def without(circuit: C, neurons: Iterable = (), synapses: Iterable[int] = ()) -> C:
    """The circuit (or motif) with some parts left out, as another one of the same kind.

    neurons   ids; all their synapses go as well, and their places in the output ports
    synapses  numbers, those from input channels counted first, channel by channel
    Raises UserError for a neuron that is not there, and where no neuron is left of the circuit or of an output port.
    """
    gone, cut = set(neurons), set(synapses)
    for missing in gone - {n.id for n in circuit.neurons}:
        raise UserError(f"there is no neuron {missing!r}")
    if len(gone) == len(circuit.neurons):
        raise UserError("no neuron is left of the circuit")
    number = count()
    kept = [[s for s in c.synapses if next(number) not in cut and s.post not in gone] for c in circuit.inputs]
    between = [s for s in circuit.synapses if next(number) not in cut and not {s.pre, s.post} & gone]
    outputs = [o.model_copy(update={"neurons": tuple(n for n in o.neurons if n not in gone)}) for o in circuit.outputs]
    for o in outputs:
        if not o.neurons:
            raise UserError(f"nothing is left of output port {o.name!r}")
    return circuit.model_copy(
        update={
            "neurons": tuple(n for n in circuit.neurons if n.id not in gone),
            "inputs": tuple(c.model_copy(update={"synapses": tuple(k)}) for c, k in zip(circuit.inputs, kept, strict=True)),
            "synapses": tuple(between),
            "outputs": tuple(outputs),
        }
    )
