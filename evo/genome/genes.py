"""The parts of variation: picking, drawing, connecting and cutting within one genome, compiled.

Values stay within the bounds and on the grid. Picks return -1 if there is nothing to pick.
"""

from typing import NamedTuple

import numpy as np

from circuits.numerics.compiled import compiler
from circuits.numerics.contiguous import contiguous
from evo.genome import record
from evo.genome.record import GRID

compiled = compiler(record)
type_row = compiled(record.type_row)


class Genome(NamedTuple):
    """Views of the fields of one record, as the compiled operators take them, or of many, with one more axis."""

    kind: np.ndarray
    parameters: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    readout: np.ndarray


@compiled
def view(genomes, b):
    """The b-th of many genomes."""
    kind, parameters = contiguous(genomes.kind[b]), contiguous(genomes.parameters[b])
    weight, delay, readout = contiguous(genomes.weight[b]), contiguous(genomes.delay[b]), contiguous(genomes.readout[b])
    return Genome(kind, parameters, weight, delay, readout)


@compiled
def settle(g, source, bounds):
    """Make a source's synapses valid after a change: none from or to empty slots, only onto types that it may project to,
    weights in its sign's range."""
    slot = source - bounds.channels
    for post in range(len(g.kind)):
        if g.weight[source, post] != 0:
            if g.kind[post] == 0 or (slot >= 0 and g.kind[slot] == 0) or not may_project(g, source, post, bounds):
                cut(g, source, post)
            elif bounds.dale:
                g.weight[source, post] = fit_weight(g.weight[source, post], range_of(g, source, bounds), bounds)


@compiled
def cut(g, source, post):
    g.weight[source, post] = 0
    g.delay[source, post] = 0


# Loops where slices would do: assigning an array to a slice makes numba compile its error messages, for seconds.


@compiled
def inherit(g, slot, parent, model):
    """Give the neuron in a slot the parameters and incoming synapses of neuron `model` of a parent (perhaps g itself)."""
    for p in range(g.parameters.shape[1]):
        g.parameters[slot, p] = parent.parameters[model, p]
    for source in range(len(g.weight)):
        g.weight[source, slot] = parent.weight[source, model]
        g.delay[source, slot] = parent.delay[source, model]


@compiled
def connect(g, source, post, bounds, rng):
    if source < 0 or fan_in(g, post) >= bounds.in_degree or not may_project(g, source, post, bounds):
        return False
    g.weight[source, post] = draw_weight(g, source, bounds, rng)
    g.delay[source, post] = draw_delay(bounds, rng)
    return True


@compiled
def draw_parameters(g, slot, bounds, rng):
    row = type_row(g.kind[slot], bounds.excitatory)
    for p in range(len(bounds.step)):
        low, high = bounds.parameter[row, 0, p], bounds.parameter[row, 1, p]
        g.parameters[slot, p] = fit_parameter(low + rng.random() * (high - low), p, row, bounds)


@compiled
def fit_parameters(g, slot, bounds):
    """Move the parameters into the ranges of the neuron's type."""
    row = type_row(g.kind[slot], bounds.excitatory)
    for p in range(len(bounds.step)):
        g.parameters[slot, p] = fit_parameter(g.parameters[slot, p], p, row, bounds)


@compiled
def draw_inputs(g, slot, bounds, rng):
    """Draw one to four incoming synapses."""
    for _ in range(1 + below(rng, min(4, bounds.in_degree))):
        connect(g, pick_source(g, slot, bounds, rng), slot, bounds, rng)


@compiled
def draw_weight(g, source, bounds, rng):
    """The weight of a new synapse from this source; below 0 for an inhibitory one without Dale's law, see `Bounds.dale`."""
    inhibits = not bounds.dale and source >= bounds.channels and rng.random() < 0.5
    row = 1 if inhibits else range_of(g, source, bounds)
    low, high = bounds.weight[row]
    weight = fit_weight(low + rng.random() * (high - low), row, bounds)
    return -weight if inhibits else weight


@compiled
def draw_delay(bounds, rng):
    """A delay within the bounds, in steps."""
    return bounds.delay[0] + below(rng, bounds.delay[1] - bounds.delay[0] + 1)


@compiled
def rescale(g, source, post, factor, bounds):
    """Multiply a weight within its range and on the grid, with its sign kept."""
    weight = g.weight[source, post]
    row = 1 if weight < 0 else range_of(g, source, bounds)
    fitted = fit_weight(abs(weight) * factor, row, bounds)
    g.weight[source, post] = -fitted if weight < 0 else fitted


@compiled
def fit_weight(weight, row, bounds):
    """A weight moved onto the grid and into the range in this row of `Bounds.weight`."""
    low, high = bounds.weight[row]
    return min(max(np.rint(weight * GRID) / GRID, low), high)


@compiled
def fit_parameter(value, p, row, bounds):
    step = bounds.step[p]
    return min(max(np.rint(value / step) * step, bounds.parameter[row, 0, p]), bounds.parameter[row, 1, p])


@compiled
def may_project(g, source, post, bounds):
    """May this source project to this neuron?"""
    slot = source - bounds.channels
    row = 0 if slot < 0 else 1 + type_row(g.kind[slot], bounds.excitatory)
    return bounds.projects[row, type_row(g.kind[post], bounds.excitatory)]


@compiled
def random_kind(sign, bounds, rng):
    """A random cell type of a sign."""
    types = bounds.excitatory if sign > 0 else len(bounds.parameter) - bounds.excitatory
    return sign * (1 + (below(rng, types) if types > 1 else 0))


@compiled
def pick_neuron(g, rng):
    n = below(rng, len(g.kind) - empty_slots(g))
    for slot in range(len(g.kind)):
        if g.kind[slot] != 0:
            if n == 0:
                return slot
            n -= 1
    return -1


@compiled
def pick_unread(g, rng):
    """An excitatory neuron that no output reads, or -1."""
    free = np.zeros(len(g.kind), np.bool_)
    total = 0
    for slot in range(len(g.kind)):
        free[slot] = g.kind[slot] > 0 and not is_read(g, slot)
        total += free[slot]
    return nth_true(free, below(rng, max(1, total)))


@compiled
def pick_source(g, post, bounds, rng):
    """A source that may project to `post` and does not yet, or -1; input channels are as probable as all neurons together."""
    absent = np.zeros(len(g.weight), np.bool_)
    channels, neurons = 0, 0
    for source in range(len(absent)):
        slot = source - bounds.channels
        present = slot < 0 or g.kind[slot] != 0
        absent[source] = present and g.weight[source, post] == 0 and may_project(g, source, post, bounds)
        channels += absent[source] and slot < 0
        neurons += absent[source] and slot >= 0
    if channels > 0 and (neurons == 0 or rng.random() < 0.5):
        return nth_true(absent, below(rng, channels))
    return nth_true(absent, channels + below(rng, neurons)) if neurons > 0 else -1


@compiled
def pick_synapse(g, rng):
    total = 0
    for weight in g.weight.flat:
        total += weight != 0
    if total == 0:
        return -1, -1
    n = below(rng, total)
    for source in range(len(g.weight)):
        outgoing = fan_out(g, source)
        if n < outgoing:
            for post in range(len(g.kind)):
                if g.weight[source, post] != 0:
                    if n == 0:
                        return source, post
                    n -= 1
        n -= outgoing
    return -1, -1


@compiled
def pick_parameter(row, bounds, rng):
    """A parameter that is not fixed for neurons of the type `row`, or -1."""
    free = np.zeros(len(bounds.step), np.bool_)
    total = 0
    for p in range(len(free)):
        free[p] = bounds.parameter[row, 1, p] > bounds.parameter[row, 0, p]
        total += free[p]
    return nth_true(free, below(rng, total)) if total > 0 else -1


@compiled
def is_read(g, slot):
    """Does an output read this slot?"""
    is_output = False
    for read in g.readout:
        is_output |= read == slot
    return is_output


@compiled
def range_of(g, source, bounds):
    """The row of `Bounds.weight` for synapses from this source, with Dale's law."""
    if source < bounds.channels:
        return 2 if source < bounds.sampled else 0
    return 0 if g.kind[source - bounds.channels] > 0 else 1


@compiled
def count(g, sign):
    """The number of excitatory (sign 1) or inhibitory (-1) neurons."""
    n = 0
    for kind in g.kind:
        n += kind * sign > 0
    return n


@compiled
def empty_slots(g):
    n = 0
    for kind in g.kind:
        n += kind == 0
    return n


@compiled
def fan_in(g, post):
    n = 0
    for source in range(len(g.weight)):
        n += g.weight[source, post] != 0
    return n


@compiled
def fan_out(g, source):
    n = 0
    for post in range(len(g.kind)):
        n += g.weight[source, post] != 0
    return n


@compiled
def nth_slot(g, sign, n):
    """The n-th slot with a neuron of this sign, or the n-th empty one (sign 0); -1 if there is none."""
    for slot in range(len(g.kind)):
        kind = g.kind[slot]
        if kind * sign > 0 or (kind == 0 and sign == 0):
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
def nth_true(mask, n):
    for k in range(len(mask)):
        if mask[k]:
            if n == 0:
                return k
            n -= 1
    return -1
