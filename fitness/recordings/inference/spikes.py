"""Spikes of hidden neurons, drawn given those that were measured: a Gibbs and Metropolis sampler.

A hidden neuron's spikes are likely if its own potential says so, and if those of its targets, with them, say what was measured.
In every step some of the trials try another answer: a spike more or one less, or a spike some steps earlier or later. All
neurons that it touches are walked through the steps in which it matters, with it and without it, 64 trials at once, and it is
taken with the probability of Metropolis.
"""

import numpy as np

from circuits.numerics.compiled import compiler, jit
from circuits.numerics.exponential import exp
from circuits.numerics.simd import (
    LANES,
    add,
    add_where,
    at_least,
    div,
    fma,
    get,
    like,
    load,
    maximum,
    mul,
    put,
    select,
    splat,
    store,
    sub,
)  # fmt: skip
from fitness.recordings.inference import neuron
from fitness.recordings.inference.neuron import B_E, B_I, CONSTANTS, DRIVE, P_E, P_I, RESET, THRESHOLD, A

compiled = compiler(neuron)


@jit(inline="always")
def _advanced(
    flat, row, sources, channels, n, scored, weight, delay, part, inhibits, c, n_ref, per_width, state, at, noted, to
):
    """Neuron n's state, three vectors from `at` on, one step on, and its surprise noted: its spikes stand in the row."""
    v, e, i = load(state, at), load(state, at + LANES), load(state, at + 2 * LANES)
    zero, held, own = like(v, 0.0), np.uint64(0), channels + n
    for k in range(1, n_ref[n] + 1):
        held |= get(flat, row - k * sources + own)
    first = n * CONSTANTS
    drive = fma(splat(get(c, first + B_I)), i, splat(get(c, first + DRIVE)))
    v = fma(splat(get(c, first + A)), v, fma(splat(get(c, first + B_E)), e, drive))
    fired = get(flat, row + own)
    x = mul(splat(get(per_width, n)), sub(v, splat(get(c, first + THRESHOLD))))
    against = sub(zero, x)
    u = exp(sub(zero, maximum(x, against)))
    tail = div(mul(u, add(u, like(v, 6.0))), fma(u, like(v, 4.0), like(v, 6.0)))
    more = add(maximum(select(fired, against, x), zero), tail)
    so_far = load(noted, to)
    store(noted, to, select(scored & (fired | ~held), add(so_far, more), so_far))
    e, i = mul(splat(get(c, first + P_E)), e), mul(splat(get(c, first + P_I)), i)
    for s in range(sources):
        w, rest = weight[n, s], part[n, s]
        if w != 0:
            soon = get(flat, row - delay[n, s] * sources + s)
            late = get(flat, row - (delay[n, s] + 1) * sources + s) if rest > 0 else np.uint64(0)
            if inhibits[s]:
                i = add_where(soon, i, w * (np.float32(1) - rest))
                i = add_where(late, i, w * rest)
            else:
                e = add_where(soon, e, w * (np.float32(1) - rest))
                e = add_where(late, e, w * rest)
    store(state, at, select(fired | held, splat(get(c, first + RESET)), v))
    store(state, at + LANES, e)
    store(state, at + 2 * LANES, i)


@compiled
def sweep(
    trains, scored, history, h, weight, delay, part, inhibits, c, n_ref, per_width, tried, drawn, horizon, state, ahead, noted
):  # fmt: skip
    """Draw the spikes of neuron h anew, in place, step by step.

    trains   uint64 [blocks, history + steps, channels + neurons];   scored  uint64 [neurons, blocks, steps]
    weight, delay, part  [neurons, channels + neurons], c  float32 [neurons * CONSTANTS], n_ref, per_width  [neurons]: see
             `neuron.surprise_of`;   inhibits  bool [channels + neurons]
    tried    int64 [blocks, steps]: what is tried there: 0 another answer, k > 0 to exchange those of this step and of the k-th
             after it, -1 nothing;   drawn  float32 [blocks * steps * 64]: logarithms of uniform numbers
    horizon  steps after a spike in which it matters
    state, ahead  float32 [neurons * 3 * 64], noted  float32 [2 * neurons * 64]: workspace
    """
    blocks, rows, sources = trains.shape
    neurons, steps = len(n_ref), rows - history
    channels = sources - neurons
    own = channels + h
    touched, count = np.empty(neurons, np.int64), 0
    for n in range(neurons):
        if n == h or weight[n, own] != 0:
            touched[count] = n
            count += 1
    for block in range(blocks):
        flat = trains[block].reshape(-1)
        zero = like(load(noted, 0), 0.0)
        for k in range(3 * neurons):
            store(state, k * LANES, zero)
        for step in range(steps):
            row, k = (history + step) * sources, tried[block, step]
            if k >= 0 and step + k < steps:
                other = row + k * sources
                mine, theirs = get(flat, row + own), get(flat, other + own)
                change = mine ^ theirs
                if k == 0:  # no spike is added where another one leaves no room for it
                    near = np.uint64(0)
                    for j in range(1, n_ref[h] + 1):
                        near |= get(flat, row - j * sources + own)
                        if step + j < steps:
                            near |= get(flat, row + j * sources + own)
                    change = mine | ~near
                if change:
                    for world in range(2):
                        if world == 1:
                            put(flat, row + own, mine ^ change)
                            if k > 0:
                                put(flat, other + own, theirs ^ change)
                        for q in range(count):
                            store(noted, (world * neurons + q) * LANES, zero)
                            for x in range(3):
                                store(ahead, (3 * q + x) * LANES, load(state, (3 * touched[q] + x) * LANES))
                        for later in range(step, min(steps, step + k + horizon)):
                            for q in range(count):
                                n = touched[q]
                                _advanced(
                                    flat, (history + later) * sources, sources, channels, n, scored[n, block, later], weight,
                                    delay, part, inhibits, c, n_ref, per_width, ahead, 3 * q * LANES, noted,
                                    (world * neurons + q) * LANES,
                                )  # fmt: skip
                    gain = zero
                    for q in range(count):
                        gain = add(gain, sub(load(noted, q * LANES), load(noted, (neurons + q) * LANES)))
                    taken = change & at_least(gain, load(drawn, (block * steps + step) * LANES))
                    put(flat, row + own, mine ^ taken)
                    if k > 0:
                        put(flat, other + own, theirs ^ taken)
            for q in range(count):
                n = touched[q]
                _advanced(
                    flat, row, sources, channels, n, np.uint64(0), weight, delay, part, inhibits, c, n_ref, per_width, state,
                    3 * n * LANES, noted, 0,
                )  # fmt: skip
