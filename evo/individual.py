"""Individuals: a genome and what became of it, many of them in one array."""

from typing import NamedTuple

import numpy as np

LOOKED_AT = ("validation", "held_out", "low", "high")  # NaN until measured on fresh trials


def record(genome_dtype: np.dtype, objectives: int) -> np.dtype:
    """An individual: its genome, what it lost by each objective (smaller is better), and what it did.

    score (on the search's trials), validation (on others, by which a target is judged) and held_out (on others still, by which
    nothing is chosen), with the ends low and high of its 95 % confidence interval, are 0 at chance and 1 when perfect, NaN
    until measured; spikes and events are per trial; island and generation say where it was born, wired in which generation
    its wiring (neurons, synapses, outputs) came about; line is the step of its lineage at which its line did better last, see
    `evo.lineage`.
    """
    return np.dtype(
        [
            ("genome", genome_dtype),
            ("losses", "f8", objectives),
            ("score", "f8"),
            *((name, "f8") for name in LOOKED_AT),
            ("spikes", "f8"),
            ("events", "f8"),
            ("island", "i4"),
            ("generation", "i4"),
            ("wired", "i4"),
            ("line", "i8"),
        ]
    )


class Crowd(NamedTuple):
    """Individuals and how each did on every trial of the search.

    records  [n], see `record`;   grades  float32 [n, trials], larger is better
    """

    records: np.ndarray
    grades: np.ndarray

    def take(self, chosen) -> "Crowd":
        """Some of them: an index array."""
        return Crowd(self.records[chosen], self.grades[chosen])

    def joined(self, other: "Crowd") -> "Crowd":
        return Crowd(joined(self.records, other.records), joined(self.grades, other.grades))


def joined(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """np.concatenate; records stay packed."""
    out = np.empty((len(a) + len(b), *a.shape[1:]), a.dtype)
    out[: len(a)], out[len(a) :] = a, b
    return out
