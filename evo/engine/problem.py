"""A spec compiled: who judges its circuits, what a genome stands for, and the operators. Built once per process."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from deap import base

from evo.algorithms import Algorithm, descriptors
from evo.algorithms.values import FreeValues
from evo.genome import Candidates, Encoding, variation
from evo.spec.run_spec import RunSpec
from fitness.judges import Judge
from fitness.sandbox.code import Code


class Problem(NamedTuple):
    """A spec compiled for the computation of epochs."""

    spec: RunSpec
    judge: Judge
    form: Encoding
    toolbox: base.Toolbox
    algorithm: type[Algorithm]

    @classmethod
    def of(cls, spec: RunSpec, source: Code | None) -> "Problem":
        judge = spec.make_judge(source)
        form = spec.form(judge.interface)
        return cls(spec, judge, form, toolbox(spec, form, judge.interface.duration_ms), spec.make_algorithm(source))

    def candidates(self, genomes: np.ndarray) -> Candidates:
        """Genomes as the judge gets them."""
        return Candidates(genomes, self.form, self.judge.interface.inputs, self.judge.interface.outputs)


def toolbox(spec: RunSpec, form: Encoding, duration_ms: float) -> base.Toolbox:
    """DEAP's toolbox over operators that take whole populations as arrays: what the algorithms are composed of."""
    box, bounds = base.Toolbox(), form.bounds
    box.register("init", variation.founders, bounds)
    box.register("mate", variation.crossover, bounds=bounds)
    box.register("mutate", variation.mutate, bounds=bounds, more=spec.search.mutation)
    axes = {"names": spec.search.descriptors, "bounds": bounds, "seconds": duration_ms / 1000}
    box.register("cell", descriptors.cell, **axes, most=spec.search.population)
    box.register("free_values", FreeValues, bounds=bounds)
    return box


@lru_cache(maxsize=4)
def problem(spec_json: str, source: Code | None) -> Problem:
    """The Problem of a spec given as JSON, built once per process."""
    return Problem.of(RunSpec.model_validate_json(spec_json), source)
