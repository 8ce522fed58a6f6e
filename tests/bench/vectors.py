"""Circuits as vectors of numbers from 0 to 1, for optimisers that know nothing else: what a stranger would write."""

import numpy as np

from evo.genome import GRID
from evo.genome.record import Bounds, empty

ABSENT = 0.75  # a synapse whose number is below is none; the weight is the rest of the way: as sparse as founders of ours


class Vectors:
    """The encoding of the genomes of some bounds without cell types, by random keys.

    A vector has for each slot a number that says how soon it gets a neuron, its parameters, for each pair of a source and a
    slot presence and weight in one number and the delay in another, and for each output how soon a slot is read by it; at its
    beginning it has the number of excitatory and inhibitory neurons, as a place in the list of those that the bounds allow.
    """

    def __init__(self, bounds: Bounds):
        self.bounds = bounds
        self.mixes = np.argwhere(bounds.allowed)
        slots, sources = bounds.capacity, bounds.channels + bounds.capacity
        self.shapes = {
            "mix": (1,),
            "order": (slots,),
            "parameters": (slots, len(bounds.step)),
            "weight": (sources, slots),
            "delay": (sources, slots),
            "readout": (bounds.readouts, slots),
        }

    @property
    def size(self) -> int:
        """Numbers of a vector."""
        return sum(int(np.prod(shape)) for shape in self.shapes.values())

    def genomes(self, vectors: np.ndarray) -> np.ndarray:
        """The genomes [n] of vectors [n, size]; numbers outside 0 to 1 count as the nearest inside."""
        vectors = np.clip(np.asarray(vectors, float), 0, 1)
        made = empty(self.bounds, len(vectors))
        for k, vector in enumerate(vectors):
            self._write(made[k], self._parts(vector))
        return made

    def _parts(self, vector):
        found, at = {}, 0
        for name, shape in self.shapes.items():
            found[name] = vector[at : at + int(np.prod(shape))].reshape(shape)
            at += found[name].size
        return found

    def _write(self, genome, part):
        b = self.bounds
        e, i = self.mixes[min(int(part["mix"][0] * len(self.mixes)), len(self.mixes) - 1)]
        order = np.argsort(part["order"], kind="stable")
        genome["kind"][order[:e]], genome["kind"][order[e : e + i]] = 1, -1
        for sign, row in ((1, 0), (-1, 1)):
            mine = genome["kind"] == sign
            low, high = b.parameter[row]
            value = low + part["parameters"][mine] * (high - low)
            genome["parameters"][mine] = np.clip(np.rint(value / b.step) * b.step, low, high)
        there = genome["kind"] != 0
        sources = np.concatenate([np.ones(b.channels, bool), there])
        strength = np.where(sources[:, None] & there, part["weight"], 0)
        least = -np.sort(-strength, axis=0)[min(b.in_degree, len(strength)) - 1]  # the strongest stay
        present = (strength >= np.maximum(least, ABSENT)) & (strength > 0)
        present &= np.cumsum(present, axis=0) <= b.in_degree  # of equals the first
        inhibits = np.concatenate([np.zeros(b.channels, bool), genome["kind"] < 0])
        low, high = b.weight[inhibits.astype(int)].T[:, :, None]
        weight = np.clip(np.rint((low + (strength - ABSENT) / (1 - ABSENT) * (high - low)) * GRID) / GRID, low, high)
        genome["weight"] = np.where(present, weight, 0)
        delay = b.delay[0] + np.floor(part["delay"] * (b.delay[1] - b.delay[0] + 1))
        genome["delay"] = np.where(present, np.minimum(delay, b.delay[1]), 0)
        free = np.where(genome["kind"] > 0, part["readout"], -1.0)
        for r in range(b.readouts):
            genome["readout"][r] = np.argmax(free[r])
            free[:, genome["readout"][r]] = -1
