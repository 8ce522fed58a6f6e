"""Algorithms of the user's own, `search.algorithm = "mine.py:Mine"`: what fails in one is said in a line, and ends in time."""

from typing import Any

import numpy as np

from circuits.errors import MachineError, UserError
from evo.algorithms.algorithm import Algorithm, Offspring
from fitness.sandbox.guard import guarded
from fitness.sandbox.modules import describe


def own_algorithm(kind: Any, name: str, seconds: float | None) -> type[Algorithm]:
    """The algorithm that a class of the user's own is, none of whose calls may take longer than `seconds`. Raises UserError for
    what is no class derived from `evo.algorithms.Algorithm`."""
    place = f"search.algorithm: {name}"
    if not (isinstance(kind, type) and issubclass(kind, Algorithm)):
        raise UserError(f"{place}: must be a class derived from evo.algorithms.Algorithm")

    def called(method, *arguments):
        try:
            return guarded(place, seconds, method, *arguments)
        except (UserError, MachineError):
            raise
        except Exception as error:
            raise UserError(f"{place}: fails: {describe(error, kind.__module__)}") from error

    def indices(what, found, among, count=None):
        found = np.asarray(found)
        right = found.ndim == 1 and found.dtype.kind in "iu" and _places(found, among) and count in (None, len(found))
        if not right:
            number = "" if count is None else f"{count} "
            raise UserError(f"{place}: {what} must return {number}indices from 0 to {among - 1}, as an array of whole numbers")
        return found.astype(int)

    class Own(kind):  # type: ignore[valid-type, misc]
        def __init__(self, *arguments):
            called(super().__init__, *arguments)

        def ask(self):
            return _offspring(called(super().ask), place, self.population)

        def parents(self, count):
            return indices("parents", super().parents(count), len(self.population.genomes), count)

        def survivors(self, outcomes, case_scores):
            return indices("survivors", super().survivors(outcomes, case_scores), len(outcomes))

        def tell(self, population):
            called(super().tell, population)
            parts = self.population.genomes, self.population.outcomes, self.population.case_scores
            if not 0 < len(self.population.genomes) <= self.search.population or len({len(part) for part in parts}) > 1:
                raise UserError(f"{place}: after tell the population must be of 1 to {self.search.population} circuits")

    return Own


def _offspring(found, place, population):
    if not isinstance(found, tuple) or len(found) != 3:
        raise UserError(f"{place}: ask must return an Offspring: genomes, mothers, crossed")
    genomes, mothers, crossed = found
    if not isinstance(genomes, np.ndarray) or genomes.dtype != population.genomes.dtype or genomes.ndim != 1:
        raise UserError(f"{place}: ask must return genomes as an array [n] of the genomes' dtype")
    if mothers is not None:
        mothers = np.asarray(mothers)
        if mothers.shape != genomes.shape or mothers.dtype.kind not in "iu" or not _places(mothers, len(population.genomes)):
            raise UserError(f"{place}: ask must return the mothers as indices [{len(genomes)}] into the population, or None")
    crossed = np.zeros(len(genomes), bool) if crossed is None else np.asarray(crossed, bool)
    return Offspring(genomes, mothers, crossed)


def _places(indices, count):
    return not len(indices) or (indices.min() >= 0 and indices.max() < count)
