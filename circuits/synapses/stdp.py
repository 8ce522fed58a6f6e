"""Spike-timing-dependent plasticity."""

from types import SimpleNamespace
from typing import Final, NamedTuple

import numpy as np

from circuits.numerics import portable
from circuits.numerics.compiled import jit
from circuits.numerics.simd import LANES, add, fma, get, like, load, maximum, minimum, mul, select, splat, store, sub
from circuits.part import Part, parameter
from circuits.synapses.model import SynapseModel

STATES = 3  # weight relative to the initial one, presynaptic and postsynaptic trace


class Stdp(Part):
    """Pair-based spike-timing-dependent plasticity, "stdp" (Song, Miller and Abbott, Nat. Neurosci. 3, 2000; all pairs, by
    traces: Morrison, Diesmann and Gerstner, Biol. Cybern. 98, 2008).

        tau_plus  dx/dt = -x     x <- x + 1 when a presynaptic spike arrives (after its delay)
        tau_minus dy/dt = -y     y <- y + 1 when the postsynaptic neuron spikes
        arrival:                 w <- max(0, w - a_minus w0 y), then the spike is transmitted with weight w
        postsynaptic spike:      w <- min(bound w0, w + a_plus w0 x)

    w0 is the synapse's weight_mv. Two spikes in the same step are no pair. Plasticity never changes the sign of a synapse
    (Dale's law). a_plus and a_minus may be negative (anti-Hebbian); w stays within 0 and bound w0.
    """

    a_plus: float = parameter(0.01, -1.0, 1.0, "growth per pair pre before post, in units of the initial weight")
    a_minus: float = parameter(0.012, -1.0, 1.0, "loss per pair post before pre, in units of the initial weight")
    tau_plus_ms: float = parameter(20.0, 0.01, 10_000.0, "decay of the presynaptic trace")
    tau_minus_ms: float = parameter(20.0, 0.01, 10_000.0, "decay of the postsynaptic trace")
    bound: float = parameter(2.0, 1.0, 100.0, "maximal weight, in units of the initial weight")


class StdpTables(NamedTuple):
    """Lists of these synapses as in `circuits.simulation.packed.PackedCircuits`: bounds [B, N, 3], the others [synapses]."""

    bounds: np.ndarray
    weight: np.ndarray
    offset: np.ndarray
    a_plus: np.ndarray
    a_minus: np.ndarray
    decay_plus: np.ndarray
    decay_minus: np.ndarray
    bound: np.ndarray


def constants(p: SimpleNamespace, dt: float) -> tuple:
    """The last five fields of `StdpTables` from arrays of the parameters."""
    return p.a_plus, p.a_minus, portable.exp(-dt / p.tau_plus_ms), portable.exp(-dt / p.tau_minus_ms), p.bound


STDP: Final = SynapseModel("stdp", Stdp, StdpTables, constants)


@jit(inline="always")
def rest(t, b, neurons, state, keep_weights):
    """Put the synapses of circuit b at rest, with their initial weights unless `keep_weights`."""
    for s in range(t.bounds[b, neurons - 1, 2] - t.bounds[b, 0, 0]):
        place = s * STATES * LANES
        if not keep_weights:
            state[place : place + LANES] = 1
        state[place + LANES : place + 3 * LANES] = 0


@jit(inline="always")
def arrive(t, first, last, base, flat, here, state, fired, current):
    """The synaptic current plus the arrivals over the synapses `first` to `last` in the row at index `here`; updates the
    synapses by the arrivals and by `fired`, the postsynaptic spikes of this step."""
    for s in range(first, last):
        place = (s - base) * STATES * LANES
        arriving = get(flat, here + get(t.offset, s))
        w = load(state, place)
        x, y = (
            mul(splat(get(t.decay_plus, s)), load(state, place + LANES)),
            mul(splat(get(t.decay_minus, s)), load(state, place + 2 * LANES)),
        )
        zero, one, bound = like(w, 0.0), like(w, 1.0), splat(get(t.bound, s))
        w = select(arriving, minimum(maximum(sub(w, mul(splat(get(t.a_minus, s)), y)), zero), bound), w)
        current = select(arriving, fma(splat(get(t.weight, s)), w, current), current)
        store(state, place, select(fired, minimum(maximum(fma(splat(get(t.a_plus, s)), x, w), zero), bound), w))
        store(state, place + LANES, select(arriving, add(x, one), x))
        store(state, place + 2 * LANES, select(fired, add(y, one), y))
    return current
