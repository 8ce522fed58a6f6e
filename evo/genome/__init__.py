"""The genome of a circuit: its record (`record`), its operators (`variation`, made of `mutations`, made of `genes`), and keys
of equal circuits (`identity`); the genome of an assembly of several kinds of motif (`assembly`); the functions of both
(`genomes`)."""

from evo.genome.assembly import AssemblyBounds, motif_circuits
from evo.genome.candidates import Candidates
from evo.genome.genomes import empty, faults, founders, is_assembly, keys, rewired, sound, tables, to_circuit, wirings
from evo.genome.record import FINE_GRID, GAIN, GRID, Bounds, Encoding, dtype, type_row

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
