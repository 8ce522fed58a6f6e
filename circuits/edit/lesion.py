"""Lesions: parts of a circuit silenced, to measure their effect, or removed."""

from collections.abc import Iterable
from itertools import count
from typing import TypeVar

from circuits.circuit import Circuit
from circuits.errors import UserError

C = TypeVar("C", bound=Circuit)


def lesion(circuit: C, neurons: Iterable = (), connections: Iterable[tuple] = ()) -> C:
    """Silence parts of a circuit or motif; returns one of the same kind.

    neurons      ids; these neurons stay, so that output ports keep their slots, but lose all synapses and the drive
    connections  (source, target): all synapses from a neuron or an input channel to a neuron are cut
    Raises UserError for a missing neuron or connection.
    """
    silent, cut = set(neurons), set(connections)
    existing = {(source, synapse.post) for (_, source), synapse in circuit.all_synapses}
    for missing in silent - {n.id for n in circuit.neurons}:
        raise UserError(f"lesion: there is no neuron {missing!r}")
    for missing in cut - existing:
        raise UserError(f"lesion: there is no connection from {missing[0]!r} to {missing[1]!r}")

    def kept(source, synapse):
        return (source, synapse.post) not in cut and synapse.post not in silent and source not in silent

    inputs = tuple(c.model_copy(update={"synapses": tuple(s for s in c.synapses if kept(c.name, s))}) for c in circuit.inputs)
    synapses = tuple(s for s in circuit.synapses if kept(s.pre, s))
    silenced = tuple(
        n.model_copy(update={"bias_mv": 0.0}) if n.id in silent and hasattr(n, "bias_mv") else n for n in circuit.neurons
    )
    return circuit.model_copy(update={"neurons": silenced, "inputs": inputs, "synapses": synapses})


def without(circuit: C, neurons: Iterable = (), synapses: Iterable[int] = ()) -> C:
    """Remove parts of a circuit or motif; returns one of the same kind.

    neurons   ids; their synapses and their slots in output ports are removed as well
    synapses  numbers, counted from input channels, channel by channel, to those between neurons
    Raises UserError for a missing neuron, and if no neuron is left of the circuit or of an output port.
    """
    removed, cut = set(neurons), set(synapses)
    for missing in removed - {n.id for n in circuit.neurons}:
        raise UserError(f"there is no neuron {missing!r}")
    if len(removed) == len(circuit.neurons):
        raise UserError("no neuron is left of the circuit")
    number = count()
    kept = [[s for s in c.synapses if next(number) not in cut and s.post not in removed] for c in circuit.inputs]
    between = [s for s in circuit.synapses if next(number) not in cut and not {s.pre, s.post} & removed]
    outputs = [o.model_copy(update={"neurons": tuple(n for n in o.neurons if n not in removed)}) for o in circuit.outputs]
    for o in outputs:
        if not o.neurons:
            raise UserError(f"nothing is left of output port {o.name!r}")
    return circuit.model_copy(
        update={
            "neurons": tuple(n for n in circuit.neurons if n.id not in removed),
            "inputs": tuple(c.model_copy(update={"synapses": tuple(k)}) for c, k in zip(circuit.inputs, kept, strict=True)),
            "synapses": tuple(between),
            "outputs": tuple(outputs),
        }
    )
