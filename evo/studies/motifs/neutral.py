"""Neutral evolution: the operators without selection, as the null distribution for evolved circuits."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from circuits.graph.wiring import Wiring
from evo.genome import Bounds, variation
from evo.genome.founders_with import size_distance
from evo.genome.wiring import wiring_of

PEERS, LINEAGES = 300, 2_000
LONGEST = 500  # generations
_STEPS = 2_000  # maximum number of generations towards a size


class Peers(NamedTuple):
    """Wirings of neutral genomes to compare one circuit with.

    as_old    drifted for the circuit's age in generations, at most 500
    as_large  those nearest in `Wiring.size`, brought to the circuit's size
    exact     the share of these that have exactly the circuit's size
    """

    as_old: Wiring
    as_large: Wiring
    exact: float


class Operators(NamedTuple):
    """The bounds of genomes, and the probabilities of crossover, mutation and duplication: [search] of a spec."""

    bounds: Bounds
    crossover: float
    mutation: float
    duplication: float = 0.0

    def children(self, genomes: np.ndarray, mothers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One mutated child of each mother (an index into genomes), some after crossover with another genome."""
        others = rng.permutation(len(genomes))[: len(mothers)]
        fathers = np.where(rng.random(len(mothers)) < self.crossover, others, variation.NOBODY)
        children, _ = variation.crossover(genomes, mothers, fathers, self.bounds, rng)
        return variation.mutate(children, self.bounds, rng, self.mutation, duplication=self.duplication)


def peers(operators: Operators, sizes: np.ndarray, ages: Sequence[int], rng: np.random.Generator) -> list[Peers]:
    """The peers of circuits by their sizes, int [circuits, 4], and their ages in generations."""
    ages = [min(age, LONGEST) for age in ages]
    times = sorted(set(ages))
    peers_of: dict[int, Peers] = {}
    for time, genomes in zip(times, drift(operators, LINEAGES, times, rng), strict=True):
        wirings = wiring_of(genomes)
        for k, size in enumerate(sizes):
            if ages[k] == time:
                distance = size_distance(wirings.size, size) + rng.random(LINEAGES)  # ties in random order
                large = wiring_of(held(operators, genomes[np.argsort(distance)[:PEERS]], size, rng))
                old = wirings.take(rng.permutation(LINEAGES)[:PEERS])
                peers_of[k] = Peers(old, large, float((large.size == size).all(1).mean()))
    return [peers_of[k] for k in range(len(sizes))]


def drift(operators: Operators, lineages: int, times: Sequence[int], rng: np.random.Generator) -> Iterator[np.ndarray]:
    """The genomes of many lineages after given numbers of generations, in ascending order; 0 are the founders.

    Every genome is replaced by its child: there is neither selection nor extinction by chance.
    """
    genomes, generation = variation.founders(operators.bounds, lineages, rng), 0
    for time in times:
        for _ in range(time - generation):
            genomes = operators.children(genomes, np.arange(lineages), rng)
        generation = time
        yield genomes


def held(operators: Operators, genomes: np.ndarray, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Genomes brought to a size by further drift: a child replaces its mother unless it is further from the size."""
    genomes = genomes.copy()
    distance = size_distance(wiring_of(genomes).size, size)
    for _ in range(_STEPS):
        mothers = np.flatnonzero(distance)
        if not len(mothers):
            break
        children = operators.children(genomes, mothers, rng)
        child_distance = size_distance(wiring_of(children).size, size)
        nearer = child_distance <= distance[mothers]
        genomes[mothers[nearer]], distance[mothers[nearer]] = children[nearer], child_distance[nearer]
    return genomes
