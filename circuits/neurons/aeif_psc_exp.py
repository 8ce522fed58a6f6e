"""Adaptive exponential integrate-and-fire (AdEx)."""

from typing import ClassVar, Final, NamedTuple

from circuits.neurons.lif_psc_exp import Neuron
from circuits.neurons.model import NOISE, P11_E, P11_I, NeuronModel, integrates, resets, shared_constants
from circuits.numerics import portable
from circuits.numerics.exponential import exp
from circuits.numerics.simd import LANES, add, at_least, fma, like, load, minimum, mul, select, splat, store, sub
from circuits.part import parameter

(RATE, RATE_W, A, BIAS, DELTA, PER_DELTA, SOFT, W_JUMP, PEAK, RESET, RUNAWAY) = range(NOISE + 1, NOISE + 12)


class AdExNeuron(Neuron):
    """Adaptive exponential integrate-and-fire with exponential currents, "aeif_psc_exp": NEST's `aeif_psc_exp` (Brette and
    Gerstner, J. Neurophysiol. 94, 2005, whose parameters are the defaults).

        tau_m dV/dt = -(V - v_rest) + delta_t exp((V - v_th) / delta_t) - w + I_e + I_i + bias    [mV]
        tau_w dw/dt = a (V - v_rest) - w                                                          [mV]
        tau_syn dI_x/dt = -I_x

    V >= v_peak is a spike: V <- v_reset, held for t_ref, w <- w + w_jump. At v_th the upswing begins. With the leak g_L of the
    paper, a is its a / g_L and w_jump its b / g_L. While V is held, w follows v_reset.

    Integrated by Heun's rule, of second order in dt between spikes; spikes are on the grid, while NEST resets inside a step.
    Heun's rule follows the end of the upswing too slowly, so a spike is also detected if the exponential term alone reaches
    v_peak within the step: if V >= v_th - delta_t ln(dt / tau_m + exp((v_th - v_peak) / delta_t)) at its start.
    """

    ascending: ClassVar = (("v_reset_mv", "v_peak_mv"), ("v_th_mv", "v_peak_mv"))

    tau_m_ms: float = parameter(9.367, 0.01, 10_000.0, "membrane time constant")
    v_rest_mv: float = parameter(-70.6, -1_000.0, 1_000.0, "resting potential")
    v_th_mv: float = parameter(-50.4, -1_000.0, 1_000.0, "potential at which the upswing of a spike begins")
    v_reset_mv: float = parameter(-60.0, -1_000.0, 1_000.0, "potential after a spike")
    delta_t_mv: float = parameter(2.0, 0.1, 100.0, "sharpness of the upswing")
    v_peak_mv: float = parameter(0.0, -1_000.0, 1_000.0, "potential at which a spike is detected")
    a: float = parameter(0.1333, -100.0, 100.0, "adaptation by the potential, in units of the leak")
    w_jump_mv: float = parameter(2.683, 0.0, 1_000.0, "added to the adaptation current by a spike")
    tau_w_ms: float = parameter(144.0, 0.01, 10_000.0, "decay of the adaptation current")


class AdEx(NamedTuple):
    states: int = 4


def constants(p, dt):
    at_peak = portable.exp((p.v_th_mv - p.v_peak_mv) / p.delta_t_mv)
    return [
        *shared_constants(p, dt, p.tau_m_ms),
        dt / p.tau_m_ms,
        dt / p.tau_w_ms,
        p.a,
        p.bias_mv,
        p.delta_t_mv,
        1 / p.delta_t_mv,
        -(p.v_th_mv - p.v_rest_mv) / p.delta_t_mv,
        p.w_jump_mv,
        p.v_peak_mv - p.v_rest_mv,
        p.v_reset_mv - p.v_rest_mv,
        p.v_th_mv - p.v_rest_mv - p.delta_t_mv * portable.log(dt / p.tau_m_ms + at_peak),
    ]


@integrates(AdEx)
def _integrate(model, table, n, state, place, v, i_e, i_i, held):
    w = load(state, place + 3 * LANES)
    runs_away = at_least(v, splat(table[n, RUNAWAY]))
    peak, reset, half = splat(table[n, PEAK]), splat(table[n, RESET]), like(v, 0.5)
    rate, rate_w, a, bias = (splat(table[n, RATE]), splat(table[n, RATE_W]), splat(table[n, A]), splat(table[n, BIAS]))
    delta, per_delta, soft = splat(table[n, DELTA]), splat(table[n, PER_DELTA]), splat(table[n, SOFT])

    # The slopes at the start of the step, and at its end as predicted from the start, with decayed currents.
    drive = add(add(i_e, i_i), bias)
    dv = mul(rate, sub(sub(fma(delta, exp(fma(v, per_delta, soft)), drive), w), v))
    dw = mul(rate_w, sub(mul(a, v), w))
    v_end, w_end = select(held, reset, minimum(add(v, dv), peak)), add(w, dw)
    drive = add(fma(splat(table[n, P11_E]), i_e, mul(splat(table[n, P11_I]), i_i)), bias)
    dv_end = mul(rate, sub(sub(fma(delta, exp(fma(v_end, per_delta, soft)), drive), w_end), v_end))
    dw_end = mul(rate_w, sub(mul(a, v_end), w_end))

    v = fma(half, add(dv, dv_end), v)
    store(state, place + 3 * LANES, fma(half, add(dw, dw_end), w))
    return select(runs_away, peak, v), peak


@resets(AdEx)
def _reset(model, table, n, state, place, v, fired, held):
    w = load(state, place + 3 * LANES)
    store(state, place + 3 * LANES, select(fired, add(w, splat(table[n, W_JUMP])), w))
    return select(fired | held, splat(table[n, RESET]), v)


AEIF_PSC_EXP: Final = NeuronModel("aeif_psc_exp", AdExNeuron, AdEx(), constants, ("v", "i_e", "i_i", "w"))
