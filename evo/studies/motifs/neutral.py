"""Neutral evolution: the operators without selection, the distribution that evolved circuits are compared with."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from circuits.graph.wiring import Wiring
from evo.genome import Bounds, variation

PEERS, LINEAGES = 300, 2_000
LONGEST = 500  # generations
_NEURON = 3  # as many connections weighs a neuron too many or too few, when sizes are compared
_STEPS = 2_000  # generations at most towards a size


class Peers(NamedTuple):
    """Neutral genomes to compare one circuit with, by their wiring.

    as_old    drifted as many generations as the circuit is old, or 500 if it is older
    as_large  of those, the nearest in `Wiring.size`, brought to the circuit's;   exact  share of these that have it exactly
    """

    as_old: Wiring
    as_large: Wiring
    exact: float


class Operators(NamedTuple):
    """The bounds of genomes, and how often they cross and mutate: [search] crossover and mutation of a spec."""

    bounds: Bounds
    crossover: float
    mutation: float

    def children(self, genomes: np.ndarray, mothers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One child of each mother, an index into genomes, with parts of another one if it crosses, mutated."""
        others = rng.permutation(len(genomes))[: len(mothers)]
        fathers = np.where(rng.random(len(mothers)) < self.crossover, others, variation.NOBODY)
        children, _ = variation.crossover(genomes, mothers, fathers, self.bounds, rng)
        return variation.mutate(children, self.bounds, rng, self.mutation)


def peers(operators: Operators, sizes: np.ndarray, ages: Sequence[int], rng: np.random.Generator) -> list[Peers]:
    """The peers of circuits by their sizes, int [circuits, 4], and their ages in generations."""
    ages = [min(age, LONGEST) for age in ages]
    times = sorted(set(ages))
    found: dict[int, Peers] = {}
    for time, genomes in zip(times, drift(operators, LINEAGES, times, rng), strict=True):
        made = wiring(genomes)
        for k, size in enumerate(sizes):
            if ages[k] == time:
                far = apart(made.size, size) + rng.random(LINEAGES)  # those as near in any order
                large = wiring(held(operators, genomes[np.argsort(far)[:PEERS]], size, rng))
                old = made.take(rng.permutation(LINEAGES)[:PEERS])
                found[k] = Peers(old, large, float((large.size == size).all(1).mean()))
    return [found[k] for k in range(len(sizes))]


def drift(operators: Operators, lineages: int, times: Sequence[int], rng: np.random.Generator) -> Iterator[np.ndarray]:
    """The genomes of many lineages after some numbers of generations, in ascending order; 0 are the founders.

    A child takes its mother's place, and every genome is a mother: none is preferred, and none dies out by chance.
    """
    genomes, generation = variation.founders(operators.bounds, lineages, rng), 0
    for time in times:
        for _ in range(time - generation):
            genomes = operators.children(genomes, np.arange(lineages), rng)
        generation = time
        yield genomes


def held(operators: Operators, genomes: np.ndarray, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Genomes brought to a size by drifting on: a child takes its mother's place unless it is further from the size."""
    genomes = genomes.copy()
    off = apart(wiring(genomes).size, size)
    for _ in range(_STEPS):
        mothers = np.flatnonzero(off)
        if not len(mothers):
            break
        children = operators.children(genomes, mothers, rng)
        far = apart(wiring(children).size, size)
        nearer = far <= off[mothers]
        genomes[mothers[nearer]], off[mothers[nearer]] = children[nearer], far[nearer]
    return genomes


def apart(sizes: np.ndarray, size: np.ndarray) -> np.ndarray:
    """How far sizes, int [genomes, 4], are from one, int [genomes]."""
    return np.abs(sizes - size) @ [_NEURON, _NEURON, 1, 1]


def wiring(genomes: np.ndarray) -> Wiring:
    """The wiring of genomes."""
    kind, readout = genomes["kind"], genomes["readout"]
    read = (readout[:, :, None] == np.arange(kind.shape[1])).any(1)
    return Wiring(np.sign(kind).astype("i1"), genomes["weight"] > 0, read)
