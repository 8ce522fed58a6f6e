"""The backward kernel: the exact gradient of the forward pass, with the surrogate's bump for the slope of the spike.

With a[X] for the gradient of the loss with respect to X after step t, and a' after step t + 1, a step backwards is

    a[I_x] = P21_x a'[U] + P11_x a'[I_x]                 U: the potential that meets the threshold in step t + 1
    a[S]   = what comes from outside + sum over leaving synapses of weight * a[I_x of the target, delay steps later]
    a[U]   = P22 a'[U] + a[S] bump(U - threshold)        without the first term where it fires: V is reset, and a reset has
                                                         no slope; nothing where it is refractory

and a synapse's weight has the sum of a[I_x] over the steps and lanes in which its spikes arrive. Potentials are not kept from
the forward pass: each chunk of steps is recomputed from the state at its start, which `Job.marks` holds.

`Credit` says where this may be left: the bump times a dampening; a[U] held within a bound, which is `clip` times the largest
gradient that has come from outside to a spike of the circuit in the lane, now or later; no sum over leaving synapses.
"""

from typing import Any, NamedTuple

import numpy as np

from circuits.neurons import lif_psc_exp
from circuits.neurons.lif_psc_exp import DRIVE, P21_E, P21_I, P22, THRESHOLD
from circuits.neurons.model import P11_E, P11_I
from circuits.numerics.compiled import compiler
from circuits.numerics.simd import (
    LANES,
    add,
    at_least,
    fetch,
    fma,
    get,
    leave,
    load,
    most,
    mul,
    select,
    splat,
    store,
    sub,
    total,
)
from circuits.torch import surrogate
from circuits.torch.fused import forward, job
from circuits.torch.fused.forward import Record, advance, wired
from circuits.torch.surrogate import surrogate_derivative

compiled = compiler(forward, job, lif_psc_exp, surrogate)

COLUMNS = (DRIVE, THRESHOLD, P22, P21_E, P21_I, P11_E, P11_I)  # of the table, whose gradients the kernel sums in this order


class Given(NamedTuple):
    """Gradients that come in, real: of the spikes read, with strides for [G, slots, T]; of the last steps' spikes
    [G, neurons, tail, B] and of the state at the end [3, G, neurons, B], or empty."""

    read: np.ndarray
    strides: tuple[int, int, int]
    tail: np.ndarray
    final: np.ndarray


class Credit(NamedTuple):
    """How gradients are passed back. dampening  real: of the bump, 1 for none;   clip  real, 1/mV, infinity for none
    local  0, or 1: nothing comes back from the neurons that a spike reaches within the circuit"""

    dampening: Any
    clip: Any
    local: int


class Found(NamedTuple):
    """Gradients that go out, those which are not wanted empty.

    x, past_x, start  real, flat, as in `Job`, x with T contiguous;   past_spikes  real, flat [G, neurons, history, B]
    weight  float64 [G, blocks, slots];   table  float64 [G, blocks, neurons, COLUMNS]
    """

    x: np.ndarray
    past_x: np.ndarray
    past_spikes: np.ndarray
    start: np.ndarray
    weight: np.ndarray
    table: np.ndarray


class Workspace(NamedTuple):
    """Scratch of a thread.

    record   `Record`, of a chunk;   state  real [neurons * 3 * 64], V, I_e, I_i;   bound  real [64], of a[U]
    adjoint  real [neurons * 2 * (1 + chunk + history) * 64]: a[I_e] and a[I_i] of each neuron, row k + 1 for step k of a chunk
    met      real [neurons * 64]: P22 a'[U], and at the end of time the gradient of V
    sums     real [neurons * COLUMNS * 64], or empty: no gradient of the table is wanted
    held     uint64 [chunk * neurons]
    """

    record: Record
    state: np.ndarray
    bound: np.ndarray
    adjoint: np.ndarray
    met: np.ndarray
    sums: np.ndarray
    held: np.ndarray


class Leaving(NamedTuple):
    """Synapses by where they come from, in the order of `Lists.leaving`: weight real, signed; offset int64, from a step's row
    in `Workspace.adjoint` to what the synapse brings back to it; delay int64."""

    weight: np.ndarray
    offset: np.ndarray
    delay: np.ndarray


@compiled
def run_backward(job, kind, credit, given, found, room, first, last):
    """The items `first` to `last`, as in the forward pass; kind: of the surrogate."""
    lists, blocks = job.lists, job.blocks
    neurons, lanes, chunks = len(lists.n_ref), blocks * LANES, job.held.shape[2]
    zero = splat(job.x.dtype.type(0))
    rows = 1 + job.chunk + job.history
    for item in range(first, last):
        g, b = item // blocks, item % blocks
        synapses = wired(job, g, b)
        leaving = _leaving(job, synapses)
        hold, summed = np.empty(neurons, np.uint64), np.zeros(len(lists.slot))
        for k in range(neurons * 2 * rows):
            store(room.adjoint, k * LANES, zero)
        for k in range(len(room.sums) // LANES):
            store(room.sums, k * LANES, zero)
        row = job.steps - (chunks - 1) * job.chunk
        store(room.bound, 0, zero)
        for n in range(neurons):
            store(room.met, n * LANES, zero)
            if len(given.final) > 0:
                at, apart = (g * neurons + n) * lanes + b * LANES, job.groups * neurons * lanes
                store(room.met, n * LANES, fetch(given.final, at))
                _widen(room.bound, fetch(given.final, at))
                store(room.adjoint, (n * 2 * rows + row) * LANES, fetch(given.final, at + apart))
                store(room.adjoint, ((n * 2 + 1) * rows + row) * LANES, fetch(given.final, at + 2 * apart))
                _widen(room.bound, fetch(given.final, at + apart))
                _widen(room.bound, fetch(given.final, at + 2 * apart))
        for c in range(chunks - 1, -1, -1):
            begin, end = c * job.chunk, min(job.steps, (c + 1) * job.chunk)
            for k in range(neurons * 3):
                store(room.state, k * LANES, load(job.marks, ((item * chunks + c) * neurons * 3 + k) * LANES))
            for n in range(neurons):
                hold[n] = job.held[g, b, c, n]
            advance(job, g, b, synapses, room.state, hold, room.held, begin, end, room.record)
            for t in range(end - 1, begin - 1, -1):
                _step(job, kind, credit, given, room, g, b, leaving, t, begin)
            _sum_weights(job, room, g, b, synapses, begin, end, summed)
            if len(found.x) > 0:
                for channel in range(job.channels):
                    for t in range(begin, end):
                        at = ((g * job.channels + channel) * job.steps + t) * lanes + b * LANES
                        leave(found.x, at, _reaching(lists, leaving, room.adjoint, neurons + channel, t - begin))
            for k in range(neurons * 2 if c > 0 else 0):
                for d in range(job.history, -1, -1):
                    store(room.adjoint, (k * rows + job.chunk + d) * LANES, load(room.adjoint, (k * rows + d) * LANES))
        _before(job, found, room, g, b, leaving)
        for s in range(len(lists.slot)):
            found.weight[g, b, lists.slot[s]] = summed[s]
        for q in range(len(room.sums) // LANES):
            found.table[g, b, q // len(COLUMNS), q % len(COLUMNS)] = total(load(room.sums, q * LANES))


@compiled
def _leaving(job, synapses):
    lists, rows = job.lists, 1 + job.chunk + job.history
    found = Leaving(np.empty_like(synapses.weight), np.empty_like(synapses.delay), np.empty_like(synapses.delay))
    for j in range(len(lists.leaving)):
        s = lists.leaving[j]
        found.weight[j], found.delay[j] = synapses.weight[s], synapses.delay[s]
        found.offset[j] = ((lists.target[s] * 2 + lists.inhibits[s]) * rows + 1 + synapses.delay[s]) * LANES
    return found


@compiled
def _step(job, kind, credit, given, room, g, b, leaving, t, begin):
    """Step t backwards, of a chunk that begins at `begin`."""
    neurons, k = len(job.lists.n_ref), t - begin
    rows, zero = 1 + job.chunk + job.history, splat(job.x.dtype.type(0))
    table = job.table[min(g, job.table.shape[0] - 1)]
    flat = job.raster[g, b].reshape(-1)
    bounded = credit.clip < np.inf
    if bounded:
        for n in range(neurons):
            _widen(room.bound, mul(splat(credit.clip), _outside(job, given, g, b, n, t, zero)))
    for n in range(neurons):
        fired, held = get(flat, (job.history + t) * neurons + n), get(room.held, k * neurons + n)
        spike = zero if credit.local else _reaching(job.lists, leaving, room.adjoint, n, k)
        spike = _outside(job, given, g, b, n, t, spike)
        met = load(room.record.met, (n * job.chunk + k) * LANES)
        bump = mul(splat(credit.dampening), surrogate_derivative(kind, sub(met, splat(table[n, THRESHOLD]))))
        through = select(held, zero, mul(spike, bump))
        u = add(select(fired | held, zero, load(room.met, n * LANES)), through)
        if bounded:
            u = _within(u, load(room.bound, 0))
        at = (n * 2 * rows + k + 1) * LANES
        a_e, a_i = load(room.adjoint, at), load(room.adjoint, at + rows * LANES)
        store(room.met, n * LANES, mul(splat(table[n, P22]), u))
        store(room.adjoint, at - LANES, fma(splat(table[n, P21_E]), u, mul(splat(table[n, P11_E]), a_e)))
        store(room.adjoint, at + (rows - 1) * LANES, fma(splat(table[n, P21_I]), u, mul(splat(table[n, P11_I]), a_i)))
        if len(room.sums) > 0:
            at = n * len(COLUMNS) * LANES
            store(room.sums, at, add(load(room.sums, at), u))
            store(room.sums, at + LANES, sub(load(room.sums, at + LANES), through))
        if len(room.record.v) > 0:
            at = (n * len(COLUMNS) + 2) * LANES
            old = (n * job.chunk + k) * LANES
            v, i_e, i_i = load(room.record.v, old), load(room.record.i_e, old), load(room.record.i_i, old)
            store(room.sums, at, fma(u, v, load(room.sums, at)))
            store(room.sums, at + LANES, fma(u, i_e, load(room.sums, at + LANES)))
            store(room.sums, at + 2 * LANES, fma(u, i_i, load(room.sums, at + 2 * LANES)))
            store(room.sums, at + 3 * LANES, fma(a_e, i_e, load(room.sums, at + 3 * LANES)))
            store(room.sums, at + 4 * LANES, fma(a_i, i_i, load(room.sums, at + 4 * LANES)))


@compiled
def _outside(job, given, g, b, n, t, spike):
    """`spike` and what comes from outside to the spike of neuron n in step t."""
    neurons, lanes = len(job.lists.n_ref), job.blocks * LANES
    tail = len(given.tail) // max(1, job.groups * neurons * lanes)
    own, per_slot, per_step = given.strides
    if job.column[n] >= 0:
        spike = add(spike, fetch(given.read, g * own + job.column[n] * per_slot + t * per_step + b * LANES))
    if t >= job.steps - tail:
        spike = add(spike, fetch(given.tail, ((g * neurons + n) * tail + t - job.steps + tail) * lanes + b * LANES))
    return spike


@compiled
def _widen(bound, value):
    """Let the bound [64] be at least as large as the value."""
    store(bound, 0, most(load(bound, 0), most(value, sub(splat(bound.dtype.type(0)), value))))


@compiled
def _within(value, bound):
    """The value between -bound and bound; NaN stays."""
    below = sub(sub(bound, bound), bound)
    value = select(at_least(value, bound), bound, value)
    return select(at_least(below, value), below, value)


@compiled
def _reaching(lists, leaving, adjoint, source, k):
    """The gradient that comes back to step k of a source over the synapses that leave it."""
    found = splat(adjoint.dtype.type(0))
    for j in range(lists.ends[source], lists.ends[source + 1]):
        found = fma(splat(get(leaving.weight, j)), load(adjoint, k * LANES + get(leaving.offset, j)), found)
    return found


@compiled
def _sum_weights(job, room, g, b, synapses, begin, end, summed):
    """Add to `summed`, float64 [synapses], what the steps `begin` to `end` give."""
    lists, delay, offset, rows = job.lists, synapses.delay, synapses.offset, 1 + job.chunk + job.history
    neurons, lanes = len(lists.n_ref), job.blocks * LANES
    flat, per_step = job.raster[g, b].reshape(-1), job.x_strides[2]
    zero = splat(job.x.dtype.type(0))
    for n in range(neurons):
        for s in range(lists.bounds[n, 0], lists.bounds[n, 1]):
            at = n * 2 * rows + 1 - begin
            found = zero
            for t in range(max(begin, delay[s] - job.past), min(end, delay[s])):
                old = ((g * job.channels + lists.source[s]) * job.past + job.past + t - delay[s]) * lanes + b * LANES
                found = fma(fetch(job.past_x, old), load(room.adjoint, (at + t) * LANES), found)
            for t in range(max(begin, delay[s]), end):
                found = fma(fetch(job.x, offset[s] + t * per_step), load(room.adjoint, (at + t) * LANES), found)
            summed[s] += total(found)
        for s in range(lists.bounds[n, 1], lists.bounds[n, 3]):
            at = (n * 2 + lists.inhibits[s]) * rows + 1 - begin
            found = zero
            for t in range(begin, end):
                arrives = load(room.adjoint, (at + t) * LANES)
                found = select(get(flat, (job.history + t) * neurons + offset[s]), add(found, arrives), found)
            summed[s] += total(found)


@compiled
def _before(job, found, room, g, b, leaving):
    """Gradients of what there was before the first step."""
    neurons, lanes, rows = len(job.lists.n_ref), job.blocks * LANES, 1 + job.chunk + job.history
    if len(found.start) > 0:
        for n in range(neurons):
            at, apart = (g * neurons + n) * lanes + b * LANES, job.groups * neurons * lanes
            leave(found.start, at, load(room.met, n * LANES))
            leave(found.start, at + apart, load(room.adjoint, n * 2 * rows * LANES))
            leave(found.start, at + 2 * apart, load(room.adjoint, (n * 2 + 1) * rows * LANES))
    if len(found.past_spikes) > 0:
        for n in range(neurons):
            for d in range(job.history):
                at = ((g * neurons + n) * job.history + d) * lanes + b * LANES
                leave(found.past_spikes, at, _reaching_back(job.lists, leaving, room.adjoint, n, d - job.history))
    if len(found.past_x) > 0:
        for channel in range(job.channels):
            for d in range(job.past):
                at = ((g * job.channels + channel) * job.past + d) * lanes + b * LANES
                leave(found.past_x, at, _reaching_back(job.lists, leaving, room.adjoint, neurons + channel, d - job.past))


@compiled
def _reaching_back(lists, leaving, adjoint, source, k):
    """As `_reaching`, for a step k < 0: before the first one nothing came back."""
    found = splat(adjoint.dtype.type(0))
    for j in range(lists.ends[source], lists.ends[source + 1]):
        if k + leaving.delay[j] >= 0:
            found = fma(splat(leaving.weight[j]), load(adjoint, k * LANES + leaving.offset[j]), found)
    return found
