"""The synapses of a circuit as arrays, by kind: from input channels, from E neurons, from I neurons."""

from typing import NamedTuple

import numpy as np

from circuits.circuit import Circuit


class Wires(NamedTuple):
    """Synapses of one kind, in the order of the circuit.

    source  int64 [synapses]: channel or neuron;   target  int64 [synapses]: neuron;   delay  int64 [synapses], steps
    weight  float64 [synapses], >= 0, mV
    """

    source: np.ndarray
    target: np.ndarray
    delay: np.ndarray
    weight: np.ndarray


def from_inputs(circuit: Circuit) -> Wires:
    """The synapses from input channels."""
    index = circuit.index
    rows = [(c, index[s.post], s.delay_ms, s.weight_mv) for c, channel in enumerate(circuit.inputs) for s in channel.synapses]
    return _wires(rows, circuit.dt_ms)


def from_neurons(circuit: Circuit) -> tuple[Wires, Wires]:
    """The synapses between neurons: the excitatory and the inhibitory ones."""
    index = circuit.index
    rows = [(index[s.pre], index[s.post], s.delay_ms, s.weight_mv) for s in circuit.synapses]
    excitatory, inhibitory = by_sign(circuit, rows)
    return _wires(excitatory, circuit.dt_ms), _wires(inhibitory, circuit.dt_ms)


def by_sign(circuit: Circuit, values) -> tuple[list, list]:
    """Split values, one for each synapse between neurons, into those of excitatory and of inhibitory synapses."""
    sign = {neuron.id: neuron.sign for neuron in circuit.neurons}
    signs = [sign[s.pre] for s in circuit.synapses]
    excitatory = [value for value, s in zip(values, signs, strict=True) if s == "E"]
    inhibitory = [value for value, s in zip(values, signs, strict=True) if s == "I"]
    return excitatory, inhibitory


def _wires(synapses, dt):
    source, target, delay_ms, weight = zip(*synapses, strict=True) if synapses else [()] * 4
    delay = np.rint(np.array(delay_ms, "f8") / dt).astype("i8")
    return Wires(np.array(source, "i8"), np.array(target, "i8"), delay, np.array(weight, "f8"))
