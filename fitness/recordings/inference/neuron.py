"""One neuron whose sources and own spikes are all known: how surprising its spikes are, and the gradient of that.

Between its spikes, which are given, the potential of a neuron is a smooth function of its weights, delays and time constants,
and so is the surprise (`circuits.simulation.teacher`, the same sum over steps). The gradient is exact: the steps are walked
back once with the adjoint of each state (backpropagation through time; no surrogate, since no spike depends on a value). A
delay between two steps brings a spike in parts in both.
"""

import numpy as np

from circuits.numerics.compiled import compiled
from circuits.numerics.exponential import exp
from circuits.numerics.simd import (
    LANES,
    add,
    add_where,
    div,
    fma,
    get,
    like,
    load,
    maximum,
    mul,
    select,
    splat,
    store,
    sub,
    total,
)

A, B_E, B_I, P_E, P_I, DRIVE, THRESHOLD, RESET = range(8)  # constants of a neuron
CONSTANTS = 8
STATES = 4  # kept of each step: V before and after its reset, I_e, I_i


@compiled
def surprise_of(trains, own, scored, history, weight, delay, part, inhibits, c, n_ref, per_width, kept, met, gradient):
    """The surprise of the spikes of column `own`, over all blocks.

    trains   uint64 [blocks, history + steps, sources]: words of 64 trials;   scored  uint64 [blocks, steps]: lanes that count
    weight   float32 [sources], signed, 0 is no synapse;   delay, part  int64 and float32 [sources]: whole steps, and a rest
    c        float32 [CONSTANTS];   n_ref  steps;   per_width  1 / width of the escape noise
    kept     float32 [steps * STATES * 64], met  float32 [sources * 2 * 64]: workspace
    gradient float64 [2 * sources + CONSTANTS]: what the gradient is added to, by weight, by delay in steps, by A to P_I, then
             by the threshold, and by the logarithm of the width; of length 0: none is wanted
    """
    blocks, rows, sources = trains.shape
    steps, found, wanted = rows - history, 0.0, len(gradient) > 0
    for block in range(blocks):
        flat = trains[block].reshape(-1)
        zero = like(load(met, 0), 0.0)
        v, e, i, surprise = zero, zero, zero, zero
        a, b_e, b_i, p_e, p_i = splat(get(c, A)), splat(get(c, B_E)), splat(get(c, B_I)), splat(get(c, P_E)), splat(get(c, P_I))
        drive, threshold, reset, slope = splat(get(c, DRIVE)), splat(get(c, THRESHOLD)), splat(get(c, RESET)), splat(per_width)
        recent = np.uint64(0)
        for step in range(steps):
            row, at = (history + step) * sources, step * STATES * LANES
            held = recent & ~get(flat, row - (n_ref + 1) * sources + own)
            v = fma(a, v, fma(b_e, e, fma(b_i, i, drive)))
            store(kept, at, v)
            fired = get(flat, row + own)
            x = mul(slope, sub(v, threshold))
            against = sub(zero, x)
            u = exp(sub(zero, maximum(x, against)))
            tail = div(mul(u, add(u, like(v, 6.0))), fma(u, like(v, 4.0), like(v, 6.0)))
            more = add(maximum(select(fired, against, x), zero), tail)
            surprise = select(scored[block, step] & (fired | ~held), add(surprise, more), surprise)
            recent = held | fired
            v = select(recent, reset, v)
            e, i = mul(p_e, e), mul(p_i, i)
            for s in range(sources):
                w, rest = weight[s], part[s]
                if w != 0:
                    first = get(flat, row - delay[s] * sources + s)
                    second = get(flat, row - (delay[s] + 1) * sources + s) if rest > 0 else np.uint64(0)
                    if inhibits[s]:
                        i = add_where(first, i, w * (np.float32(1) - rest))
                        i = add_where(second, i, w * rest)
                    else:
                        e = add_where(first, e, w * (np.float32(1) - rest))
                        e = add_where(second, e, w * rest)
            store(kept, at + LANES, v)
            store(kept, at + 2 * LANES, e)
            store(kept, at + 3 * LANES, i)
        found += total(surprise)
        if not wanted:
            continue
        for s in range(2 * sources):
            store(met, s * LANES, zero)
        to_v, to_e, to_i = zero, zero, zero  # adjoints of the states after this step
        by_a, by_b_e, by_b_i, by_p_e, by_p_i, by_threshold, by_slope = zero, zero, zero, zero, zero, zero, zero
        for back in range(steps):
            step = steps - 1 - back
            row, at = (history + step) * sources, step * STATES * LANES
            fired, held = get(flat, row + own), np.uint64(0)
            for k in range(1, n_ref + 1):
                held |= get(flat, row - k * sources + own)
            x = mul(slope, sub(load(kept, at), threshold))
            one = like(x, 1.0)
            g = sub(div(one, add(one, exp(sub(zero, x)))), select(fired, one, zero))
            g = select(scored[block, step] & (fired | ~held), g, zero)
            by_slope = fma(g, x, by_slope)
            g = mul(g, slope)
            by_threshold = sub(by_threshold, g)
            g = add(g, select(fired | held, zero, to_v))
            if step > 0:
                before = at - STATES * LANES
                e, i = load(kept, before + 2 * LANES), load(kept, before + 3 * LANES)
                by_a = fma(g, load(kept, before + LANES), by_a)
                by_b_e, by_b_i = fma(g, e, by_b_e), fma(g, i, by_b_i)
                by_p_e, by_p_i = fma(to_e, e, by_p_e), fma(to_i, i, by_p_i)
            for s in range(sources):
                if weight[s] != 0:
                    to = to_i if inhibits[s] else to_e
                    for late in range(2):
                        there, place = get(flat, row - (delay[s] + late) * sources + s), (2 * s + late) * LANES
                        sum_so_far = load(met, place)
                        store(met, place, select(there, add(sum_so_far, to), sum_so_far))
            to_v, to_e, to_i = mul(a, g), fma(p_e, to_e, mul(b_e, g)), fma(p_i, to_i, mul(b_i, g))
        for s in range(sources):
            if weight[s] != 0:
                first, second = total(load(met, 2 * s * LANES)), total(load(met, (2 * s + 1) * LANES))
                gradient[s] += (1 - part[s]) * first + part[s] * second
                gradient[sources + s] += weight[s] * (second - first)
        end = 2 * sources
        gradient[end + A] += total(by_a)
        gradient[end + B_E] += total(by_b_e)
        gradient[end + B_I] += total(by_b_i)
        gradient[end + P_E] += total(by_p_e)
        gradient[end + P_I] += total(by_p_i)
        gradient[end + 5] += total(by_threshold)
        gradient[end + 6] -= total(by_slope)
    return found
