"""The free values of circuits that share their wiring: weights, delays and parameters as numbers from 0 to 1, and back."""

import numpy as np

from evo.genome import GAIN, GRID, Bounds, type_row


class FreeValues:
    """Values of a genome that may vary while its neurons, synapses and outputs stay: the weight and the delay of every synapse
    and the parameters of every neuron, except those that the bounds fix.

    `count` is their number; 0 and 1 are the smallest and the largest value that the bounds allow.
    """

    def __init__(self, genome: np.void, bounds: Bounds):
        kind = genome["kind"]
        self.genome, self.slot = genome.copy(), np.flatnonzero(kind)
        self.synapse = source, post = np.nonzero(genome["weight"])
        self.sign = np.sign(genome["weight"][source, post])
        inhibits = (self.sign < 0) | np.concatenate([np.zeros(bounds.channels, bool), kind < 0])[source]
        ranges = np.where(source < bounds.sampled, GAIN, inhibits)
        rows = [type_row(int(kind[slot]), bounds.excitatory) for slot in self.slot]
        ends = [
            bounds.weight[ranges].T,
            np.repeat(bounds.delay[:, None], len(source), axis=1),
            bounds.parameter[rows].swapaxes(0, 1).reshape(2, -1),
        ]
        steps = [np.full(len(source), 1 / GRID), np.ones(len(source)), np.tile(bounds.step, len(rows))]
        self.low, self.high, self.step = *np.concatenate(ends, axis=1), np.concatenate(steps)
        self.free = self.high > self.low
        self.count = int(self.free.sum())

    def read(self, genomes: np.ndarray) -> np.ndarray:
        """The values of genomes with this wiring, float64 [n, count]."""
        source, post = self.synapse
        parts = abs(genomes["weight"][:, source, post]), genomes["delay"][:, source, post], genomes["parameters"][:, self.slot]
        flat = np.concatenate([part.reshape(len(genomes), -1).astype("f8") for part in parts], axis=1)
        return (flat - self.low)[:, self.free] / (self.high - self.low)[self.free]

    def written(self, values: np.ndarray) -> np.ndarray:
        """Genomes with this wiring and these values [n, count], rounded to the genome's grid within the bounds."""
        genomes = np.repeat(np.array(self.genome)[None], len(values))
        (source, post), synapses = self.synapse, len(self.sign)
        flat = np.repeat(self.low[None], len(values), axis=0)
        flat[:, self.free] += values * (self.high - self.low)[self.free]
        flat = np.clip(np.rint(flat / self.step) * self.step, self.low, self.high)
        genomes["weight"][:, source, post] = self.sign * flat[:, :synapses]
        genomes["delay"][:, source, post] = flat[:, synapses : 2 * synapses]
        genomes["parameters"][:, self.slot] = flat[:, 2 * synapses :].reshape(len(values), len(self.slot), -1)
        return genomes
