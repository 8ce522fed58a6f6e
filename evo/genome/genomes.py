"""Functions of genomes of either kind, by their bounds or dtype: `assembly` implements all of them for assemblies, and
`record`, `variation` and `identity` the same ones for single motifs."""

from typing import Any

import numpy as np

from circuits.circuit import Circuit
from circuits.simulation.packed import PackedCircuits
from evo.genome import assembly, identity, record, variation
from evo.genome.assembly import AssemblyBounds
from evo.genome.record import Bounds, Encoding


def empty(bounds: Bounds | AssemblyBounds, count: int) -> np.ndarray:
    """`count` genomes of zeros."""
    return _of(bounds, record).empty(bounds, count)


def founders(bounds: Bounds | AssemblyBounds, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` random valid genomes."""
    return _of(bounds, variation).founders(bounds, count, rng)


def sound(genomes: np.ndarray, bounds: Bounds | AssemblyBounds) -> np.ndarray:
    """Mask of the genomes without faults: bool [n]."""
    return _of(bounds, record).sound(genomes, bounds)


def faults(genome: np.void, bounds: Bounds | AssemblyBounds) -> list[str]:
    """Faults of a genome in words; empty for a valid one."""
    return _of(bounds, record).faults(genome, bounds)


def to_circuit(genome: np.void, encoding: Encoding, inputs, outputs) -> Circuit:
    """One genome as a Circuit."""
    return _of(encoding.bounds, record).to_circuit(genome, encoding, inputs, outputs)


def tables(genomes: np.ndarray, encoding: Encoding, inputs=(), outputs=(), refine: int = 1) -> PackedCircuits:
    """Genomes in the simulator's layout, float32, at a step `refine` times shorter than theirs; only assemblies need the names
    of inputs and outputs."""
    return _like(genomes, record).tables(genomes, encoding, inputs, outputs, refine)


def rewired(children: np.ndarray, genomes: np.ndarray, mothers: np.ndarray) -> np.ndarray:
    """Mask of the children with another wiring than their mothers (indices into `genomes`): bool [count]."""
    return _like(children, variation).rewired(children, genomes, mothers)


def keys(genomes: np.ndarray) -> list[bytes]:
    """The key of each genome: the same for equal circuits."""
    return _like(genomes, identity).keys(genomes)


def wirings(genomes: np.ndarray) -> int:
    """The number of different wirings among the genomes."""
    return _like(genomes, identity).wirings(genomes)


def is_assembly(genomes: np.ndarray) -> bool:
    """Are they genomes of assemblies?"""
    return "copies" in (genomes.dtype.names or ())


def _of(bounds, of_motifs) -> Any:
    return assembly if isinstance(bounds, AssemblyBounds) else of_motifs


def _like(genomes, of_motifs) -> Any:
    return assembly if is_assembly(genomes) else of_motifs
