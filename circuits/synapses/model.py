"""Models of plastic synapses."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np

from circuits.part import Parameter, Part, parameters_of


@dataclass(frozen=True)
class SynapseModel:
    """A model of plastic synapses.

    section    its parameters, as a section of a synapse in a motif file
    lists      NamedTuple for the kernel: bounds, weight, offset as in `packed.PackedCircuits`, then constants
    constants  (parameters as a namespace of arrays, dt) -> the rest of `lists`
    """

    name: str
    section: type[Part]
    lists: type
    constants: Callable[[SimpleNamespace, float], tuple]

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters by name, in the order of the last axis of every parameter array."""
        return parameters_of(self.section)

    def tables(self, bounds, weight, offset, parameters, dt: float, real) -> Any:
        """The kernel's lists; parameters [synapses, parameters]. Constants are computed in float64 and rounded once."""
        columns = np.asarray(parameters, "f8").reshape(-1, len(self.parameters)).T
        named = SimpleNamespace(**dict(zip(self.parameters, columns, strict=True)))
        return self.lists(bounds, weight, offset, *(c.astype(real) for c in self.constants(named, dt)))
