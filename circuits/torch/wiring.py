"""The synapses of a circuit as places in weight matrices: a row per source and delay, a column per target."""

from typing import NamedTuple

import numpy as np
import torch

from circuits.circuit import Circuit


class Wires(NamedTuple):
    """Synapses of one kind, in the order of the circuit.

    weight  float64 [synapses], >= 0, mV;   place  int64 [synapses]: row * neurons + target;   rows, neurons  of the matrix
    """

    weight: torch.Tensor
    place: torch.Tensor
    rows: int
    neurons: int


def from_inputs(circuit: Circuit) -> tuple[list[int], Wires]:
    """The distinct delays in steps, and the synapses from input channels with rows [delays, channels], flat."""
    post = _places(circuit)
    found = [(c, post[s.post], s.delay_ms, s.weight_mv) for c, channel in enumerate(circuit.inputs) for s in channel.synapses]
    channel, target, weight, delays, which = _columns(found, circuit.dt_ms)
    row = which * len(circuit.inputs) + channel
    return delays, _wires(weight, row, target, len(delays) * len(circuit.inputs), len(circuit.neurons))


def from_neurons(circuit: Circuit) -> tuple[list[int], torch.Tensor, Wires, Wires]:
    """The distinct delays in steps, the taps, and the excitatory and the inhibitory synapses between neurons.

    A tap is one neuron at one delay: a column of the spikes at all delays side by side, [delays, neurons] flat. The rows of the
    excitatory synapses are the first taps, those of the inhibitory ones the others.
    """
    place, n = _places(circuit), len(circuit.neurons)
    found = [(place[s.pre], place[s.post], s.delay_ms, s.weight_mv) for s in circuit.synapses]
    pre, target, weight, delays, which = _columns(found, circuit.dt_ms)
    column, excites = which * n + pre, circuit.excitatory[pre]
    taps, wires = [], []
    for mine in (excites, ~excites):
        tap, row = np.unique(column[mine], return_inverse=True)
        taps.append(tap)
        wires.append(_wires(weight[mine], row, target[mine], len(tap), n))
    return delays, torch.tensor(np.concatenate(taps)), *wires


def _places(circuit):
    return {neuron.id: k for k, neuron in enumerate(circuit.neurons)}


def _columns(synapses, dt):
    source, target, delay_ms, weight = zip(*synapses, strict=True) if synapses else [()] * 4
    delays, which = np.unique(np.rint(np.array(delay_ms, "f8") / dt).astype("i8"), return_inverse=True)
    return np.array(source, "i8"), np.array(target, "i8"), np.array(weight, "f8"), delays.tolist(), which


def _wires(weight, row, target, rows, neurons):
    return Wires(torch.tensor(weight), torch.tensor(row * neurons + target), rows, neurons)
