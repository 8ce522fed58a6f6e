"""The genome of a circuit: the record that it is (`record`), how genomes come to be and change (`variation`, made of
`mutations`, made of `genes`), and which of them are the same circuit (`identity`)."""

from evo.genome.candidates import Candidates
from evo.genome.record import (
    FINE_GRID,
    GAIN,
    GRID,
    Bounds,
    Encoding,
    dtype,
    empty,
    faults,
    sound,
    tables,
    to_circuit,
    type_row,
)

__all__ = [
    "FINE_GRID",
    "GAIN",
    "GRID",
    "Bounds",
    "Candidates",
    "Encoding",
    "dtype",
    "empty",
    "faults",
    "sound",
    "tables",
    "to_circuit",
    "type_row",
]
