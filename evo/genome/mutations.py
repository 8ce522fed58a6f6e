"""The mutations, one function each: they change one genome in place and return whether there was anything to change.

A valid genome stays valid: a change that would break the bounds is not made.
"""

import numpy as np

from circuits.numerics.compiled import compiler
from evo.genome import genes, record

compiled = compiler(record, genes)


@compiled
def perturb_weight(g, bounds, rng):
    source, post = genes.pick_synapse(g, rng)
    if source < 0:
        return False
    if rng.random() < 0.1:
        g.weight[source, post] = genes.draw_weight(g, source, bounds, rng)
    else:
        genes.rescale(g, source, post, 1 + 0.3 * genes.bell(rng), bounds)
    return True


@compiled
def perturb_delay(g, bounds, rng):
    source, post = genes.pick_synapse(g, rng)
    shortest, longest = bounds.delay
    if source < 0 or shortest == longest:
        return False
    if rng.random() < 0.3:
        g.delay[source, post] = genes.draw_delay(bounds, rng)
    else:
        move = 0.1 * (longest - shortest) * genes.bell(rng)
        move += 1 if move >= 0 else -1
        g.delay[source, post] = min(max(np.int64(g.delay[source, post]) + np.int64(move), shortest), longest)
    return True


@compiled
def perturb_parameter(g, bounds, rng):
    slot = genes.pick_neuron(g, rng)
    row = genes.type_row(g.kind[slot], bounds.excitatory)
    p = genes.pick_parameter(row, bounds, rng)
    if p < 0:
        return False
    low, high = bounds.parameter[row, 0, p], bounds.parameter[row, 1, p]
    if rng.random() < 0.2:
        value = low + rng.random() * (high - low)
    else:
        value = g.parameters[slot, p] + 0.1 * (high - low) * genes.bell(rng)
    g.parameters[slot, p] = genes.fit_parameter(value, p, row, bounds)
    return True


@compiled
def add_synapse(g, bounds, rng):
    post = genes.pick_neuron(g, rng)
    return genes.connect(g, genes.pick_source(g, post, bounds, rng), post, bounds, rng)


@compiled
def remove_synapse(g, bounds, rng):
    source, post = genes.pick_synapse(g, rng)
    if source < 0:
        return False
    genes.cut(g, source, post)
    return True


@compiled
def rewire(g, bounds, rng):
    """Give a synapse another source or another target."""
    source, post = genes.pick_synapse(g, rng)
    if source < 0:
        return False
    new_source, new_post = source, post
    if rng.random() < 0.5:
        new_source = genes.pick_source(g, post, bounds, rng)
    else:
        new_post = genes.pick_neuron(g, rng)
        blocked = g.weight[source, new_post] != 0 or not genes.may_project(g, source, new_post, bounds)
        if new_post == post or genes.fan_in(g, new_post) >= bounds.in_degree or blocked:
            return False
    if new_source < 0:
        return False
    weight, delay = g.weight[source, post], g.delay[source, post]
    genes.cut(g, source, post)
    g.weight[new_source, new_post] = abs(weight) if new_source < bounds.channels else weight
    genes.rescale(g, new_source, new_post, 1.0, bounds)
    g.delay[new_source, new_post] = delay
    return True


@compiled
def add_neuron(g, bounds, rng):
    """A new neuron in an empty slot: half the time a random one, half the time the copy of another with its synapses."""
    sign = 1 if rng.random() < 0.5 else -1
    slot = genes.nth_slot(g, 0, genes.below(rng, max(1, genes.empty_slots(g))))
    if slot < 0 or not bounds.allowed[genes.count(g, 1) + (sign > 0), genes.count(g, -1) + (sign < 0)]:
        return False
    model = genes.nth_slot(g, sign, genes.below(rng, max(1, genes.count(g, sign))))
    g.kind[slot] = genes.random_kind(sign, bounds, rng)
    if model >= 0 and rng.random() < 0.5:
        g.kind[slot] = g.kind[model]
        genes.inherit(g, slot, g, model)
        for post in range(len(g.kind)):
            w = g.weight[bounds.channels + model, post]
            if w != 0 and genes.fan_in(g, post) < bounds.in_degree:
                g.weight[bounds.channels + slot, post] = w
                g.delay[bounds.channels + slot, post] = g.delay[bounds.channels + model, post]
        return True
    genes.draw_parameters(g, slot, bounds, rng)
    genes.draw_inputs(g, slot, bounds, rng)
    for _ in range(1 + genes.below(rng, 2)):
        post = genes.pick_neuron(g, rng)
        if g.weight[bounds.channels + slot, post] == 0:
            genes.connect(g, bounds.channels + slot, post, bounds, rng)
    return True


@compiled
def duplicate_neuron(g, bounds, rng):
    """A neuron becomes the copy of another of its sign, with the other's parameters and incoming synapses, one of them with a
    delay drawn anew; its outgoing synapses and outputs stay. A detector of one time difference so becomes one of another."""
    slot = genes.pick_neuron(g, rng)
    sign = 1 if g.kind[slot] > 0 else -1
    model = genes.nth_slot(g, sign, genes.below(rng, genes.count(g, sign)))
    if model == slot:
        return False
    g.kind[slot] = g.kind[model]
    genes.inherit(g, slot, g, model)
    genes.settle(g, bounds.channels + slot, bounds)
    synapses = genes.fan_in(g, slot)
    if synapses > 0:
        n = genes.below(rng, synapses)
        for source in range(len(g.weight)):
            if g.weight[source, slot] != 0:
                if n == 0:
                    g.delay[source, slot] = genes.draw_delay(bounds, rng)
                n -= 1
    return True


@compiled
def remove_neuron(g, bounds, rng):
    slot = genes.pick_neuron(g, rng)
    kind = g.kind[slot]
    if genes.is_read(g, slot) or not bounds.allowed[genes.count(g, 1) - (kind > 0), genes.count(g, -1) - (kind < 0)]:
        return False
    g.kind[slot] = 0
    for p in range(len(bounds.step)):
        g.parameters[slot, p] = 0
    for source in range(len(g.weight)):
        genes.settle(g, source, bounds)
    return True


@compiled
def flip_type(g, bounds, rng):
    """A neuron becomes one of another cell type, excitatory, inhibitory or of the same sign: all its synapses follow."""
    slot = genes.pick_neuron(g, rng)
    kind = np.int64(g.kind[slot])
    types = len(bounds.parameter)
    if types < 2:
        return False
    row = genes.below(rng, types - 1) if types > 2 else 0
    row += row >= genes.type_row(kind, bounds.excitatory)
    new = row + 1 if row < bounds.excitatory else bounds.excitatory - row - 1
    if new * kind < 0:
        sign = 1 if kind > 0 else -1
        if genes.is_read(g, slot) or not bounds.allowed[genes.count(g, 1) - sign, genes.count(g, -1) + sign]:
            return False
    g.kind[slot] = new
    genes.fit_parameters(g, slot, bounds)
    for source in range(len(g.weight)):
        genes.settle(g, source, bounds)
    return True


@compiled
def reassign_output(g, bounds, rng):
    """Let an output read another neuron, or swap the neurons of two outputs."""
    r = genes.below(rng, bounds.readouts)
    if rng.random() < 0.5 and bounds.readouts > 1:
        other = (r + 1 + genes.below(rng, bounds.readouts - 1)) % bounds.readouts
        g.readout[r], g.readout[other] = g.readout[other], g.readout[r]
        return True
    slot = genes.pick_unread(g, rng)
    if slot < 0:
        return False
    g.readout[r] = slot
    return True
