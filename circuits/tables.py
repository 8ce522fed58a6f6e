"""Circuits as the kernel reads them: synapse lists per neuron and propagators, for one circuit or for many at once.

Two ways in, one form out: `from_circuit` for a `Circuit`, `from_matrices` for many circuits as dense arrays (the search's
genomes). Synapses of a neuron are sorted excitatory before inhibitory, then by source (input channels before neurons), then by
delay: the order of summation, and so the bits of the result, depend on the circuit alone.
"""

from typing import NamedTuple

import numpy as np

from circuits.circuit import Circuit
from circuits.compiled import compiled
from circuits.neurons import DEFAULTS, propagators, refractory_steps


class Tables(NamedTuple):
    """`B` circuits with up to `N` neurons and `R` output slots on the same input channels.

    neurons   int64 [B];  bounds  int64 [B, N, 3], into weight and offset;  weight  real [synapses], signed
    offset    int64 [synapses]: column - delay * width, with width = channels + N
    table     real [B, N, 8];  n_ref  int64 [B, N];  fan_out  int64 [B, channels + N]: synapses leaving each source
    readout   int64 [B, R]: the neuron read in each output slot
    history   rows before the first step: the longest delay or refractory period of any circuit here
    """

    neurons: np.ndarray
    bounds: np.ndarray
    weight: np.ndarray
    offset: np.ndarray
    table: np.ndarray
    n_ref: np.ndarray
    fan_out: np.ndarray
    readout: np.ndarray
    channels: int
    history: int

    @property
    def synapses(self) -> np.ndarray:
        """Number of synapses of each circuit, int64 [B]."""
        return self.fan_out.sum(axis=1)


def from_circuit(circuit: Circuit, real=np.float64) -> Tables:
    """The tables of one circuit (B = 1); its output slots are the neurons of all ports, one after the other."""
    n, channels, dt = len(circuit.neurons), len(circuit.inputs), circuit.dt_ms
    place = {neuron.id: k for k, neuron in enumerate(circuit.neurons)}
    inhibitory = ~circuit.excitatory
    found = [
        (place[s.post], False, c, s.delay_ms, s.weight_mv) for c, channel in enumerate(circuit.inputs) for s in channel.synapses
    ]
    found += [
        (place[s.post], bool(inhibitory[place[s.pre]]), channels + place[s.pre], s.delay_ms, s.weight_mv)
        for s in circuit.synapses
    ]
    found.sort()
    post, inhibits, source, delay_ms, weight = (
        (np.array(column) for column in zip(*found, strict=True)) if found else [np.zeros(0)] * 5
    )
    post, inhibits, source = post.astype("i8"), inhibits.astype("i8"), source.astype("i8")
    delay = np.rint(delay_ms / dt).astype("i8")
    ends = np.cumsum(np.bincount(post * 2 + inhibits, minlength=2 * n)).reshape(n, 2)
    bounds = np.column_stack([np.r_[0, ends[:-1, 1]], ends])
    width = channels + n
    n_ref = refractory_steps(circuit.parameters, dt)
    return Tables(
        neurons=np.array([n]),
        bounds=bounds[None].astype("i8"),
        weight=np.where(inhibits, -weight, weight).astype(real),
        offset=source - delay * width,
        table=propagators(circuit.parameters, dt)[None].astype(real),
        n_ref=n_ref[None],
        fan_out=np.bincount(source, minlength=width)[None].astype("i8"),
        readout=np.array([[place[i] for o in circuit.outputs for i in o.neurons]], "i8").reshape(1, -1),
        channels=channels,
        history=int(max(delay.max(initial=1), n_ref.max() + 1)),
    )


def from_matrices(sign, parameters, weight, delay, readout, dt_ms, real=np.float32) -> Tables:
    """The tables of B circuits given as dense arrays with N neuron slots and C input channels.

    sign        int8 [B, N]: 1 excitatory, -1 inhibitory, 0 no neuron in this slot
    parameters  real [B, N, 8] in the order of `neurons.PARAMETERS` (ms, mV)
    weight      real [B, C + N, N], row = source (channels first), column = target; 0 is no synapse
    delay       uint16 [B, C + N, N], steps
    readout     integer [B, R], slots
    Slots without a neuron are left out; weights of empty slots must be 0.
    """
    parameters = np.where(sign[..., None] == 0, DEFAULTS.astype(parameters.dtype), parameters)  # any that divide
    n_ref = refractory_steps(parameters, dt_ms)
    arrays = _compact(sign, weight, delay, readout, propagators(parameters, dt_ms).astype(real), n_ref)
    history = int(max(delay.max(initial=1), n_ref.max(initial=0) + 1))
    return Tables._make((*arrays, weight.shape[1] - sign.shape[1], history))


@compiled
def _compact(sign, weight, delay, readout, table, n_ref):
    batch, capacity = sign.shape
    width = weight.shape[1]
    channels = width - capacity
    total = np.count_nonzero(weight)
    neurons = np.zeros(batch, np.int64)
    bounds = np.zeros((batch, capacity, 3), np.int64)
    flat_weight, flat_offset = np.empty(total, table.dtype), np.empty(total, np.int64)
    packed_table, packed_ref = np.zeros_like(table), np.zeros_like(n_ref)
    fan_out = np.zeros((batch, width), np.int64)
    packed_readout = np.zeros(readout.shape, np.int64)
    column = np.zeros(capacity, np.int64)
    end = 0
    for b in range(batch):
        for slot in range(capacity):
            column[slot] = neurons[b]
            neurons[b] += sign[b, slot] != 0
        for slot in range(capacity):
            if sign[b, slot] == 0:
                continue
            n = column[slot]
            packed_table[b, n] = table[b, slot]
            packed_ref[b, n] = n_ref[b, slot]
            bounds[b, n, 0] = end
            for inhibits in range(2):
                for source in range(width):
                    w = weight[b, source, slot]
                    if w == 0 or (source >= channels and sign[b, source - channels] < 0) != (inhibits == 1):
                        continue
                    place = source if source < channels else channels + column[source - channels]
                    flat_weight[end] = -w if inhibits else w
                    flat_offset[end] = place - np.int64(delay[b, source, slot]) * width
                    fan_out[b, place] += 1
                    end += 1
                bounds[b, n, 1 + inhibits] = end
        for r in range(readout.shape[1]):
            packed_readout[b, r] = column[readout[b, r]]
    return neurons, bounds, flat_weight, flat_offset, packed_table, packed_ref, fan_out, packed_readout
