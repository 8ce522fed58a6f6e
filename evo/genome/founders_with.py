"""Random genomes that have a named wiring motif, and the control: random genomes of the same sizes without it."""

import numpy as np

from circuits.errors import UserError
from circuits.graph.named_motifs import NAMED, OCCURRENCES
from circuits.graph.subgraphs import census
from evo.genome import variation
from evo.genome.record import Bounds
from evo.genome.wiring import wiring_of

NAMES = tuple(motif.name for motif in NAMED)
BATCH, MAX_DRAWN = 1_000, 200_000  # genomes drawn at once, and at most
CHOICE = 4  # genomes without the motif, for each that is wanted, among which the nearest in size is chosen
NEURON = 3  # the weight of a difference of one neuron when sizes are compared, in connections


def size_distance(sizes: np.ndarray, size: np.ndarray) -> np.ndarray:
    """The distances of sizes, `Wiring.size`, int [genomes, 4], from one size, int [4]."""
    return np.abs(sizes - size) @ [NEURON, NEURON, 1, 1]


def has(genomes: np.ndarray, name: str) -> np.ndarray:
    """Mask of the genomes in which the motif occurs among the neurons that reach an output: bool [genomes]."""
    return (census(wiring_of(genomes).live()) @ OCCURRENCES[:, NAMES.index(name)]) > 0


def founders_with(bounds: Bounds, count: int, rng: np.random.Generator, name: str) -> np.ndarray:
    """`count` random valid genomes that have the motif. Raises UserError where that is too rare."""
    return _drawn(bounds, name, count, 0, rng)[0]


def founders_without(bounds: Bounds, count: int, rng: np.random.Generator, name: str) -> np.ndarray:
    """`count` random valid genomes without the motif, each as near as can be to the size of a random one that has it. Raises
    UserError where too few have it, or too few have it not."""
    present, absent = _drawn(bounds, name, count, CHOICE * count, rng)
    sizes, free, chosen = wiring_of(absent).size, np.ones(len(absent), bool), []
    for size in wiring_of(present).size:
        distance = np.where(free, size_distance(sizes, size) + rng.random(len(absent)), np.inf)  # ties in random order
        chosen.append(int(np.argmin(distance)))
        free[chosen[-1]] = False
    return absent[chosen]


def _drawn(bounds, name, present, absent, rng):
    """So many random genomes that have the motif, and so many without it."""
    kept: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    numbers, wanted, drawn = [0, 0], (present, absent), 0
    while numbers[0] < present or numbers[1] < absent:
        if drawn >= MAX_DRAWN:
            which = "have" if numbers[0] < present else "lack"
            raise UserError(
                f"of {drawn:,} random circuits within the bounds only {min(numbers):,} {which} the motif {name!r}, "
                f"and {wanted[numbers[0] >= present]:,} are needed"
            )
        genomes = variation.founders(bounds, BATCH, rng)
        drawn += BATCH
        has_motif = has(genomes, name)
        for k, mask in enumerate((has_motif, ~has_motif)):
            some = genomes[mask][: max(0, wanted[k] - numbers[k])]
            kept[k].append(some)
            numbers[k] += len(some)
    return tuple(np.concatenate(some) for some in kept)
