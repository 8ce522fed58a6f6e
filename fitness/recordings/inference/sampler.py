"""Spike trains of hidden neurons, drawn from their posterior given the measured spikes (Metropolis and Hastings).

All neurons have escape noise (`kernel`), and all spikes are known at any time: measured ones are, hidden ones are a state. A
move shifts, adds or takes away one spike. It changes the surprise of the neuron itself, by its reset and by what is refractory,
and that of the neurons that it drives, until both forget it: only these steps are walked again (Mishchenko, Vogelstein and
Paninski, Ann. Appl. Stat. 5, 2011, for calcium imaging).
"""

import numpy as np

from circuits.numerics import portable
from circuits.numerics.compiled import compiled, jit
from fitness.recordings.inference.kernel import B_E, B_I, CONSTANTS, DRIVE, P_E, P_I, RESET, THRESHOLD, A

SPAN, FINE = 24, 64  # the table of ln(1 + exp(x)): from -SPAN to SPAN, so many steps in each unit
_X = np.arange(-SPAN * FINE, SPAN * FINE + 1) / FINE
SOFTPLUS = np.maximum(_X, 0) + portable.log(1 + portable.exp_uncompiled(-np.abs(_X)))
LONG_AGO = 1 << 30  # steps since a spike that there was not
SHIFTED, ADDED = 0.5, 0.25  # shares of the moves; the others take a spike away
NEAR, FAR, OFTEN = 2, 20, 0.7  # the longest shifts in steps, and how often the shorter is meant
SETTLED = 5.0  # a current that lasts on adds no more than this, in what it adds in a step


@jit(inline="always")
def surprise_in_widths(x, fired):
    """Surprise of a neuron x widths above its threshold, from the table."""
    x = -x if fired else x
    at = (x + SPAN) * FINE
    if at <= 0:
        return 0.0
    if at >= 2 * SPAN * FINE:
        return x
    k = int(at)
    return SOFTPLUS[k] + (at - k) * (SOFTPLUS[k + 1] - SOFTPLUS[k])


@jit(inline="always")
def _random(state):
    """xorshift64* (Vigna, ACM Trans. Math. Softw. 42, 2016), in [0, 1)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return np.float64((x * np.uint64(2685821657736338717)) >> np.uint64(11)) * 2.0**-53


@compiled
def begin(spikes, weight, delay, part, inhibits, c, n_ref, part_ref, per_width, first, until, driven, began, surprise):
    """The effect of all spikes together: fill `driven`, `began` and `surprise`, see `sample`."""
    lanes, sources, steps = spikes.shape
    neurons = len(weight)
    arrives = np.zeros((2, steps + 2))
    for lane in range(lanes):
        for n in range(neurons):
            own, k = sources - neurons + n, n * CONSTANTS
            arrives[:] = 0
            for s in range(sources):
                for t in range(steps if weight[n, s] != 0 else 0):
                    there = t + delay[n, s] + 1
                    if spikes[lane, s, t] and there <= steps:
                        arrives[int(inhibits[s]), there] += weight[n, s] * (1 - part[n, s])
                        arrives[int(inhibits[s]), there + 1] += weight[n, s] * part[n, s]
            e, i, v, since = 0.0, 0.0, 0.0, LONG_AGO
            for t in range(steps):
                e, i = c[k + P_E] * e + arrives[0, t], c[k + P_I] * i + arrives[1, t]
                driven[lane, n, t], began[lane, n, t] = c[k + B_E] * e + c[k + B_I] * i + c[k + DRIVE], v
                fired, held = spikes[lane, own, t] != 0, since <= n_ref[n]
                v = c[k + A] * v + driven[lane, n, t]
                surprise[lane, n, t] = 0.0
                if first[n] <= t < until[lane] and (fired or not held):
                    surprise[lane, n, t] = surprise_in_widths(per_width[n] * (v - c[k + THRESHOLD]), fired)
                if since == n_ref[n] + 1:
                    v += part_ref[n] * (c[k + RESET] - v)
                v = c[k + RESET] if fired or held else v
                since = 1 if fired else since + 1
            began[lane, n, steps] = v


@jit()
def _moved(
    lane, n, hidden, times, signs, spikes, weight, delay, part, inhibits, c, n_ref, part_ref, per_width, first, until, eps,
    driven, began, surprise, other, ends,
):  # fmt: skip
    """The change of the surprise of neuron n by a change of the spikes of a hidden neuron, which is made in `spikes`: at one or
    two times (-1: none), by one more or less. The new values are written to `other`, from and to the steps `ends`."""
    sources, steps = spikes.shape[1:]
    neurons = len(weight)
    own, by, k = sources - neurons + n, sources - neurons + hidden, n * CONSTANTS
    w, d, rest = weight[n, by], delay[n, by], part[n, by]
    lasts, adds = (c[k + P_I], c[k + B_I]) if inhibits[by] else (c[k + P_E], c[k + B_E])
    early = times[0] if times[1] < 0 else min(times[0], times[1])
    late, more, current = max(times[0], times[1]), 0.0, 0.0
    start, last = early, late + n_ref[n] + 2
    if w != 0:
        last = max(last, late + d + 2) if n == hidden else late + d + 2
    if n != hidden:
        start = early + d + 1
        for which in range(2):
            if times[which] == early:
                current += signs[which] * w * (1 - rest)
    ends[n, 0] = ends[n, 1] = start
    if start >= steps:
        return more
    since = 1
    while since <= n_ref[n] + 1 and start >= since and not spikes[lane, own, start - since]:
        since += 1
    since = LONG_AGO if start < since else since
    v, ends[n, 1] = began[lane, n, start], steps
    for t in range(start, steps):
        other[n, 0, t] = adds * current
        v = c[k + A] * v + driven[lane, n, t] + adds * current
        fired, held, now = spikes[lane, own, t] != 0, since <= n_ref[n], 0.0
        if first[n] <= t < until[lane] and (fired or not held):
            now = surprise_in_widths(per_width[n] * (v - c[k + THRESHOLD]), fired)
        more += now - surprise[lane, n, t]
        if since == n_ref[n] + 1:
            v += part_ref[n] * (c[k + RESET] - v)
        v = c[k + RESET] if fired or held else v
        other[n, 1, t], other[n, 2, t] = v, now
        since = 1 if fired else since + 1
        current *= lasts
        for which in range(2 if w != 0 else 0):
            if times[which] >= 0 and t == times[which] + d:
                current += signs[which] * w * (1 - rest)
            elif times[which] >= 0 and t == times[which] + d + 1:
                current += signs[which] * w * rest
        if t > last and abs(v - began[lane, n, t + 1]) < eps[n] and abs(adds * current) * SETTLED < eps[n]:
            ends[n, 1] = t + 1
            break
    return more


@jit()
def _taken(lane, n, driven, began, surprise, other, ends):
    for t in range(ends[n, 0], ends[n, 1]):
        driven[lane, n, t] += other[n, 0, t]
        began[lane, n, t + 1] = other[n, 1, t]
        surprise[lane, n, t] = other[n, 2, t]


@jit()
def _drawn(likely, state):
    """A step drawn by its cumulative probabilities."""
    r, low, high = _random(state), 0, len(likely) - 1
    while low < high:
        middle = (low + high) // 2
        if likely[middle] > r:
            high = middle
        else:
            low = middle + 1
    return low


@compiled
def sample(
    spikes, moves, state, weight, delay, part, inhibits, c, n_ref, part_ref, per_width, first, until, eps, cumulative, logs,
    log, driven, began, surprise, other, ends,
):  # fmt: skip
    """Make this number of moves of the spikes of each hidden neuron in each lane, in place.

    spikes   uint8 [lanes, sources, steps]: of channels, measured and hidden neurons;   state  uint64 [1], of random numbers
    weight to per_width  float64, as those of `kernel.surprise_of`
    first    int64 [neurons]: the step from which its surprise counts;   until  int64 [lanes]: and that to which all do
    eps      float64 [neurons], in mV: a change that is smaller is forgotten
    cumulative, logs  float64 [lanes, hidden, steps]: where spikes are added: probabilities, summed up, and their logarithms
    log      float64 [steps + 2]: the logarithm of each index
    driven, began, surprise  float64 [lanes, neurons, steps] (began: and one more): what currents add to V in a step, V with
             which a step begins, and how surprising the step is: of the spikes as they are (`begin`)
    other    float64 [neurons, 3, steps], ends  int64 [neurons, 2]: workspace
    """
    lanes, sources, steps = spikes.shape
    neurons, hidden = len(weight), cumulative.shape[1]
    where, times, signs = np.empty(steps, np.int64), np.empty(2, np.int64), np.empty(2, np.int64)
    for lane in range(lanes):
        for h in range(neurons - hidden, neurons):
            own, likely = sources - neurons + h, logs[lane, h - neurons + hidden]
            train, count = spikes[lane, own], 0
            for t in range(steps):
                if train[t]:
                    where[count] = t
                    count += 1
            for _ in range(moves):
                kind, ratio, index = _random(state), 0.0, -1
                times[:], signs[:] = -1, 0
                if kind < SHIFTED or kind >= SHIFTED + ADDED:
                    if count == 0:
                        continue
                    index = int(_random(state) * count)
                    times[0], signs[0] = where[index], -1
                if kind < SHIFTED:
                    far = 1 + int(_random(state) * (NEAR if _random(state) < OFTEN else FAR))
                    times[1], signs[1] = times[0] + (far if _random(state) < 0.5 else -far), 1
                    if times[1] < 0 or times[1] >= steps or train[times[1]]:
                        continue
                elif kind < SHIFTED + ADDED:
                    times[0], signs[0] = _drawn(cumulative[lane, h - neurons + hidden], state), 1
                    if train[times[0]]:
                        continue
                    ratio = -likely[times[0]] - log[count + 1]
                else:
                    ratio = likely[times[0]] + log[count]
                train[times[0]] = signs[0] > 0
                new, fits = (times[1] if kind < SHIFTED else times[0]), True
                for t in range(max(new - n_ref[h], 0), min(new + n_ref[h] + 1, steps)):
                    fits &= t == new or not train[t] or (index >= 0 and kind >= SHIFTED)
                if fits:
                    if kind < SHIFTED:
                        train[new] = 1
                    for n in range(neurons):
                        if n == h or weight[n, own] != 0:
                            ratio -= _moved(
                                lane, n, h, times, signs, spikes, weight, delay, part, inhibits, c, n_ref, part_ref, per_width,
                                first, until, eps, driven, began, surprise, other, ends,
                            )  # fmt: skip
                if fits and (ratio >= 0 or portable._exp(ratio) > _random(state)):
                    for n in range(neurons):
                        if n == h or weight[n, own] != 0:
                            _taken(lane, n, driven, began, surprise, other, ends)
                    if kind < SHIFTED:
                        where[index] = new
                    elif index < 0:
                        where[count] = new
                        count += 1
                    else:
                        count -= 1
                        where[index] = where[count]
                else:
                    train[times[0]] = signs[0] < 0
                    if fits and kind < SHIFTED:
                        train[new] = 0
