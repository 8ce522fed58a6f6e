"""Gradient descent on the values of a network, while the escape noise of its hidden neurons becomes narrower."""

import numpy as np

from circuits.numerics import portable
from fitness.recordings.inference.network import REFRACTORY, WIDTH, Network

FAST, SLOW, SMALL = 0.9, 0.95, 1e-3  # of Adam (Kingma and Ba, ICLR 2015)
STEP, LONGEST = 0.02, 0.2  # largest change of a value, as a share of its range, in the first step, and in any other
ARMIJO, SHORTER, HALVINGS = 1e-4, 0.35, 6  # the line search: least share of the slope, and how a step is shortened
GAIN = 0.1  # of the surprise: a step that gains less is small, and some small ones are the last
MANY = 3  # such steps


def anneal(network: Network, steps: int, rate, width, whole=False) -> float:
    """Gradient descent by Adam, in place; returns the surprise at the end.

    rate, width  of learning, and of the noise of hidden neurons in mV, at the first and at the last step
    whole        delays and refractory periods stay
    """
    x, s = network.x, network.count
    mean, square = np.zeros_like(x), np.zeros_like(x)
    for k in range(steps):
        at = k / max(steps - 1, 1)
        now, noise = (float(portable.exp(portable.log(a) + at * (portable.log(b) - portable.log(a)))) for a, b in (rate, width))
        _, g = network.surprise(noise, x, gradient=True)
        if whole:
            g[:, s : 2 * s] = g[:, REFRACTORY] = 0
        mean, square = FAST * mean + (1 - FAST) * g, SLOW * square + (1 - SLOW) * g * g
        x = x - now * (mean / (1 - FAST ** (k + 1))) / (np.sqrt(square / (1 - SLOW ** (k + 1))) + SMALL)
        x = network.within(x)
    network.x = x
    return float(network.surprise(width[1]).sum())


def descend(network: Network, steps: int, width: float, whole=False, rows=slice(None)) -> float:
    """Go down to the next minimum by a quasi-Newton method (BFGS: Nocedal and Wright, Numerical Optimization, 2006), in place;
    returns the surprise. width of hidden neurons in mV; whole: delays and refractory periods stay; rows: neurons whose
    values are fitted."""
    s = network.count
    fitted = np.ones(network.x.shape, bool)
    fitted[:, :s], fitted[:, s : 2 * s] = network.sources, network.sources & (not whole)
    fitted[:, REFRACTORY], fitted[network.measured :, WIDTH] = not whole, False
    some = np.zeros(len(fitted), bool)
    some[rows] = True
    free = np.flatnonzero(fitted & some[:, None])
    ends = [network.within(np.full(network.x.shape, end)).ravel()[free] for end in (-np.inf, np.inf)]

    def at_of(values):
        x = network.x.ravel().copy()
        x[free] = values
        value, slope = network.surprise(width, x.reshape(network.x.shape), gradient=True)
        return float(value.sum()), slope.ravel()[free], x.reshape(network.x.shape)

    at = network.x.ravel()[free]
    value, slope, _ = at_of(at)
    inverse, small = None, 0
    for _ in range(steps):
        stuck = ((at <= ends[0]) & (slope > 0)) | ((at >= ends[1]) & (slope < 0))
        downhill = np.where(stuck, 0.0, -slope)
        steepest = downhill * (STEP / max(np.abs(downhill).max(), 1e-12))
        step = steepest if inverse is None else _times(np.where(stuck[:, None] | stuck, 0.0, inverse), downhill)
        if _dot(step, downhill) <= 0:
            step, inverse = steepest, None
        step = step * min(1.0, LONGEST / max(np.abs(step).max(), 1e-12))
        expected = ARMIJO * _dot(step, downhill)
        for halving in range(HALVINGS):
            there = np.clip(at + step * SHORTER**halving, *ends)
            now, its, x = at_of(there)
            if now <= value - expected * SHORTER**halving:
                break
        else:
            if inverse is None:
                break
            inverse = None
            continue
        moved, bent = there - at, its - slope
        curved = _dot(moved, bent)
        if curved > 1e-10:
            if inverse is None:
                inverse = np.eye(len(free)) * (curved / _dot(bent, bent))
            towards = _times(inverse, bent)
            both = np.outer(towards, moved)
            inverse = inverse + (1 + _dot(bent, towards) / curved) / curved * np.outer(moved, moved) - (both + both.T) / curved
        small = small + 1 if value - now < GAIN else 0
        at, value, slope, network.x = there, now, its, x
        if small == MANY:
            break
    return value


def _dot(a, b):
    """The sum of products, in order, so that it is the same on every machine."""
    return float(np.add.accumulate(a * b)[-1])


def _times(matrix, vector):
    return np.add.accumulate(matrix * vector, axis=1)[:, -1]
