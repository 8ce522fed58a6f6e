"""Neuron models: parameters with their units and defaults, and exact one-step propagators.

Leaky integrate-and-fire with exponential postsynaptic currents ("lif_psc_exp", NEST's `iaf_psc_exp`; Rotter and Diesmann,
Biol. Cybern. 81, 1999):

    tau_m   dV/dt   = -(V - v_rest) + I_e + I_i + bias        [mV]
    tau_syn dI_x/dt = -I_x                                    [mV: current times membrane resistance]

A spike arriving over a synapse of weight w adds w to I_e (from an excitatory neuron) or -w to I_i (from an inhibitory one).
V >= v_th is a spike; V is then held at v_reset for t_ref. V starts at v_rest, the currents at 0.
"""

from typing import Final, NamedTuple

import numpy as np

LIF: Final = "lif_psc_exp"


class Parameter(NamedTuple):
    """One parameter of a neuron: its default, the values that make sense at all, and what it is."""

    default: float
    low: float
    high: float
    text: str


# The order is that of the last axis of every parameter array.
PARAMETERS = {
    "tau_m_ms": Parameter(10.0, 0.01, 10_000.0, "membrane time constant"),
    "tau_syn_e_ms": Parameter(2.0, 0.01, 10_000.0, "decay of the excitatory current"),
    "tau_syn_i_ms": Parameter(5.0, 0.01, 10_000.0, "decay of the inhibitory current"),
    "v_rest_mv": Parameter(-70.0, -1_000.0, 1_000.0, "resting potential"),
    "v_th_mv": Parameter(-55.0, -1_000.0, 1_000.0, "threshold"),
    "v_reset_mv": Parameter(-70.0, -1_000.0, 1_000.0, "potential after a spike"),
    "t_ref_ms": Parameter(2.0, 0.0, 10_000.0, "refractory period"),
    "bias_mv": Parameter(0.0, -1_000.0, 1_000.0, "constant drive; alone it settles V at v_rest + bias"),
}
NAMES = tuple(PARAMETERS)
DEFAULTS = np.array([p.default for p in PARAMETERS.values()])

# The order of the last axis of the propagator table that the kernel reads.
P22, P11_E, P11_I, P21_E, P21_I, DRIVE, THRESHOLD, RESET = range(8)


def current_to_potential(dt, tau_m, tau_syn):
    """Weight of a synaptic current (mV) on V after one step of length `dt`: P21 of the exact integration.

    exp(-dt / tau_m) / tau_m * (1 - exp(-a dt)) / a with a = 1/tau_syn - 1/tau_m, which stays finite as tau_syn -> tau_m.
    All arguments in ms; arrays broadcast; float64.
    """
    tau_m, tau_syn = np.asarray(tau_m, "f8"), np.asarray(tau_syn, "f8")
    a = (tau_m - tau_syn) / (tau_m * tau_syn)
    equal = a == 0
    ratio = np.where(equal, dt, -np.expm1(-a * dt) / np.where(equal, 1.0, a))
    return np.exp(-dt / tau_m) * ratio / tau_m


def propagators(parameters, dt):
    """The kernel's table for neurons with `parameters` [..., 8] (order of `PARAMETERS`), step `dt` ms.

    Returns float64 [..., 8] in the order P22, P11_E, P11_I, P21_E, P21_I, DRIVE, THRESHOLD, RESET, potentials relative to
    rest. Computed in float64 whatever the precision of the simulation, so that rounding happens once.
    """
    tau_m, tau_e, tau_i, v_rest, v_th, v_reset, _, bias = np.moveaxis(np.asarray(parameters, "f8"), -1, 0)
    columns = (
        np.exp(-dt / tau_m),
        np.exp(-dt / tau_e),
        np.exp(-dt / tau_i),
        current_to_potential(dt, tau_m, tau_e),
        current_to_potential(dt, tau_m, tau_i),
        -np.expm1(-dt / tau_m) * bias,
        v_th - v_rest,
        v_reset - v_rest,
    )
    return np.stack(columns, axis=-1)


def refractory_steps(parameters, dt):
    """The refractory period of each neuron in whole steps, int64 [...]."""
    return np.rint(np.asarray(parameters, "f8")[..., NAMES.index("t_ref_ms")] / dt).astype("i8")
