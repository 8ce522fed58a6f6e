"""A user's own algorithms, `search.algorithm = "mine.py:Mine"`: faults become one-line errors, and calls end in time."""

from typing import Any

import numpy as np

from circuits.errors import UserError
from evo.algorithms.algorithm import Algorithm, Offspring
from fitness.sandbox.guard import reporting


def own_algorithm(kind: Any, name: str, seconds: float | None) -> type[Algorithm]:
    """A user's class as an algorithm whose calls are checked and may take at most `seconds` each. Raises UserError for anything
    but a class derived from `evo.algorithms.Algorithm`."""
    key = f"search.algorithm: {name}"
    if not (isinstance(kind, type) and issubclass(kind, Algorithm)):
        raise UserError(f"{key}: must be a class derived from evo.algorithms.Algorithm")

    def called(method, *arguments):
        return reporting(key, seconds, kind.__module__, method, *arguments)

    def checked(method, indices, size, count=None):
        indices = np.asarray(indices)
        integer = indices.ndim == 1 and indices.dtype.kind in "iu"
        if not (integer and _in_range(indices, size) and count in (None, len(indices))):
            number = "" if count is None else f"{count} "
            raise UserError(f"{key}: {method} must return {number}indices from 0 to {size - 1}, as an array of whole numbers")
        return indices.astype(int)

    class Own(kind):  # type: ignore[valid-type, misc]
        def __init__(self, *arguments):
            called(super().__init__, *arguments)

        def ask(self):
            return _offspring(called(super().ask), key, self.population)

        def parents(self, count):
            return checked("parents", super().parents(count), len(self.population.genomes), count)

        def survivors(self, outcomes, case_scores):
            return checked("survivors", super().survivors(outcomes, case_scores), len(outcomes))

        def tell(self, population):
            called(super().tell, population)
            parts = self.population.genomes, self.population.outcomes, self.population.case_scores
            if not 0 < len(self.population.genomes) <= self.search.population or len({len(part) for part in parts}) > 1:
                raise UserError(f"{key}: after tell the population must be of 1 to {self.search.population} circuits")

    return Own


def _offspring(offspring, key, population):
    if not isinstance(offspring, tuple) or len(offspring) != 3:
        raise UserError(f"{key}: ask must return an Offspring: genomes, mothers, crossed")
    genomes, mothers, crossed = offspring
    if not isinstance(genomes, np.ndarray) or genomes.dtype != population.genomes.dtype or genomes.ndim != 1:
        raise UserError(f"{key}: ask must return genomes as an array [n] of the genomes' dtype")
    if mothers is not None:
        mothers = np.asarray(mothers)
        if mothers.shape != genomes.shape or mothers.dtype.kind not in "iu" or not _in_range(mothers, len(population.genomes)):
            raise UserError(f"{key}: ask must return the mothers as indices [{len(genomes)}] into the population, or None")
    crossed = np.zeros(len(genomes), bool) if crossed is None else np.asarray(crossed, bool)
    return Offspring(genomes, mothers, crossed)


def _in_range(indices, size):
    return not len(indices) or (indices.min() >= 0 and indices.max() < size)
