"""One neuron fitted to the end, all spikes being known: a quasi-Newton method, and moves by whole steps.

In circuits delays and refractory periods are whole steps. A refractory period that is one step too long is partly made up for
by all weights and time constants, so neither can be corrected without the other. Each move of a delay or of the refractory
period is therefore judged after all other values have been fitted again (BFGS: Nocedal and Wright, Numerical Optimization,
2006), within their ranges. BFGS is written out here, with sums in a fixed order, so that the same seed gives the same circuits
on every machine.
"""

import numpy as np

from fitness.recordings.inference.network import Network

STEP, LONGEST = 0.02, 0.2  # largest change of a value, as a share of its range, in the first step, and in any other
ARMIJO, SHORTER, HALVINGS = 1e-4, 0.35, 8  # the line search: least share of the slope, and how a step is shortened
REFIT, FINAL = 12, 60  # steps of BFGS, after a move, and between passes over all moves
GAIN, SHARE = 0.1, 2e-3  # of the surprise: a smaller step of BFGS is its last, and a move that gains less is not made
SMALLEST = 0.003  # weight, in units, of a source whose delay matters
PASSES = 6


def refine(network: Network, n: int, passes: int = PASSES) -> float:
    """Fit neuron n from where it is, its delays made whole; returns the surprise."""
    s, (low, high) = network.sources, network.delay
    unit = 1 / max(high - low, 1)
    x = network.fitted[n].x.copy()
    x[s : 2 * s] = np.clip((np.rint(low + x[s : 2 * s] * (high - low)) - low) * unit, 0, 1)
    best, x = bfgs(network, n, x, network.fitted[n].n_ref, FINAL)
    network.put(n, x)
    for _ in range(passes):
        before = best
        for longer, later in _moves(network, n, x):
            while True:
                n_ref, other = network.fitted[n].n_ref + longer, x.copy()
                other[s : 2 * s] += later * unit
                delays = other[s : 2 * s][later != 0]
                if not network.refractory[0] <= n_ref <= network.shortest[n] or ((delays < -1e-9) | (delays > 1 + 1e-9)).any():
                    break
                value, other = bfgs(network, n, np.clip(other, 0, None), n_ref, REFIT)
                if value > best - GAIN - SHARE * best:
                    break
                best, x = value, other
                network.put(n, x, n_ref)
        best, x = bfgs(network, n, x, network.fitted[n].n_ref, FINAL)
        network.put(n, x)
        if best > before - GAIN - SHARE * before:
            break
    return best


def _moves(network, n, x):
    """Changes in steps: of the refractory period, and of the delays, int [sources]."""
    s = network.sources
    active = network.fitted[n].sources & (x[:s] > SMALLEST)
    none, each = np.zeros(s, int), [np.eye(s, dtype=int)[k] for k in np.flatnonzero(active)]
    for size in (1, -1, 2, -2):
        yield size, none
        for one in each:
            yield 0, size * one
    for sign in (1, -1):
        yield 0, sign * active
        yield sign, -sign * active
        yield sign, sign * active


def bfgs(network: Network, n: int, x: np.ndarray, n_ref: int, steps: int) -> tuple[float, np.ndarray]:
    """The surprise of neuron n and its values after at most so many steps from x; delays stay."""
    s, fitted = network.sources, network.fitted[n]
    free = np.flatnonzero(np.r_[fitted.sources, np.zeros(s, bool), np.ones(len(x) - 2 * s, bool)])
    top = network.within(np.full(len(x), np.inf))[free]
    value, slope = _at(network, n, x, n_ref, free)
    inverse = None
    for _ in range(steps):
        at = x[free]
        stuck = ((at <= 0) & (slope > 0)) | ((at >= top) & (slope < 0))
        downhill = np.where(stuck, 0.0, -slope)
        steepest = downhill * (STEP / max(np.abs(downhill).max(), 1e-12))
        step = steepest if inverse is None else _times(np.where(stuck[:, None] | stuck, 0.0, inverse), downhill)
        if _dot(step, downhill) <= 0:
            step, inverse = steepest, None
        step = step * min(1.0, LONGEST / max(np.abs(step).max(), 1e-12))
        expected = ARMIJO * _dot(step, downhill)
        for halving in range(HALVINGS):
            other = x.copy()
            other[free] = np.clip(at + step * SHORTER**halving, 0, top)
            now, its = _at(network, n, other, n_ref, free)
            if now <= value - expected * SHORTER**halving:
                break
        else:
            if inverse is None:
                break
            inverse = None
            continue
        moved, bent = other[free] - at, its - slope
        curved = _dot(moved, bent)
        if curved > 1e-10:
            if inverse is None:
                inverse = np.eye(len(free)) * (curved / _dot(bent, bent))
            towards = _times(inverse, bent)
            both = np.outer(towards, moved)
            inverse = inverse + (1 + _dot(bent, towards) / curved) / curved * np.outer(moved, moved) - (both + both.T) / curved
        gain = value - now
        x, value, slope = other, now, its
        if gain < min(GAIN, SHARE * value):
            break
    return value, x


def _at(network, n, x, n_ref, free):
    value, gradient = network.surprise(n, x, n_ref, gradient=True)
    return value, gradient[free]


def _dot(a, b):
    """The sum of products, in order, so that it is the same on every machine."""
    return float(np.add.accumulate(a * b)[-1])


def _times(matrix, vector):
    return np.add.accumulate(matrix * vector, axis=1)[:, -1]
