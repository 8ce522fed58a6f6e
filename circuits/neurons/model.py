"""Neuron models: parameters, the constants of the kernel computed from them, and the step.

A model is one file here. It holds

    a `Cell`: the parameters with their defaults and ranges, as in a motif file (the docstring has the equations);
    a kind: a NamedTuple of one number, the state vectors of a neuron. numba compiles the kernel for its type, so that each
    model has machine code of its own and costs the others nothing;
    `constants`: from parameters and dt to the columns of the kernel's table, in float64, rounded once afterwards;
    functions under `@integrates(kind)` and `@resets(kind)`: one step of one neuron in 64 trials, before and after the decision
    which trials spike.

Potentials are relative to v_rest inside, so that every state starts at 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import StrictStr, model_validator

from circuits.numerics import portable
from circuits.numerics.parts import implementations
from circuits.part import Id, Parameter, Part, parameters_of

# The first columns of every model's table: decay of the two synaptic currents, and the noise that each step adds to V.
P11_E, P11_I, NOISE = range(3)
# The first vectors of every model's state.
V, I_E, I_I = range(3)


class Cell(Part):
    """Base of the neurons of all models. `sign`, E or I, is that of all outgoing synapses (Dale's law); `type` is a free name
    of the cell type."""

    ascending: ClassVar[tuple[tuple[str, str], ...]] = (("v_reset_mv", "v_th_mv"),)

    id: Id
    sign: Literal["E", "I"]
    type: StrictStr = ""

    @model_validator(mode="after")
    def _ordered(self):
        for low, high in self.ascending:
            a, b = getattr(self, low), getattr(self, high)
            if a >= b:
                raise ValueError(f"{low} {a:g} must be below {high} {b:g}")
        return self


@dataclass(frozen=True)
class NeuronModel:
    """A neuron model.

    neuron     the pydantic class of its neurons;   kind  a value for whose type the kernel is compiled
    constants  (parameters as a namespace of arrays, dt) -> list of columns, first P11_E, P11_I and NOISE
    states     names of the state vectors, the first three V, I_e and I_i
    """

    name: str
    neuron: type[Cell]
    kind: Any
    constants: Callable[[SimpleNamespace, float], list]
    states: tuple[str, ...] = ("v", "i_e", "i_i")

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters by name, in the order of the last axis of every parameter array."""
        return parameters_of(self.neuron)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(self.parameters)

    @cached_property
    def defaults(self) -> np.ndarray:
        return np.array([p.default for p in self.parameters.values()])

    def table(self, parameters, dt: float, noise_mv: float = 0.0) -> np.ndarray:
        """The kernel's constants for neurons with `parameters` [..., parameters], step `dt` ms: float64 [..., columns].

        Computed in float64 whatever the precision of the simulation, so that rounding happens once.
        """
        columns = self.constants(self._named(parameters), dt)
        columns[NOISE] = columns[NOISE] * noise_mv
        table = np.empty((*np.shape(parameters)[:-1], len(columns)))
        for k, column in enumerate(columns):
            table[..., k] = column
        return table

    def refractory_steps(self, parameters, dt: float) -> np.ndarray:
        """The refractory period of each neuron in whole steps, int64 [...]."""
        return np.rint(self._named(parameters).t_ref_ms / dt).astype("i8")

    @cached_property
    def currents(self) -> bool:
        """Are the synapses currents? Otherwise conductances."""
        return "e_exc_mv" not in self.names

    def _named(self, parameters):
        values = np.asarray(parameters, "f8")
        return SimpleNamespace(**{name: values[..., k] for k, name in enumerate(self.names)})


def current_to_potential(dt, tau_m, tau_syn):
    """Weight of a synaptic current (mV) on V after one step of length `dt`: P21 of the exact integration.

    exp(-dt / tau_m) / tau_m * (1 - exp(-a dt)) / a with a = 1/tau_syn - 1/tau_m, which stays finite as tau_syn -> tau_m
    (Rotter and Diesmann, Biol. Cybern. 81, 1999). All arguments in ms; arrays broadcast; float64.
    """
    tau_m, tau_syn = np.asarray(tau_m, "f8"), np.asarray(tau_syn, "f8")
    a = (tau_m - tau_syn) / (tau_m * tau_syn)
    equal = a == 0
    ratio = np.where(equal, dt, -portable.expm1(-a * dt) / np.where(equal, 1.0, a))
    return portable.exp(-dt / tau_m) * ratio / tau_m


def shared_constants(p, dt, tau_m):
    """The columns P11_E, P11_I and NOISE. `tau_m` sets the noise per step so that a free membrane has a standard deviation
    of 1 mV at any dt: V <- exp(-dt / tau_m) (V + noise x) has variance 1 for noise^2 = exp(2 dt / tau_m) - 1. Steps are limited
    to 80 time constants for float32."""
    noise = np.sqrt(portable.expm1(2 * np.minimum(dt / tau_m, 80)))
    return [portable.exp(-dt / p.tau_syn_e_ms), portable.exp(-dt / p.tau_syn_i_ms), noise]


def integrate(model, table, n, state, place, v, i_e, i_i, held):
    """The first half of a step of neuron n in 64 trials; returns the new V and the threshold: lanes that reach it spike unless
    they are held.

    v, i_e, i_i  vectors at the start of the step;   held  mask of refractory lanes;   place  index of the neuron's state, in
    which state vectors beyond the first three are read and written. For compiled code only: numba chooses the function by the
    model's kind.
    """
    raise NotImplementedError


def reset(model, table, n, state, place, v, fired, held):
    """The second half: the effects of spikes in the lanes `fired`; returns V."""
    raise NotImplementedError


# Decorators that register the implementations for neurons of a kind.
integrates, resets = implementations(integrate), implementations(reset)
