"""A compiled spec: its judge, its encoding of genomes, and its operators. Built once per process."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from deap import base

from evo.algorithms import Algorithm, descriptors
from evo.algorithms.values import FreeValues
from evo.genome import AssemblyBounds, Candidates, Encoding, assembly, variation
from evo.spec.run_spec import RunSpec
from fitness.judges import Judge
from fitness.sandbox.code import Code


class Problem(NamedTuple):
    """A spec compiled for the computation of epochs."""

    spec: RunSpec
    judge: Judge
    encoding: Encoding
    toolboxes: tuple[base.Toolbox, ...]
    algorithm: type[Algorithm]

    @classmethod
    def of(cls, spec: RunSpec, source: Code | None) -> "Problem":
        judge = spec.make_judge(source)
        encoding = spec.encoding(judge.interface)
        boxes = tuple(toolbox(spec, encoding, judge.interface.duration_ms, role) for role in range(max(1, len(spec.roles))))
        return cls(spec, judge, encoding, boxes, spec.make_algorithm(source))

    @property
    def toolbox(self) -> base.Toolbox:
        """The operators; of assemblies those of the first role."""
        return self.toolboxes[0]

    def toolbox_of(self, island: int) -> base.Toolbox:
        """The operators of an island; in assemblies they change one role, which the island's number determines."""
        return self.toolboxes[island % len(self.toolboxes)]

    def candidates(self, genomes: np.ndarray) -> Candidates:
        """Genomes as the judge gets them."""
        return Candidates(genomes, self.encoding, self.judge.interface.inputs, self.judge.interface.outputs)


def toolbox(spec: RunSpec, encoding: Encoding, duration_ms: float, role: int = 0) -> base.Toolbox:
    """DEAP's toolbox with the operators of the algorithms, which take whole populations as arrays. `join` gives children the
    partners with which they are judged, in an assembly."""
    box, bounds = base.Toolbox(), encoding.bounds
    mutation = {"more": spec.search.mutation, "duplication": spec.search.duplication}
    box.register("init", spec.random_genomes, bounds)
    if isinstance(bounds, AssemblyBounds):
        box.register("mate", assembly.crossover, bounds=bounds, role=role)
        box.register("mutate", assembly.mutate, bounds=bounds, role=role, **mutation)
        box.register("join", assembly.with_partners, role=role)
        return box
    box.register("join", lambda children, partners: children)
    box.register("mate", variation.crossover, bounds=bounds)
    box.register("mutate", variation.mutate, bounds=bounds, **mutation)
    axes = {"names": spec.search.descriptors, "bounds": bounds, "seconds": duration_ms / 1000}
    box.register("cell", descriptors.cell, **axes, limit=spec.search.population)
    box.register("free_values", FreeValues, bounds=bounds)
    return box


@lru_cache(maxsize=4)
def problem(spec_json: str, source: Code | None) -> Problem:
    """The Problem of a spec given as JSON, built once per process."""
    return Problem.of(RunSpec.model_validate_json(spec_json), source)
