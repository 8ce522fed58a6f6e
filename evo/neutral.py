"""What the operators make of genomes when nothing selects: the neutral distribution that evolved circuits are compared with."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from circuits.wiring import Wiring
from evo import variation
from evo.genome import Bounds

PEERS = 300
LINEAGES = 2_000
LONGEST = 500  # generations
SNAPSHOTS = 21
_NEURON = 3  # as many connections weighs a neuron too many or too few, when sizes are compared
_STEPS = 300  # at most, towards a size


class Peers(NamedTuple):
    """Neutral genomes to compare one circuit with, by their wiring.

    as_old    drifted as many generations as the circuit is old, or 500 if it is older
    as_large  drifted, and then held to the circuit's `Wiring.size`;   exact  share of these that have it exactly
    """

    as_old: Wiring
    as_large: Wiring
    exact: float


class Operators(NamedTuple):
    """The bounds of genomes, and how often they cross and mutate: [search] crossover and mutation of a spec."""

    bounds: Bounds
    crossover: float
    mutation: float

    def children(self, genomes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One child of each genome, with another one's parts if it crosses, mutated."""
        fathers = genomes[rng.permutation(len(genomes))]
        children = variation.crossover(genomes, fathers, self.bounds, rng, self.crossover)
        return variation.mutate(children, self.bounds, rng, self.mutation)


def peers(operators: Operators, sizes: np.ndarray, ages: Sequence[int], rng: np.random.Generator) -> list[Peers]:
    """The peers of circuits by their sizes, int [circuits, 4], and their ages in generations."""
    drifted = [min(age, LONGEST) for age in ages]
    times = sorted({*drifted, *np.linspace(0, max(drifted), SNAPSHOTS).round().astype(int).tolist()})
    old: dict[int, Wiring] = {}
    near: list[Any] = [None] * len(drifted)
    for time, genomes in zip(times, drift(operators, LINEAGES, times, rng), strict=True):
        for k, size in enumerate(sizes):
            if time == drifted[k]:
                old[k] = wiring(genomes[rng.permutation(LINEAGES)[:PEERS]])
            both = genomes if near[k] is None else np.concatenate([near[k], genomes])
            near[k] = both[np.lexsort((rng.random(len(both)), distance(both, size)))[:PEERS]]
    found = []
    for k, size in enumerate(sizes):
        large = held(operators, near[k], size, rng)
        found.append(Peers(old[k], wiring(large), float((distance(large, size) == 0).mean())))
    return found


def drift(operators: Operators, lineages: int, times: Sequence[int], rng: np.random.Generator) -> Iterator[np.ndarray]:
    """The genomes of many lineages after some numbers of generations, in ascending order; 0 are the founders.

    A child takes its mother's place, and every genome is a mother: none is preferred, and none dies out by chance.
    """
    genomes, generation = variation.founders(operators.bounds, lineages, rng), 0
    for time in times:
        for _ in range(time - generation):
            genomes = operators.children(genomes, rng)
        generation = time
        yield genomes


def held(operators: Operators, genomes: np.ndarray, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Genomes brought to a size by drifting on: a child takes its mother's place unless it is further from the size."""
    genomes = genomes.copy()
    off = distance(genomes, size)
    for _ in range(_STEPS):
        if not off.any():
            break
        children = operators.children(genomes, rng)
        far = distance(children, size)
        genomes[far <= off], off = children[far <= off], np.minimum(far, off)
    return genomes


def distance(genomes: np.ndarray, size: np.ndarray) -> np.ndarray:
    """How far genomes are from a size, int [genomes]."""
    return np.abs(wiring(genomes).size - size) @ [_NEURON, _NEURON, 1, 1]


def wiring(genomes: np.ndarray) -> Wiring:
    """The wiring of genomes."""
    kind, readout = genomes["kind"], genomes["readout"]
    read = (readout[:, :, None] == np.arange(kind.shape[1])).any(1)
    return Wiring(np.sign(kind).astype("i1"), genomes["weight"] > 0, read)
