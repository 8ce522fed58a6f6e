"""The backward kernel: the exact gradient of the forward pass, with the surrogate derivative of the spike.

With a[X] for the gradient of the loss with respect to X after step t, and a' after step t + 1, a step backwards is

    a[I_x] = P21_x a'[U] + P11_x a'[I_x]                 U: the potential that is compared with the threshold in step t + 1
    a[S]   = external gradient + sum over outgoing synapses of weight * a[I_x of the target, delay steps later]
    a[U]   = P22 a'[U] + a[S] psi(U - threshold)         psi: the surrogate derivative; without the first term where the
                                                         neuron fires, since a reset has no slope; 0 where it is refractory

and the gradient of a synapse's weight is the sum of a[I_x] over the steps and lanes in which its spikes arrive. What
neurons that adapt add is in `adaptation`. Potentials of the forward pass are not stored: each chunk of steps is recomputed from
the state at its start, in `Job.marks`.

`Credit` has deviations from the exact gradient: dampening of the surrogate derivative; a[U] clipped to `clip` times the largest
external gradient of a spike of the circuit in the lane, in this or a later step; no sum over outgoing synapses.
"""

from typing import Any, NamedTuple

import numpy as np

from circuits.neurons.lif_psc_exp import P21_E, P21_I, P22
from circuits.neurons.model import P11_E, P11_I
from circuits.numerics.compiled import compiler, jit
from circuits.numerics.simd import (
    LANES,
    add,
    at_least,
    fma,
    get,
    load,
    load_unaligned,
    maximum,
    mul,
    select,
    splat,
    store,
    store_unaligned,
    sub,
    total,
)
from circuits.torch import surrogate
from circuits.torch.fused import adaptation, forward, job
from circuits.torch.fused.adaptation import LINEAR, adapt, of_spike
from circuits.torch.fused.forward import Record, advance, wired
from circuits.torch.surrogate import surrogate_derivative

compiled = compiler(forward, job, adaptation, surrogate)


class IncomingGradients(NamedTuple):
    """Incoming gradients, real: of the spikes read, with strides for [G, slots, T]; of the last steps' spikes
    [G, neurons, tail, B] and of the final state [states, G, neurons, B], or empty."""

    read: np.ndarray
    strides: tuple[int, int, int]
    tail: np.ndarray
    final: np.ndarray


class Credit(NamedTuple):
    """Options of the backward pass. dampening  real, 1 for none;   clip  real, 1/mV, infinity for none

    local  0, or 1: no gradients pass from neurons to their presynaptic neurons"""

    dampening: Any
    clip: Any
    local: int


class OutgoingGradients(NamedTuple):
    """Outgoing gradients; those that are not needed are empty.

    x, past_x, start  real, flat, as in `Job`, x with T contiguous;   past_spikes  real, flat [G, neurons, history, B]
    weight  float64 [G, blocks, slots];   table  float64 [G, blocks, neurons, `adaptation.SUMMED`]
    """

    x: np.ndarray
    past_x: np.ndarray
    past_spikes: np.ndarray
    start: np.ndarray
    weight: np.ndarray
    table: np.ndarray


class Workspace(NamedTuple):
    """Workspace of a thread.

    record   `Record`, of a chunk;   state  real [neurons * states * 64];   bound  real [64], of a[U]
    adjoint  real [neurons * 2 * (1 + chunk + history) * 64]: a[I_e] and a[I_i] of each neuron, row k + 1 for step k of a chunk
    u        real [neurons * 64]: P22 a'[U], after the last step the gradient of V
    further  real [neurons * (states - 3) * 64]: the gradient of the states beyond V, I_e, I_i
    sums     real [neurons * `adaptation.SUMMED` * 64], or empty without a gradient of the table
    held     uint64 [chunk * neurons]
    """

    record: Record
    state: np.ndarray
    bound: np.ndarray
    adjoint: np.ndarray
    u: np.ndarray
    further: np.ndarray
    sums: np.ndarray
    held: np.ndarray


class Outgoing(NamedTuple):
    """Outgoing synapses by source, in the order of `Lists.outgoing`: weight real, signed; offset int64, from a step's row in
    `Workspace.adjoint` to the gradient of the synapse's current at arrival; delay int64."""

    weight: np.ndarray
    offset: np.ndarray
    delay: np.ndarray


@compiled
def run_backward(job, kind, credit, incoming, gradients, workspace, first, last):
    """Process the items `first` to `last`, as in the forward pass; kind: of the surrogate."""
    lists, blocks = job.lists, job.blocks
    neurons, lanes, chunks, states = len(lists.n_ref), blocks * LANES, job.held.shape[2], job.model.states
    columns = gradients.table.shape[3]
    zero = splat(job.x.dtype.type(0))
    rows = 1 + job.chunk + job.history
    for item in range(first, last):
        g, b = item // blocks, item % blocks
        synapses = wired(job, g, b)
        outgoing = _outgoing(job, synapses)
        hold, summed = np.empty(neurons, np.uint64), np.zeros(len(lists.slot))
        for k in range(neurons * 2 * rows):
            store(workspace.adjoint, k * LANES, zero)
        for k in range(len(workspace.sums) // LANES):
            store(workspace.sums, k * LANES, zero)
        row = job.steps - (chunks - 1) * job.chunk
        store(workspace.bound, 0, zero)
        for n in range(neurons):
            store(workspace.u, n * LANES, zero)
            if len(incoming.final) > 0:
                at, distance = (g * neurons + n) * lanes + b * LANES, job.groups * neurons * lanes
                store(workspace.u, n * LANES, load_unaligned(incoming.final, at))
                _raise_bound(workspace.bound, load_unaligned(incoming.final, at))
                store(workspace.adjoint, (n * 2 * rows + row) * LANES, load_unaligned(incoming.final, at + distance))
                store(workspace.adjoint, ((n * 2 + 1) * rows + row) * LANES, load_unaligned(incoming.final, at + 2 * distance))
                _raise_bound(workspace.bound, load_unaligned(incoming.final, at + distance))
                _raise_bound(workspace.bound, load_unaligned(incoming.final, at + 2 * distance))
            for s in range(3, states):
                vector = zero
                if len(incoming.final) > 0:
                    vector = load_unaligned(incoming.final, ((s * job.groups + g) * neurons + n) * lanes + b * LANES)
                store(workspace.further, (n * (states - 3) + s - 3) * LANES, vector)
        for c in range(chunks - 1, -1, -1):
            begin, end = c * job.chunk, min(job.steps, (c + 1) * job.chunk)
            for k in range(neurons * states):
                store(workspace.state, k * LANES, load(job.marks, ((item * chunks + c) * neurons * states + k) * LANES))
            for n in range(neurons):
                hold[n] = job.held[g, b, c, n]
            advance(job, g, b, synapses, workspace.state, hold, workspace.held, begin, end, workspace.record)
            _steps(job, kind, credit, incoming, workspace, g, b, outgoing, begin, end)
            _sum_weights(job, workspace, g, b, synapses, begin, end, summed)
            if len(gradients.x) > 0:
                _of_inputs(job, gradients.x, workspace.adjoint, g, b, outgoing, begin, end)
            for k in range(neurons * 2 if c > 0 else 0):
                for d in range(job.history, -1, -1):
                    store(
                        workspace.adjoint, (k * rows + job.chunk + d) * LANES, load(workspace.adjoint, (k * rows + d) * LANES)
                    )
        _before(job, gradients, workspace, g, b, outgoing)
        for s in range(len(lists.slot)):
            gradients.weight[g, b, lists.slot[s]] = summed[s]
        for q in range(len(workspace.sums) // LANES):
            gradients.table[g, b, q // columns, q % columns] = total(load(workspace.sums, q * LANES))


@compiled
def _outgoing(job, synapses):
    lists, rows = job.lists, 1 + job.chunk + job.history
    outgoing = Outgoing(np.empty_like(synapses.weight), np.empty_like(synapses.delay), np.empty_like(synapses.delay))
    for j in range(len(lists.outgoing)):
        s = lists.outgoing[j]
        outgoing.weight[j], outgoing.delay[j] = synapses.weight[s], synapses.delay[s]
        outgoing.offset[j] = ((lists.target[s] * 2 + lists.inhibits[s]) * rows + 1 + synapses.delay[s]) * LANES
    return outgoing


@compiled
def _steps(job, kind, credit, incoming, workspace, g, b, outgoing, begin, end):
    """The steps of a chunk backwards, from `end` to `begin`.

    One function for all of them, with a name for each array: to call a function with the whole job in each step, or to take an
    array out of it there, counts references by locked instructions, which took a tenth of the time of training.
    """
    neurons, lanes, zero = len(job.lists.n_ref), job.blocks * LANES, splat(job.x.dtype.type(0))
    model, chunk, states, history, steps = job.model, job.chunk, job.model.states, job.history, job.steps
    table, column, ends, held = job.table[min(g, job.table.shape[0] - 1)], job.column, job.lists.ends, workspace.held
    raster, weight, offset = job.raster[g, b].reshape(-1), outgoing.weight, outgoing.offset
    distance, start, bound = workspace.record.distance, workspace.record.start, workspace.bound
    adjoint, ahead, further, sums = workspace.adjoint, workspace.u, workspace.further, workspace.sums
    read, last, (per_group, per_slot, per_step) = incoming.read, incoming.tail, incoming.strides
    rows, columns, tail = 1 + chunk + history, len(sums) // (neurons * LANES), len(last) // max(1, job.groups * neurons * lanes)
    dampening, clip, bounded = credit.dampening, credit.clip, credit.clip < np.inf
    for t in range(end - 1, begin - 1, -1):
        k, of_step, of_tail = t - begin, g * per_group + t * per_step + b * LANES, t - steps + tail
        for n in range(neurons if bounded else 0):
            spike = zero
            if column[n] >= 0:
                spike = add(spike, load_unaligned(read, of_step + column[n] * per_slot))
            if of_tail >= 0:
                spike = add(spike, load_unaligned(last, ((g * neurons + n) * tail + of_tail) * lanes + b * LANES))
            _raise_bound(bound, mul(splat(clip), spike))
        for n in range(neurons):
            fired, refractory = get(raster, (history + t) * neurons + n), get(held, k * neurons + n)
            spike = zero if credit.local else _from_targets(ends, weight, offset, adjoint, n, k)
            if column[n] >= 0:
                spike = add(spike, load_unaligned(read, of_step + column[n] * per_slot))
            if of_tail >= 0:
                spike = add(spike, load_unaligned(last, ((g * neurons + n) * tail + of_tail) * lanes + b * LANES))
            spike = of_spike(model, table, n, further, spike)
            psi = mul(splat(dampening), surrogate_derivative(kind, load(distance, (n * chunk + k) * LANES)))
            spike_gradient = select(refractory, zero, mul(spike, psi))
            u = add(select(fired | refractory, zero, load(ahead, n * LANES)), spike_gradient)
            if bounded:
                u = _clipped(u, load(bound, 0))
            at = (n * 2 * rows + k + 1) * LANES
            a_e, a_i = load(adjoint, at), load(adjoint, at + rows * LANES)
            store(ahead, n * LANES, mul(splat(table[n, P22]), u))
            store(adjoint, at - LANES, fma(splat(table[n, P21_E]), u, mul(splat(table[n, P11_E]), a_e)))
            store(adjoint, at + (rows - 1) * LANES, fma(splat(table[n, P21_I]), u, mul(splat(table[n, P11_I]), a_i)))
            if columns > 0:
                at = n * columns * LANES
                store(sums, at, add(load(sums, at), u))
                store(sums, at + LANES, sub(load(sums, at + LANES), spike_gradient))
            old = (n * chunk + k) * states * LANES
            adapt(model, table, n, further, u, spike_gradient, fired, start, old, sums, (n * columns + LINEAR) * LANES)
            if len(start) > 0:
                at = (n * columns + 2) * LANES
                v, i_e, i_i = load(start, old), load(start, old + LANES), load(start, old + 2 * LANES)
                store(sums, at, fma(u, v, load(sums, at)))
                store(sums, at + LANES, fma(u, i_e, load(sums, at + LANES)))
                store(sums, at + 2 * LANES, fma(u, i_i, load(sums, at + 2 * LANES)))
                store(sums, at + 3 * LANES, fma(a_e, i_e, load(sums, at + 3 * LANES)))
                store(sums, at + 4 * LANES, fma(a_i, i_i, load(sums, at + 4 * LANES)))


@jit(inline="always")
def _raise_bound(bound, value):
    """Raise the bound [64] to at least the magnitude of the value."""
    store(bound, 0, maximum(load(bound, 0), maximum(value, sub(splat(bound.dtype.type(0)), value))))


@jit(inline="always")
def _clipped(value, bound):
    """The value clipped to -bound to bound; NaN stays."""
    below = sub(sub(bound, bound), bound)
    value = select(at_least(value, bound), bound, value)
    return select(at_least(below, value), below, value)


@jit(inline="always")
def _from_targets(ends, weight, offset, adjoint, source, k):
    """The gradient of a source's spike in step k through its outgoing synapses, as in `Lists` and `Outgoing`."""
    gradient = splat(adjoint.dtype.type(0))
    for j in range(ends[source], ends[source + 1]):
        gradient = fma(splat(get(weight, j)), load(adjoint, k * LANES + get(offset, j)), gradient)
    return gradient


@compiled
def _sum_weights(job, workspace, g, b, synapses, begin, end, summed):
    """Add the gradients of weights in the steps `begin` to `end` to `summed`, float64 [synapses]."""
    neurons, rows, lanes = len(job.lists.n_ref), 1 + job.chunk + job.history, job.blocks * LANES
    bounds, source, inhibits = job.lists.bounds, job.lists.source, job.lists.inhibits
    delay, offset = synapses.delay, synapses.offset
    raster, x, past_x, adjoint = job.raster[g, b].reshape(-1), job.x, job.past_x, workspace.adjoint
    channels, past, history, per_step, zero = job.channels, job.past, job.history, job.x_strides[2], splat(job.x.dtype.type(0))
    for n in range(neurons):
        for s in range(bounds[n, 0], bounds[n, 1]):
            at = n * 2 * rows + 1 - begin
            gradient = zero
            for t in range(max(begin, delay[s] - past), min(end, delay[s])):
                old = ((g * channels + source[s]) * past + past + t - delay[s]) * lanes + b * LANES
                gradient = fma(load_unaligned(past_x, old), load(adjoint, (at + t) * LANES), gradient)
            for t in range(max(begin, delay[s]), end):
                gradient = fma(load_unaligned(x, offset[s] + t * per_step), load(adjoint, (at + t) * LANES), gradient)
            summed[s] += total(gradient)
        for s in range(bounds[n, 1], bounds[n, 3]):
            at = (n * 2 + inhibits[s]) * rows + 1 - begin
            gradient = zero
            for t in range(begin, end):
                arrival = load(adjoint, (at + t) * LANES)
                gradient = select(get(raster, (history + t) * neurons + offset[s]), add(gradient, arrival), gradient)
            summed[s] += total(gradient)


@compiled
def _of_inputs(job, gradient, adjoint, g, b, outgoing, begin, end):
    """The gradient of the input in the steps `begin` to `end`."""
    neurons, channels, steps, lanes = len(job.lists.n_ref), job.channels, job.steps, job.blocks * LANES
    ends, weight, offset = job.lists.ends, outgoing.weight, outgoing.offset
    for channel in range(channels):
        for t in range(begin, end):
            at = ((g * channels + channel) * steps + t) * lanes + b * LANES
            store_unaligned(gradient, at, _from_targets(ends, weight, offset, adjoint, neurons + channel, t - begin))


@compiled
def _before(job, gradients, workspace, g, b, outgoing):
    """Gradients of the state, input and spikes before the first step."""
    neurons, lanes, rows = len(job.lists.n_ref), job.blocks * LANES, 1 + job.chunk + job.history
    states = job.model.states
    if len(gradients.start) > 0:
        for n in range(neurons):
            at, distance = (g * neurons + n) * lanes + b * LANES, job.groups * neurons * lanes
            store_unaligned(gradients.start, at, load(workspace.u, n * LANES))
            store_unaligned(gradients.start, at + distance, load(workspace.adjoint, n * 2 * rows * LANES))
            store_unaligned(gradients.start, at + 2 * distance, load(workspace.adjoint, (n * 2 + 1) * rows * LANES))
            for s in range(3, states):
                store_unaligned(gradients.start, at + s * distance, load(workspace.further, (n * (states - 3) + s - 3) * LANES))
    if len(gradients.past_spikes) > 0:
        for n in range(neurons):
            for d in range(job.history):
                at = ((g * neurons + n) * job.history + d) * lanes + b * LANES
                store_unaligned(
                    gradients.past_spikes, at, _from_before(job.lists, outgoing, workspace.adjoint, n, d - job.history)
                )
    if len(gradients.past_x) > 0:
        for channel in range(job.channels):
            for d in range(job.past):
                at = ((g * job.channels + channel) * job.past + d) * lanes + b * LANES
                store_unaligned(
                    gradients.past_x, at, _from_before(job.lists, outgoing, workspace.adjoint, neurons + channel, d - job.past)
                )


@compiled
def _from_before(lists, outgoing, adjoint, source, k):
    """As `_from_targets`, for a step k < 0 before the run: only of spikes that arrive within it."""
    gradient = splat(adjoint.dtype.type(0))
    for j in range(lists.ends[source], lists.ends[source + 1]):
        if k + outgoing.delay[j] >= 0:
            gradient = fma(splat(outgoing.weight[j]), load(adjoint, k * LANES + outgoing.offset[j]), gradient)
    return gradient
