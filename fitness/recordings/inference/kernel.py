"""Surprise of the measured spikes to a network in which measured neurons fire as they were measured, and its gradient.

Each neuron is that of the simulator (`circuits.neurons.lif_psc_exp`), in steps: V <- A V + B_e I_e + B_i I_i + drive, then its
spikes, the reset, and I <- P I + weights of the spikes that arrive. A delay or a refractory period between two steps counts in
parts for both.

- A measured neuron is reset by its measured spikes. They are as surprising as escape noise says: it fires with the probability
  1 / (1 + exp((threshold - V) / width)) in a step (`circuits.simulation.teacher`, the same sum over steps).
- A hidden neuron fires by itself, by the same escape noise, and in place of a spike stands its probability: of what is not
  refractory that share p fires, and the rest goes on; V is the mean potential of what is not refractory, those that were
  released among it (a population with refractoriness, closed after the mean: Gerstner and Kistler, Spiking Neuron Models,
  2002). For a width that goes to 0 all is 0 or 1, and the neuron is that of the simulator.

So no step is a jump, and the gradient is exact also through hidden spikes: the steps are walked back with the adjoint of each
state (backpropagation through time, without a surrogate derivative).
"""

import numpy as np

from circuits.numerics.compiled import compiled, jit
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
    select,
    splat,
    store,
    sub,
    total,
)

A, B_E, B_I, P_E, P_I, DRIVE, THRESHOLD, RESET = range(8)  # constants of a neuron
CONSTANTS = 8
BY_WIDTH, BY_N_REF = 6, 7  # columns of the gradient, after those by A to P_I and by the threshold, which is not needed
V, BEGAN, I_E, I_I, FREE, P = range(6)  # kept of each step: V before the reset, V with which it began, what is free, and p
STATES = 6  # of each neuron while walking: V, I_e, I_i, or the adjoints of these, then
SURPRISE, SUM = 3, 5  # the surprise so far, and the sum of the adjoints of what is free over the refractory steps
AHEAD = 3  # adjoints that are kept for earlier steps
EPS = np.float32(1e-4)  # of a neuron: where less is free, its mean potential does not matter


@jit(inline="always")
def _forward(
    flat, known, scored, history, weight, delay, part, inhibits, c, n_ref, part_ref, per_width, kept, fires, state, found
):  # fmt: skip
    """Forward pass over all steps of a block: store the variables of the backward pass, and add the surprise."""
    neurons, sources = weight.shape
    steps, measured = len(scored), known - sources + neurons
    channels, column = sources - neurons, (history + steps) * LANES
    zero = like(load(state, 0), 0.0)
    one = like(zero, 1.0)
    for n in range(neurons):
        for k in range(STATES):
            store(state, (STATES * n + k) * LANES, one if k == FREE else zero)
    for h in range(neurons - measured):
        for t in range(history):
            store(fires, h * column + t * LANES, zero)
    for step in range(steps):
        row = (history + step) * known
        for n in range(neurons):
            first, own, st = n * CONSTANTS, channels + n, STATES * n * LANES
            at = (step * neurons + n) * STATES * LANES
            began, e, i = load(state, st), load(state, st + LANES), load(state, st + 2 * LANES)
            drive = fma(splat(get(c, first + B_I)), i, splat(get(c, first + DRIVE)))
            v = fma(splat(get(c, first + A)), began, fma(splat(get(c, first + B_E)), e, drive))
            x = mul(splat(get(per_width, n)), sub(v, splat(get(c, first + THRESHOLD))))
            store(kept, at + V * LANES, v)
            store(kept, at + BEGAN * LANES, began)
            store(kept, at + I_E * LANES, e)
            store(kept, at + I_I * LANES, i)
            if n < measured:
                fired, held = get(flat, row + own), np.uint64(0)
                for k in range(1, n_ref[n] + 1):
                    held |= get(flat, row - k * known + own)
                against = sub(zero, x)
                u = exp(sub(zero, maximum(x, against)))
                tail = div(mul(u, add(u, like(v, 6.0))), fma(u, like(v, 4.0), like(v, 6.0)))
                more = add(maximum(select(fired, against, x), zero), tail)
                so_far = load(state, st + SURPRISE * LANES)
                store(state, st + SURPRISE * LANES, select(scored[step] & (fired | ~held), add(so_far, more), so_far))
                reset = splat(get(c, first + RESET))
                last = get(flat, row - (n_ref[n] + 1) * known + own)
                v = select(last, fma(splat(get(part_ref, n)), sub(reset, v), v), v)
                store(state, st, select(fired | held, reset, v))
            else:
                to = (n - measured) * column + (history + step) * LANES
                free, p = load(state, st + FREE * LANES), div(one, add(one, exp(sub(zero, x))))
                now = mul(p, free)
                store(fires, to, now)
                store(kept, at + FREE * LANES, free)
                store(kept, at + P * LANES, p)
                left = sub(free, now)
                soon, late = load(fires, to - n_ref[n] * LANES), load(fires, to - (n_ref[n] + 1) * LANES)
                free = add(left, fma(splat(get(part_ref, n)), sub(late, soon), soon))
                store(state, st + FREE * LANES, free)
                store(state, st, div(mul(left, v), maximum(free, splat(EPS))))
        for n in range(neurons):
            first, st = n * CONSTANTS, STATES * n * LANES
            e = mul(splat(get(c, first + P_E)), load(state, st + LANES))
            i = mul(splat(get(c, first + P_I)), load(state, st + 2 * LANES))
            for s in range(sources):
                w, rest = weight[n, s], part[n, s]
                if w != 0 and s < known:
                    came = i if inhibits[s] else e
                    came = add_where(get(flat, row - delay[n, s] * known + s), came, w * (np.float32(1) - rest))
                    if rest > 0:
                        came = add_where(get(flat, row - (delay[n, s] + 1) * known + s), came, w * rest)
                    if inhibits[s]:
                        i = came
                    else:
                        e = came
                elif w != 0:
                    place = (s - known) * column + (history + step - delay[n, s]) * LANES
                    late = mul(splat(w * rest), load(fires, place - LANES))
                    more = fma(splat(w * (np.float32(1) - rest)), load(fires, place), late)
                    if inhibits[s]:
                        i = add(i, more)
                    else:
                        e = add(e, more)
            store(state, st + LANES, e)
            store(state, st + 2 * LANES, i)
    for n in range(measured):
        found[n] += total(load(state, (STATES * n + SURPRISE) * LANES))


@jit(inline="always")
def _backward(
    flat, known, scored, history, weight, delay, part, inhibits, c, n_ref, part_ref, per_width, kept, ahead, met, fires,
    state,
):  # fmt: skip
    """Backward pass over all steps with the adjoints; sums the gradient of each value in `met`. Kept in `ahead` are the
    adjoints of I_e and I_i after each step, and of the potential before it where the neuron is not refractory."""
    neurons, sources = weight.shape
    steps, measured = len(scored), known - sources + neurons
    channels, column, columns = sources - neurons, (history + steps) * LANES, 2 * sources + CONSTANTS
    zero = like(load(state, 0), 0.0)
    one = like(zero, 1.0)
    for k in range(neurons * STATES):
        store(state, k * LANES, zero)
    for k in range(neurons * columns):
        store(met, k * LANES, zero)
    for back in range(steps):
        step = steps - 1 - back
        row = (history + step) * known
        for n in range(neurons):
            at = (step * neurons + n) * AHEAD * LANES
            store(ahead, at, load(state, (STATES * n + 1) * LANES))
            store(ahead, at + LANES, load(state, (STATES * n + 2) * LANES))
        for n in range(neurons):
            first, own, st = n * CONSTANTS, channels + n, STATES * n * LANES
            at, by = (step * neurons + n) * STATES * LANES, (n * columns + 2 * sources) * LANES
            v, slope = load(kept, at + V * LANES), splat(get(per_width, n))
            to_began, to_e, to_i = load(state, st), load(state, st + LANES), load(state, st + 2 * LANES)  # of the next step
            if n < measured:
                x = mul(slope, sub(v, splat(get(c, first + THRESHOLD))))
                fired, held = get(flat, row + own), np.uint64(0)
                for k in range(1, n_ref[n] + 1):
                    held |= get(flat, row - k * known + own)
                g = sub(div(one, add(one, exp(sub(zero, x)))), select(fired, one, zero))
                g = select(scored[step] & (fired | ~held), g, zero)
                store(met, by + BY_WIDTH * LANES, fma(g, x, load(met, by + BY_WIDTH * LANES)))
                last = get(flat, row - (n_ref[n] + 1) * known + own) & ~(fired | held)
                longer = select(last, mul(to_began, sub(splat(get(c, first + RESET)), v)), zero)
                store(met, by + BY_N_REF * LANES, add(load(met, by + BY_N_REF * LANES), longer))
                to_began = select(last, mul(splat(np.float32(1) - part_ref[n]), to_began), to_began)
                g = add(mul(g, slope), select(fired | held, zero, to_began))
            else:
                came, released = (n - measured) * column + (history + step) * LANES, step + 1 + n_ref[n]
                free, p = load(kept, at + FREE * LANES), load(kept, at + P * LANES)
                left = sub(free, mul(p, free))
                soon, late = load(fires, came - n_ref[n] * LANES), load(fires, came - (n_ref[n] + 1) * LANES)
                next_free = add(left, fma(splat(get(part_ref, n)), sub(late, soon), soon))
                some, next_free = at_least(next_free, splat(EPS)), maximum(next_free, splat(EPS))
                to_mass = div(to_began, next_free)
                to_free = select(some, mul(to_mass, div(mul(left, v), next_free)), zero)
                to_free = sub(load(state, st + FREE * LANES), to_free)
                store(ahead, (((step + 1) * neurons + n) * AHEAD + 2) * LANES, to_free)
                store(met, by + BY_N_REF * LANES, sub(load(met, by + BY_N_REF * LANES), mul(to_free, soon)))
                refractory = add(load(state, st + SUM * LANES), to_free)
                if released <= steps:
                    refractory = sub(refractory, load(ahead, ((released * neurons + n) * AHEAD + 2) * LANES))
                store(state, st + SUM * LANES, refractory)
                to_left = mul(to_mass, v)
                to_fires = sub(sub(zero, refractory), to_left)
                if released <= steps:
                    longer = load(ahead, ((released * neurons + n) * AHEAD + 2) * LANES)
                    to_fires = fma(splat(-part_ref[n]), longer, to_fires)
                kind = LANES if inhibits[own] else 0
                for k in range(neurons):
                    w, rest = weight[k, own], part[k, own]
                    there = step + delay[k, own]
                    if w != 0 and there < steps:
                        arrives = load(ahead, (there * neurons + k) * AHEAD * LANES + kind)
                        to_fires = fma(splat(w * (np.float32(1) - rest)), arrives, to_fires)
                    if w != 0 and there + 1 < steps:
                        arrives = load(ahead, ((there + 1) * neurons + k) * AHEAD * LANES + kind)
                        to_fires = fma(splat(w * rest), arrives, to_fires)
                store(state, st + FREE * LANES, add(to_left, mul(to_fires, p)))
                g = fma(to_mass, left, mul(mul(to_fires, free), mul(slope, mul(p, sub(one, p)))))
            began, e, i = load(kept, at + BEGAN * LANES), load(kept, at + I_E * LANES), load(kept, at + I_I * LANES)
            store(met, by + A * LANES, fma(g, began, load(met, by + A * LANES)))
            store(met, by + B_E * LANES, fma(g, e, load(met, by + B_E * LANES)))
            store(met, by + B_I * LANES, fma(g, i, load(met, by + B_I * LANES)))
            store(met, by + P_E * LANES, fma(to_e, e, load(met, by + P_E * LANES)))
            store(met, by + P_I * LANES, fma(to_i, i, load(met, by + P_I * LANES)))
            for s in range(sources):
                if weight[n, s] != 0:
                    to = to_i if inhibits[s] else to_e
                    for late in range(2):
                        place = (n * columns + 2 * s + late) * LANES
                        so_far = load(met, place)
                        if s < known:
                            there = get(flat, row - (delay[n, s] + late) * known + s)
                            store(met, place, select(there, add(so_far, to), so_far))
                        else:
                            came = (s - known) * column + (history + step - delay[n, s] - late) * LANES
                            store(met, place, fma(to, load(fires, came), so_far))
            store(state, st, mul(splat(get(c, first + A)), g))
            store(state, st + LANES, fma(splat(get(c, first + P_E)), to_e, mul(splat(get(c, first + B_E)), g)))
            store(state, st + 2 * LANES, fma(splat(get(c, first + P_I)), to_i, mul(splat(get(c, first + B_I)), g)))


@compiled
def surprise_of(
    trains, scored, history, weight, delay, part, inhibits, c, n_ref, part_ref, per_width, kept, ahead, met, fires,
    state, gradient,
):  # fmt: skip
    """The surprise of the spikes of each measured neuron, float64 [measured], over all blocks.

    trains   uint64 [blocks, history + steps, channels + measured]: words of 64 trials;   scored  uint64 [blocks, steps]
    weight   float32 [neurons, sources], signed, 0 is no synapse; sources are channels, measured neurons, hidden neurons
    delay, part      int64 and float32 [neurons, sources]: whole steps, at least 1, and a rest;   inhibits  bool [sources]
    c        float32 [neurons * CONSTANTS];   n_ref, part_ref  likewise, [neurons]: refractory steps, at least 1, and a rest
    per_width  float32 [neurons]: 1 / width of the escape noise
    kept     float32 [steps * neurons * STATES * 64], ahead [(steps + 1) * neurons * 3 * 64], state [neurons * 6 * 64],
             met [neurons * (2 * sources + CONSTANTS) * 64]: workspace
    fires    float32 [hidden * (history + steps) * 64]: how much hidden neurons fired, of the last block
    gradient float64 [neurons, 2 * sources + CONSTANTS]: what the gradient is added to, by weight, by delay in steps, by A to
             P_I, then by the threshold, the logarithm of the width and the refractory steps; of length 0: none is wanted
    """
    blocks, _, known = trains.shape
    neurons, sources = weight.shape
    columns, found = 2 * sources + CONSTANTS, np.zeros(known - sources + neurons)
    for block in range(blocks):
        flat = trains[block].reshape(-1)
        _forward(
            flat, known, scored[block], history, weight, delay, part, inhibits, c, n_ref, part_ref, per_width, kept, fires,
            state, found,
        )  # fmt: skip
        if not len(gradient):
            continue
        _backward(
            flat, known, scored[block], history, weight, delay, part, inhibits, c, n_ref, part_ref, per_width, kept,
            ahead, met, fires, state,
        )  # fmt: skip
        for n in range(neurons):
            for s in range(sources):
                if weight[n, s] != 0:
                    at = (n * columns + 2 * s) * LANES
                    first, second = total(load(met, at)), total(load(met, at + LANES))
                    gradient[n, s] += (1 - part[n, s]) * first + part[n, s] * second
                    gradient[n, sources + s] += weight[n, s] * (second - first)
            for k in range(CONSTANTS):
                value = total(load(met, (n * columns + 2 * sources + k) * LANES))
                gradient[n, 2 * sources + k] += -value if k == BY_WIDTH else value
    return found
