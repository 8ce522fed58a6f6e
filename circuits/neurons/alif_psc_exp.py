"""Leaky integrate-and-fire with an adaptation current and an adaptive threshold."""

from typing import Final, NamedTuple

from circuits.neurons import lif_psc_exp
from circuits.neurons.lif_psc_exp import DRIVE, P21_E, P21_I, P22, RESET, THRESHOLD, Neuron
from circuits.neurons.model import NeuronModel, current_to_potential, integrates, resets
from circuits.numerics import portable
from circuits.numerics.simd import LANES, add, fma, load, mul, select, splat, store
from circuits.part import parameter

P21_W, P_W, P_THETA, W_JUMP, THETA_JUMP = range(RESET + 1, RESET + 6)


class AdaptiveNeuron(Neuron):
    """Leaky integrate-and-fire with adaptation, "alif_psc_exp": `Neuron` with a current w that hyperpolarises and a threshold
    that rises, both with each spike (Benda, Maler and Longtin, J. Neurophysiol. 104, 2010, compare the two; the adaptive
    threshold is that of Bellec et al., Nat. Commun. 11, 2020).

        tau_m     dV/dt     = -(V - v_rest) + I_e + I_i + bias - w      [mV]
        tau_w     dw/dt     = -w            w     <- w + w_jump         at a spike
        tau_theta dtheta/dt = -theta        theta <- theta + theta_jump at a spike

    V >= v_th + theta is a spike. w and theta also decay while the neuron is refractory. The integration is exact; with both
    jumps 0 the spikes are those of lif_psc_exp.
    """

    w_jump_mv: float = parameter(0.0, 0.0, 1_000.0, "added to the adaptation current by a spike")
    tau_w_ms: float = parameter(100.0, 0.01, 10_000.0, "decay of the adaptation current")
    theta_jump_mv: float = parameter(5.0, 0.0, 1_000.0, "added to the threshold by a spike")
    tau_theta_ms: float = parameter(100.0, 0.01, 10_000.0, "decay of the threshold")


class Alif(NamedTuple):
    states: int = 5


def constants(p, dt):
    return [
        *lif_psc_exp.constants(p, dt),
        -current_to_potential(dt, p.tau_m_ms, p.tau_w_ms),
        portable.exp(-dt / p.tau_w_ms),
        portable.exp(-dt / p.tau_theta_ms),
        p.w_jump_mv,
        p.theta_jump_mv,
    ]


@integrates(Alif)
def _integrate(model, table, n, state, place, v, i_e, i_i, held):
    w, theta = load(state, place + 3 * LANES), load(state, place + 4 * LANES)
    drive = fma(splat(table[n, P21_I]), i_i, splat(table[n, DRIVE]))
    drive = fma(splat(table[n, P21_W]), w, drive)
    v = fma(splat(table[n, P22]), v, fma(splat(table[n, P21_E]), i_e, drive))
    w, theta = mul(splat(table[n, P_W]), w), mul(splat(table[n, P_THETA]), theta)
    store(state, place + 3 * LANES, w)
    store(state, place + 4 * LANES, theta)
    return v, add(splat(table[n, THRESHOLD]), theta)


@resets(Alif)
def _reset(model, table, n, state, place, v, fired, held):
    w, theta = load(state, place + 3 * LANES), load(state, place + 4 * LANES)
    store(state, place + 3 * LANES, select(fired, add(w, splat(table[n, W_JUMP])), w))
    store(state, place + 4 * LANES, select(fired, add(theta, splat(table[n, THETA_JUMP])), theta))
    return select(fired | held, splat(table[n, RESET]), v)


ALIF_PSC_EXP: Final = NeuronModel("alif_psc_exp", AdaptiveNeuron, Alif(), constants, ("v", "i_e", "i_i", "w", "theta"))
