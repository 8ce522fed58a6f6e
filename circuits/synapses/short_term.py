"""Short-term depression and facilitation."""

from types import SimpleNamespace
from typing import Final, NamedTuple

import numpy as np

from circuits.numerics import portable
from circuits.numerics.compiled import jit
from circuits.numerics.simd import LANES, add, fma, get, like, load, mul, select, splat, store, sub
from circuits.part import Part, parameter
from circuits.synapses.model import SynapseModel

STATES = 2  # u and the depletion 1 - x


class ShortTerm(Part):
    """Tsodyks and Markram's synapse, "short_term" (Tsodyks, Uziel and Markram, J. Neurosci. 20, 2000; NEST's
    `tsodyks2_synapse` with its u, that of the next spike, starting at U).

        tau_rec dx/dt = 1 - x      x <- x - u x            at an arriving spike, after u
        tau_fac du/dt = -u         u <- u + use (1 - u)    at an arriving spike

    x is the available resource, u the fraction of it that a spike releases. The spike has weight w u x (u after and x before
    its jump): the first one after a rest w use. tau_fac = 0: no facilitation.
    """

    use: float = parameter(0.5, 0.0, 1.0, "fraction released by a spike after a rest (U)")
    tau_rec_ms: float = parameter(800.0, 0.01, 100_000.0, "recovery from depression")
    tau_fac_ms: float = parameter(0.0, 0.0, 100_000.0, "decay of facilitation; 0: none")


class ShortTermTables(NamedTuple):
    """Lists of these synapses as in `circuits.simulation.packed.PackedCircuits`: bounds [B, N, 3], the others [synapses]."""

    bounds: np.ndarray
    weight: np.ndarray
    offset: np.ndarray
    use: np.ndarray
    decay_fac: np.ndarray
    decay_rec: np.ndarray


def constants(p: SimpleNamespace, dt: float) -> tuple:
    """The last three fields of `ShortTermTables` from arrays of the parameters."""
    facilitates = p.tau_fac_ms > 0
    decay_fac = np.where(facilitates, portable.exp(-dt / np.where(facilitates, p.tau_fac_ms, 1.0)), 0.0)
    return p.use, decay_fac, portable.exp(-dt / p.tau_rec_ms)


SHORT_TERM: Final = SynapseModel("short_term", ShortTerm, ShortTermTables, constants)


@jit(inline="always")
def rest(t, b, neurons, state):
    """Put the synapses of circuit b at rest."""
    state[: (t.bounds[b, neurons - 1, 2] - t.bounds[b, 0, 0]) * STATES * LANES] = 0


@jit(inline="always")
def arrive(t, first, last, base, flat, here, state, current):
    """The synaptic current plus the arrivals over the synapses `first` to `last` in the row at index `here`."""
    for s in range(first, last):
        place = (s - base) * STATES * LANES
        arriving = get(flat, here + get(t.offset, s))
        u = mul(splat(get(t.decay_fac, s)), load(state, place))
        depleted = mul(splat(get(t.decay_rec, s)), load(state, place + LANES))
        one = like(u, 1.0)
        u_after = fma(splat(get(t.use, s)), sub(one, u), u)
        released = mul(u_after, sub(one, depleted))
        store(state, place, select(arriving, u_after, u))
        store(state, place + LANES, select(arriving, add(depleted, released), depleted))
        current = select(arriving, fma(splat(get(t.weight, s)), released, current), current)
    return current
