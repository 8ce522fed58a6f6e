"""Leaky integrate-and-fire with exponential postsynaptic currents."""

from typing import Final, NamedTuple

import numpy as np

from circuits.neurons.model import NOISE, Cell, NeuronModel, current_to_potential, integrates, resets, shared_constants
from circuits.numerics import portable
from circuits.numerics.simd import fma, select, splat
from circuits.part import parameter

P22, P21_E, P21_I, DRIVE, THRESHOLD, RESET = range(NOISE + 1, NOISE + 7)


class Neuron(Cell):
    """Leaky integrate-and-fire neuron with exponential currents, "lif_psc_exp".

    The neuron is NEST's `iaf_psc_exp` (Rotter and Diesmann, Biol. Cybern. 81, 1999).

        tau_m   dV/dt   = -(V - v_rest) + I_e + I_i + bias        [mV]
        tau_syn dI_x/dt = -I_x                                    [mV: current times membrane resistance]

    A spike that arrives over a synapse of weight w adds w to I_e (from an E neuron or an input) or -w to I_i (from an I
    neuron). V >= v_th is a spike; V is then held at v_reset for t_ref. V starts at v_rest, the currents at 0. The integration
    is exact.

    Parameters
    ----------
    id : str or int
        Name of the neuron in its circuit.
    sign : {"E", "I"}
        Sign of all its outgoing synapses (Dale's law).
    type : str
        Free name of its cell type.
    tau_m_ms, tau_syn_e_ms, tau_syn_i_ms : float
        Time constants in ms of the membrane, of the excitatory and of the inhibitory current.
    v_rest_mv, v_th_mv, v_reset_mv : float
        Resting potential, threshold and potential after a spike in mV.
    t_ref_ms : float
        Refractory period in ms, a whole multiple of the time step.
    bias_mv : float
        Constant drive in mV.

    Examples
    --------
    >>> from circuits import Neuron
    >>> Neuron(id="I0", sign="I", tau_m_ms=5).v_th_mv
    -55.0
    """

    tau_m_ms: float = parameter(10.0, 0.01, 10_000.0, "membrane time constant")
    tau_syn_e_ms: float = parameter(2.0, 0.01, 10_000.0, "decay of the excitatory current")
    tau_syn_i_ms: float = parameter(5.0, 0.01, 10_000.0, "decay of the inhibitory current")
    v_rest_mv: float = parameter(-70.0, -1_000.0, 1_000.0, "resting potential")
    v_th_mv: float = parameter(-55.0, -1_000.0, 1_000.0, "threshold")
    v_reset_mv: float = parameter(-70.0, -1_000.0, 1_000.0, "potential after a spike")
    t_ref_ms: float = parameter(2.0, 0.0, 10_000.0, "refractory period")
    bias_mv: float = parameter(0.0, -1_000.0, 1_000.0, "constant drive; alone it settles V at v_rest + bias")


class Lif(NamedTuple):
    states: int = 3


def constants(p, dt):
    return [
        *shared_constants(p, dt, p.tau_m_ms),
        portable.exp(-np.minimum(dt / p.tau_m_ms, 80)),
        current_to_potential(dt, p.tau_m_ms, p.tau_syn_e_ms),
        current_to_potential(dt, p.tau_m_ms, p.tau_syn_i_ms),
        -portable.expm1(-dt / p.tau_m_ms) * p.bias_mv,
        p.v_th_mv - p.v_rest_mv,
        p.v_reset_mv - p.v_rest_mv,
    ]


@integrates(Lif)
def _integrate(model, table, n, state, place, v, i_e, i_i, held):
    drive = fma(splat(table[n, P21_I]), i_i, splat(table[n, DRIVE]))
    v = fma(splat(table[n, P22]), v, fma(splat(table[n, P21_E]), i_e, drive))
    return v, splat(table[n, THRESHOLD])


@resets(Lif)
def _reset(model, table, n, state, place, v, fired, held):
    return select(fired | held, splat(table[n, RESET]), v)


LIF_PSC_EXP: Final = NeuronModel("lif_psc_exp", Neuron, Lif(), constants)
