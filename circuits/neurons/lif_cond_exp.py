"""Leaky integrate-and-fire with conductance synapses, which allow shunting inhibition."""

from typing import ClassVar, Final, NamedTuple

from circuits.neurons.lif_psc_exp import Neuron
from circuits.neurons.model import NOISE, NeuronModel, integrates, resets, shared_constants
from circuits.numerics import portable
from circuits.numerics.exponential import exp
from circuits.numerics.simd import add, div, fma, like, mul, select, splat, sub
from circuits.part import parameter

(G_E, G_I, E_E, E_I, BIAS, RATE, THRESHOLD, RESET) = range(NOISE + 1, NOISE + 9)


class ConductanceNeuron(Neuron):
    """Leaky integrate-and-fire with exponentially decaying conductances, "lif_cond_exp": NEST's `iaf_cond_exp`.

        tau_m   dV/dt   = -(V - v_rest) + g_e (e_exc - V) + g_i (e_inh - V) + bias    [mV]
        tau_syn dg_x/dt = -g_x                                                        [1: in units of the leak]

    A weight is, as in every model, the peak of the synaptic current times membrane resistance in mV, here of the current at
    V = v_th: a spike over an excitatory synapse adds w / (e_exc - v_th) to g_e, over an inhibitory one w / (v_th - e_inh) to
    g_i. With e_inh at v_rest inhibition only divides (shunts).

    The integration is exact for the mean conductance of the step, of second order in dt; spikes are on the grid.
    """

    ascending: ClassVar = (*Neuron.ascending, ("e_inh_mv", "v_th_mv"), ("v_th_mv", "e_exc_mv"))

    e_exc_mv: float = parameter(0.0, -1_000.0, 1_000.0, "reversal potential of excitation")
    e_inh_mv: float = parameter(-75.0, -1_000.0, 1_000.0, "reversal potential of inhibition")


class LifCond(NamedTuple):
    states: int = 3


def constants(p, dt):
    def mean(tau):  # of a current over the step, relative to its start
        return -portable.expm1(-dt / tau) * tau / dt

    return [
        *shared_constants(p, dt, p.tau_m_ms),
        mean(p.tau_syn_e_ms) / (p.e_exc_mv - p.v_th_mv),
        -mean(p.tau_syn_i_ms) / (p.v_th_mv - p.e_inh_mv),
        p.e_exc_mv - p.v_rest_mv,
        p.e_inh_mv - p.v_rest_mv,
        p.bias_mv,
        -dt / p.tau_m_ms,
        p.v_th_mv - p.v_rest_mv,
        p.v_reset_mv - p.v_rest_mv,
    ]


@integrates(LifCond)
def _integrate(model, table, n, state, place, v, i_e, i_i, held):
    g_e, g_i = mul(splat(table[n, G_E]), i_e), mul(splat(table[n, G_I]), i_i)
    pull = fma(splat(table[n, E_I]), g_i, splat(table[n, BIAS]))
    leak = add(like(v, 1.0), add(g_e, g_i))
    settled = div(fma(splat(table[n, E_E]), g_e, pull), leak)
    v = fma(exp(mul(splat(table[n, RATE]), leak)), sub(v, settled), settled)
    return v, splat(table[n, THRESHOLD])


@resets(LifCond)
def _reset(model, table, n, state, place, v, fired, held):
    return select(fired | held, splat(table[n, RESET]), v)


LIF_COND_EXP: Final = NeuronModel("lif_cond_exp", ConductanceNeuron, LifCond(), constants)
