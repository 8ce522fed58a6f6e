"""The forward kernel: groups of neurons through time, 64 lanes of the batch at once, in the order and with the bits of
`circuits.simulation.kernel`, but with real input. For the backward pass it stores spikes as bits, and the state at
intervals."""

from typing import NamedTuple

import numpy as np

from circuits.neurons.model import P11_E, P11_I, integrate, reset
from circuits.numerics.compiled import compiler
from circuits.numerics.simd import (
    LANES,
    add_where,
    at_least,
    fma,
    get,
    load,
    load_unaligned,
    mul,
    put,
    select,
    splat,
    store,
    store_unaligned,
    sub,
)
from circuits.simulation.raster import _trailing_zeros
from circuits.torch.fused import job as job_module

compiled = compiler(job_module)


class Record(NamedTuple):
    """Values of a chunk for the backward pass, real, flat.

    distance  [neurons, chunk, 64]: V before the reset less the threshold
    start     [neurons, chunk, states, 64]: the state at the start of each step, or empty
    """

    distance: np.ndarray
    start: np.ndarray


class Outputs(NamedTuple):
    """Results of a run.

    tail        real, flat [G, neurons, tail, B]: spikes of all neurons in the last steps
    final       real, flat [states, G, neurons, B]: the final state
    refractory  int32, flat [G, neurons, B]: remaining refractory steps
    """

    tail: np.ndarray
    final: np.ndarray
    refractory: np.ndarray


@compiled
def run_forward(job, outputs, state, first, last):
    """Process the items `first` to `last`; item i is block i % blocks of group i // blocks. state: real [neurons *
    states * 64]."""
    for item in range(first, last):
        g, b = item // job.blocks, item % job.blocks
        neurons, lanes, states = len(job.lists.n_ref), job.blocks * LANES, job.model.states
        zero, one = splat(job.x.dtype.type(0)), splat(job.x.dtype.type(1))
        hold = np.zeros(neurons, np.uint64)
        releases = job.expiry[min(g, job.expiry.shape[0] - 1), b]
        for n in range(neurons):
            for s in range(states):
                vector = zero
                if len(job.start) > 0:
                    vector = load_unaligned(job.start, ((s * job.groups + g) * neurons + n) * lanes + b * LANES)
                store(state, (n * states + s) * LANES, vector)
            for r in range(1, len(releases)):
                hold[n] |= releases[r, n]
        synapses = wired(job, g, b)
        for c in range(job.held.shape[2]):
            for k in range(neurons * states):
                store(
                    job.marks,
                    (((g * job.blocks + b) * job.held.shape[2] + c) * neurons * states + k) * LANES,
                    load(state, k * LANES),
                )
            for n in range(neurons):
                job.held[g, b, c, n] = hold[n]
            advance(job, g, b, synapses, state, hold, hold, c * job.chunk, min(job.steps, (c + 1) * job.chunk), None)
        flat = job.raster[g, b].reshape(-1)
        tail = len(outputs.tail) // max(1, job.groups * neurons * lanes)
        for t in range(job.steps - tail, job.steps):
            for n in range(neurons):
                at = ((g * neurons + n) * tail + t - job.steps + tail) * lanes + b * LANES
                store_unaligned(outputs.tail, at, select(get(flat, (job.history + t) * neurons + n), one, zero))
        for n in range(neurons):
            for s in range(states):
                at = ((s * job.groups + g) * neurons + n) * lanes + b * LANES
                store_unaligned(outputs.final, at, load(state, (n * states + s) * LANES))
            at = (g * neurons + n) * lanes + b * LANES
            for r in range(job.steps + 1, len(releases)):
                _count_down(outputs.refractory, at, releases[r, n], r - job.steps)
            for age in range(min(job.lists.n_ref[n], job.steps) - 1, -1, -1):
                fired = get(flat, (job.history + job.steps - 1 - age) * neurons + n)
                _count_down(outputs.refractory, at, fired, job.lists.n_ref[n] - age)


@compiled
def unpack(job, read, words, first, last):
    """Unpack the spikes of the neurons read in the steps `first` to `last`, in the order of memory. read: real [T, batch,
    G * slots];   words: uint64 [G * slots]."""
    raster, neurons, slots, width, batch = job.raster, job.read, len(job.read), len(words), read.shape[1]
    for t in range(first, last):
        for lane in range(batch):
            if lane % LANES == 0:
                for k in range(width):
                    words[k] = raster[k // slots, lane // LANES, job.history + t, neurons[k % slots]]
            row, bit = read[t, lane], np.uint64(lane % LANES)
            for k in range(width):
                row[k] = (words[k] >> bit) & np.uint64(1)


@compiled
def _count_down(refractory, at, lanes, steps):
    while lanes:
        refractory[at + _trailing_zeros(lanes)] = steps
        lanes &= lanes - np.uint64(1)


class Wired(NamedTuple):
    """A group's synapses in one block, arrays [synapses] in the order of the lists.

    weight  real, signed;   delay  int64
    offset  int64: from the first element of a step to the arrival in this step, in `Job.x` for synapses from inputs, else in
            the raster
    """

    weight: np.ndarray
    delay: np.ndarray
    offset: np.ndarray


@compiled
def wired(job, g, b):
    """The synapses of group g in block b."""
    lists, neurons = job.lists, len(job.lists.n_ref)
    per_group, per_channel, per_step = job.x_strides
    weights, delays = min(g, job.weight.shape[0] - 1), min(g, job.delay.shape[0] - 1)
    synapses = Wired(np.empty(len(lists.slot), job.weight.dtype), np.empty_like(lists.slot), np.empty_like(lists.slot))
    for s in range(len(lists.slot)):
        synapses.weight[s] = job.weight[weights, lists.slot[s]]
        synapses.delay[s] = job.delay[delays, lists.slot[s]]
        synapses.offset[s] = lists.source[s] - synapses.delay[s] * neurons
    for n in range(neurons):
        for s in range(lists.bounds[n, 0], lists.bounds[n, 1]):
            synapses.offset[s] = g * per_group + lists.source[s] * per_channel - synapses.delay[s] * per_step + b * LANES
    return synapses


@compiled
def advance(job, g, b, synapses, state, hold, held, first, last, record):
    """Advance block b of group g, with its state and hold, through the steps `first` to `last`. With a record, held, uint64
    [steps * neurons], gets the lanes refractory in each step."""
    lists, w, offset, delay = job.lists, synapses.weight, synapses.offset, synapses.delay
    neurons, lanes, states = len(lists.n_ref), job.blocks * LANES, job.model.states
    table = job.table[min(g, job.table.shape[0] - 1)]
    releases = job.expiry[min(g, job.expiry.shape[0] - 1), b]
    flat, bounds, per_step = job.raster[g, b].reshape(-1), lists.bounds, job.x_strides[2]
    for t in range(first, last):
        row = (job.history + t) * neurons
        for n in range(neurons):
            place = n * states * LANES
            v, i_e, i_i = load(state, place), load(state, place + LANES), load(state, place + 2 * LANES)
            refractory = hold[n]
            if t > lists.n_ref[n]:
                refractory &= ~get(flat, row + n - (lists.n_ref[n] + 1) * neurons)
            if t < len(releases):
                refractory &= ~releases[t, n]
            if record is not None and len(record.start) > 0:
                for s in range(states):
                    at = ((n * job.chunk + t - first) * states + s) * LANES
                    store(record.start, at, load(state, place + s * LANES))

            v, threshold = integrate(job.model, table, n, state, place, v, i_e, i_i, refractory)
            fired = at_least(v, threshold) & ~refractory
            if record is not None:
                store(record.distance, (n * job.chunk + t - first) * LANES, sub(v, threshold))
                put(held, (t - first) * neurons + n, refractory)
            v = reset(job.model, table, n, state, place, v, fired, refractory)

            i_e, i_i = mul(splat(table[n, P11_E]), i_e), mul(splat(table[n, P11_I]), i_i)
            for s in range(bounds[n, 0], bounds[n, 1]):
                since = t - get(delay, s)
                if since >= 0:
                    i_e = fma(splat(get(w, s)), load_unaligned(job.x, t * per_step + get(offset, s)), i_e)
                elif since >= -job.past:
                    at = ((g * job.channels + lists.source[s]) * job.past + job.past + since) * lanes + b * LANES
                    i_e = fma(splat(get(w, s)), load_unaligned(job.past_x, at), i_e)
            for s in range(bounds[n, 1], bounds[n, 2]):
                i_e = add_where(get(flat, row + get(offset, s)), i_e, get(w, s))
            for s in range(bounds[n, 2], bounds[n, 3]):
                i_i = add_where(get(flat, row + get(offset, s)), i_i, get(w, s))

            store(state, place, v)
            store(state, place + LANES, i_e)
            store(state, place + 2 * LANES, i_i)
            hold[n] = refractory | fired
            put(flat, row + n, fired)
