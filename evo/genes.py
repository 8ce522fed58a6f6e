"""The parts that variation is made of: picking, drawing, connecting and cutting within one genome, compiled.

Values are drawn and moved only within the bounds and onto the grid. Picks return -1 where there is nothing to pick.
"""

from typing import NamedTuple

import numpy as np

from circuits.compiled import compiler
from evo import genome
from evo.genome import GRID

compiled = compiler(genome)


class Genome(NamedTuple):
    """Views of one record's fields, as the compiled operators take them."""

    sign: np.ndarray
    parameters: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    readout: np.ndarray


@compiled
def settle(g, source, bounds):
    """Make a source's synapses agree with what it is now: none from or to empty slots, weights in its sign's range."""
    slot = source - bounds.channels
    for post in range(len(g.sign)):
        if g.weight[source, post] > 0:
            if g.sign[post] == 0 or (slot >= 0 and g.sign[slot] == 0):
                cut(g, source, post)
            else:
                g.weight[source, post] = fit_weight(g.weight[source, post], sign_of(g, source, bounds), bounds)


@compiled
def cut(g, source, post):
    g.weight[source, post] = 0
    g.delay[source, post] = 0


@compiled
def connect(g, source, post, bounds, rng):
    if source < 0 or fan_in(g, post) >= bounds.in_degree:
        return False
    g.weight[source, post] = draw_weight(sign_of(g, source, bounds), bounds, rng)
    g.delay[source, post] = bounds.delay[0] + below(rng, bounds.delay[1] - bounds.delay[0] + 1)
    return True


@compiled
def draw_parameters(g, slot, bounds, rng):
    for p in range(bounds.parameter.shape[1]):
        low, high = bounds.parameter[0, p], bounds.parameter[1, p]
        g.parameters[slot, p] = fit_parameter(low + rng.random() * (high - low), p, bounds)


@compiled
def draw_inputs(g, slot, bounds, rng):
    """One to four incoming synapses."""
    for _ in range(1 + below(rng, min(4, bounds.in_degree))):
        connect(g, pick_source(g, slot, bounds, rng), slot, bounds, rng)


@compiled
def draw_weight(kind, bounds, rng):
    low, high = bounds.weight[0 if kind > 0 else 1]
    return fit_weight(low + rng.random() * (high - low), kind, bounds)


@compiled
def fit_weight(weight, kind, bounds):
    low, high = bounds.weight[0 if kind > 0 else 1]
    return min(max(np.rint(weight * GRID) / GRID, low), high)


@compiled
def fit_parameter(value, p, bounds):
    step = bounds.step[p]
    return min(max(np.rint(value / step) * step, bounds.parameter[0, p]), bounds.parameter[1, p])


@compiled
def pick_neuron(g, rng):
    n = below(rng, len(g.sign) - count(g, 0))
    for slot in range(len(g.sign)):
        if g.sign[slot] != 0:
            if n == 0:
                return slot
            n -= 1
    return -1


@compiled
def pick_unread(g, rng):
    """An excitatory neuron that no output reads, or -1."""
    free = g.sign > 0
    for slot in g.readout:
        if slot >= 0:
            free[slot] = False
    return nth_true_1d(free, below(rng, max(1, np.sum(free))))


@compiled
def pick_source(g, post, bounds, rng):
    """A source with no synapse on `post` yet, or -1; input channels come up as often as all neurons together."""
    absent = g.weight[:, post] == 0
    channels = np.sum(absent[: bounds.channels])
    for slot in range(len(g.sign)):
        absent[bounds.channels + slot] &= g.sign[slot] != 0
    neurons = np.sum(absent) - channels
    if channels > 0 and (neurons == 0 or rng.random() < 0.5):
        return nth_true_1d(absent, below(rng, channels))
    return nth_true_1d(absent, channels + below(rng, neurons)) if neurons > 0 else -1


@compiled
def pick_synapse(g, rng):
    present = g.weight > 0
    total = np.sum(present)
    return nth_true(present, below(rng, total)) if total > 0 else (-1, -1)


@compiled
def is_read(g, slot):
    """Does an output read this slot?"""
    return (g.readout == slot).any()


@compiled
def sign_of(g, source, bounds):
    return np.int64(g.sign[source - bounds.channels]) if source >= bounds.channels else 1


@compiled
def count(g, kind):
    n = 0
    for sign in g.sign:
        n += sign == kind
    return n


@compiled
def fan_in(g, post):
    n = 0
    for source in range(len(g.weight)):
        n += g.weight[source, post] > 0
    return n


@compiled
def nth_slot(g, kind, n):
    for slot in range(len(g.sign)):
        if g.sign[slot] == kind:
            if n == 0:
                return slot
            n -= 1
    return -1


@compiled
def below(rng, n):
    return np.int64(rng.random() * n)


@compiled
def bell(rng):
    """A bell-shaped number with mean 0 and variance 1, from uniform ones (Irwin and Hall)."""
    return (rng.random() + rng.random() + rng.random() + rng.random() - 2) * np.sqrt(3.0)


@compiled
def nth_true_1d(mask, n):
    for k in range(len(mask)):
        if mask[k]:
            if n == 0:
                return k
            n -= 1
    return -1


@compiled
def nth_true(mask, n):
    for k in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            if mask[k, j]:
                if n == 0:
                    return k, j
                n -= 1
    return -1, -1
