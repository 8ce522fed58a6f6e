"""Wirings of many circuits at once, as arrays: signs and connections, without weights, delays and parameters."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from circuits.circuit import Circuit


class Wiring(NamedTuple):
    """The wiring of `B` circuits with up to `N` neurons and `C` input channels.

    sign     int8 [B, N]: 1 excitatory, -1 inhibitory, 0 no neuron
    synapse  bool [B, C + N, N]: by source, input channels first, and target
    read     bool [B, N]: does an output port read the neuron?
    """

    sign: np.ndarray
    synapse: np.ndarray
    read: np.ndarray

    @classmethod
    def of(cls, circuits: Sequence[Circuit]) -> "Wiring":
        n = max((len(c.neurons) for c in circuits), default=0)
        channels = max((len(c.inputs) for c in circuits), default=0)
        sign = np.zeros((len(circuits), n), "i1")
        synapse = np.zeros((len(circuits), channels + n, n), bool)
        read = np.zeros((len(circuits), n), bool)
        for b, circuit in enumerate(circuits):
            index = circuit.index
            sign[b, : len(index)] = np.where(circuit.excitatory, 1, -1)
            for c, channel in enumerate(circuit.inputs):
                synapse[b, c, [index[s.post] for s in channel.synapses]] = True
            for s in circuit.synapses:
                synapse[b, channels + index[s.pre], index[s.post]] = True
            read[b, [index[i] for port in circuit.outputs for i in port.neurons]] = True
        return cls(sign, synapse, read)

    @property
    def channels(self) -> int:
        return self.synapse.shape[1] - self.synapse.shape[2]

    @property
    def between(self) -> np.ndarray:
        """The connections between neurons, bool [B, N, N]."""
        return self.synapse[:, self.channels :]

    @property
    def size(self) -> np.ndarray:
        """int64 [B, 4]: excitatory neurons, inhibitory neurons, connections from input channels, and between neurons."""
        inputs = self.synapse[:, : self.channels].sum((1, 2))
        return np.stack([(self.sign > 0).sum(1), (self.sign < 0).sum(1), inputs, self.between.sum((1, 2))], axis=1)

    def take(self, rows) -> "Wiring":
        """Some of the circuits, by index or mask."""
        return Wiring(*(array[rows] for array in self))

    def live(self) -> "Wiring":
        """The circuits without neurons that no path connects to an output. A circuit without outputs keeps all neurons."""
        alive = self.read | ~self.read.any(1, keepdims=True)
        while True:
            more = alive | (self.between & alive[:, None, :]).any(2)
            if (more == alive).all():
                break
            alive = more
        synapse = self.synapse & alive[:, None, :]
        synapse[:, self.channels :] &= alive[:, :, None]
        return Wiring(np.where(alive, self.sign, 0).astype("i1"), synapse, self.read)


def live(circuit: Circuit) -> Circuit:
    """The circuit without neurons that no path connects to an output; its outputs spike as before."""
    kept = Wiring.of([circuit]).live().sign[0] != 0
    ids = {neuron.id for neuron, keep in zip(circuit.neurons, kept, strict=True) if keep}
    return circuit.model_copy(
        update={
            "neurons": tuple(n for n in circuit.neurons if n.id in ids),
            "inputs": tuple(
                c.model_copy(update={"synapses": tuple(s for s in c.synapses if s.post in ids)}) for c in circuit.inputs
            ),
            "synapses": tuple(s for s in circuit.synapses if s.pre in ids and s.post in ids),
        }
    )
