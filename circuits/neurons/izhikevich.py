"""Izhikevich's quadratic neuron with recovery."""

from typing import Final, NamedTuple

from circuits.neurons.model import NOISE, Cell, NeuronModel, integrates, resets, shared_constants
from circuits.numerics.simd import LANES, add, fma, load, mul, select, splat, store, sub
from circuits.part import parameter

(DT, SQUARE, LINEAR, CONSTANT, A_DT, B, D, THRESHOLD, RESET) = range(NOISE + 1, NOISE + 10)


class IzhikevichNeuron(Cell):
    """Izhikevich's neuron, "izhikevich" (IEEE Trans. Neural Netw. 14, 2003), driven by exponential currents.

        dV/dt   = 0.04 V^2 + 5 V + 140 - u + I_e + I_i + bias     [mV/ms: currents in mV act within 1 ms]
        du/dt   = a (b V - u)
        tau_syn dI_x/dt = -I_x

    V >= v_th (the peak) is a spike: V <- v_reset (Izhikevich's c), u <- u + d. V starts at v_rest, u at b v_rest.
    Forward Euler, one step of V and u from their values at its start: NEST's `izhikevich` (consistent_integration), spike for
    spike. Use dt of 0.25 ms or less: the error is of first order in dt.
    """

    tau_syn_e_ms: float = parameter(2.0, 0.01, 10_000.0, "decay of the excitatory current")
    tau_syn_i_ms: float = parameter(5.0, 0.01, 10_000.0, "decay of the inhibitory current")
    v_rest_mv: float = parameter(-70.0, -1_000.0, 1_000.0, "initial potential; -70 is at rest for b = 0.2")
    v_th_mv: float = parameter(30.0, -1_000.0, 1_000.0, "peak of the spike")
    v_reset_mv: float = parameter(-65.0, -1_000.0, 1_000.0, "potential after a spike (c)")
    t_ref_ms: float = parameter(0.0, 0.0, 10_000.0, "refractory period")
    bias_mv: float = parameter(0.0, -1_000.0, 1_000.0, "constant drive (I)")
    a_per_ms: float = parameter(0.02, 0.0, 10.0, "rate of recovery")
    b_per_ms: float = parameter(0.2, -10.0, 10.0, "sensitivity of the recovery to V")
    d_mv_per_ms: float = parameter(8.0, -1_000.0, 1_000.0, "added to u by a spike")


class Izhikevich(NamedTuple):
    states: int = 4


def constants(p, dt):
    v_rest = p.v_rest_mv
    return [
        *shared_constants(p, dt, 1.0),
        dt,
        0.04,
        0.08 * v_rest + 5,
        0.04 * v_rest**2 + 5 * v_rest + 140 - p.b_per_ms * v_rest + p.bias_mv,
        dt * p.a_per_ms,
        p.b_per_ms,
        p.d_mv_per_ms,
        p.v_th_mv - v_rest,
        p.v_reset_mv - v_rest,
    ]


@integrates(Izhikevich)
def _integrate(model, table, n, state, place, v, i_e, i_i, held):
    u = load(state, place + 3 * LANES)
    currents = sub(add(add(i_e, i_i), splat(table[n, CONSTANT])), u)
    slope = fma(fma(splat(table[n, SQUARE]), v, splat(table[n, LINEAR])), v, currents)
    store(state, place + 3 * LANES, fma(splat(table[n, A_DT]), sub(mul(splat(table[n, B]), v), u), u))
    return fma(splat(table[n, DT]), slope, v), splat(table[n, THRESHOLD])


@resets(Izhikevich)
def _reset(model, table, n, state, place, v, fired, held):
    u = load(state, place + 3 * LANES)
    store(state, place + 3 * LANES, select(fired, add(u, splat(table[n, D])), u))
    return select(fired | held, splat(table[n, RESET]), v)


IZHIKEVICH: Final = NeuronModel("izhikevich", IzhikevichNeuron, Izhikevich(), constants, ("v", "i_e", "i_i", "u"))
