"""The genome of a circuit: the record that it is (`record`), how genomes come to be and change (`variation`, made of
`mutations`, made of `genes`), and which of them are the same circuit (`identity`); the genome of an assembly of several kinds
of motif (`assembly`); and the same verbs for both (`genomes`)."""

from evo.genome.assembly import AssemblyBounds, motif_circuits
from evo.genome.candidates import Candidates
from evo.genome.genomes import empty, faults, founders, is_assembly, keys, rewired, sound, to_circuit, wirings
from evo.genome.record import (
    FINE_GRID,
    GAIN,
    GRID,
    Bounds,
    Encoding,
    dtype,
    tables,
    type_row,
)

__all__ = [
    "FINE_GRID",
    "GAIN",
    "GRID",
    "AssemblyBounds",
    "Bounds",
    "Candidates",
    "Encoding",
    "dtype",
    "empty",
    "faults",
    "founders",
    "is_assembly",
    "keys",
    "motif_circuits",
    "rewired",
    "sound",
    "tables",
    "to_circuit",
    "type_row",
    "wirings",
]
