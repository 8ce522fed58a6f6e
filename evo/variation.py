"""How genomes come to be and change: founders, crossover and mutations.

Every operator is closed over the bounds: valid genomes in, valid genomes out (E and I counts, in-degree, delays, weights,
outputs on excitatory neurons), so nothing is ever repaired or thrown away. Dale's law needs no operator: the sign is the
neuron's. An operator that finds nothing to do (no free slot, say) leaves the genome as it is and returns False.

All randomness comes from the numpy Generator passed in, as uniform numbers only, so that it is the same on every machine.
"""

from typing import NamedTuple

import numpy as np

from circuits.compiled import compiler
from evo import genome
from evo.genome import GRID, Bounds

compiled = compiler(genome)


class Genome(NamedTuple):
    """Views of one record's fields, as the compiled operators take them."""

    sign: np.ndarray
    parameters: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    readout: np.ndarray


def founders(bounds: Bounds, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` random valid genomes."""
    made = genome.empty(bounds, count)
    _found_all(_fields(made), bounds, rng)
    return made


def crossover(mothers, fathers, bounds: Bounds, rng: np.random.Generator, share: float = 0.5) -> np.ndarray:
    """One child per pair: a copy of the mother that, with probability `share`, takes about half its neurons, each with its
    incoming synapses, from the father."""
    children = mothers.copy()
    _cross_all(_fields(children), _fields(fathers), bounds, rng, share)
    return children


def mutate(genomes: np.ndarray, bounds: Bounds, rng: np.random.Generator, more: float = 0.5) -> np.ndarray:
    """Mutate in place: each genome gets one mutation, and a further one with probability `more` after each."""
    _mutate_all(_fields(genomes), bounds, rng, more)
    return genomes


def _fields(genomes):
    return Genome(*(genomes[name] for name in Genome._fields))


# Few and large entry points: every compiled function costs seconds, once per machine.


@compiled
def _one(g, b):
    return Genome(g.sign[b], g.parameters[b], g.weight[b], g.delay[b], g.readout[b])


@compiled
def _found_all(genomes, bounds, rng):
    for b in range(len(genomes.sign)):
        g = _one(genomes, b)
        e, i = _nth_true(bounds.allowed, _below(rng, np.sum(bounds.allowed)))
        for slot in range(e + i):
            g.sign[slot] = 1 if slot < e else -1
        for slot in range(len(g.sign) - 1, 0, -1):
            other = _below(rng, slot + 1)
            g.sign[slot], g.sign[other] = g.sign[other], g.sign[slot]
        for slot in range(len(g.sign)):
            if g.sign[slot] != 0:
                _draw_parameters(g, slot, bounds, rng)
                _draw_inputs(g, slot, bounds, rng)
        g.readout[:] = -1
        for r in range(bounds.readouts):
            g.readout[r] = _pick_unread(g, rng)


@compiled
def _cross_all(children, fathers, bounds, rng, share):
    """Slots are homologous. A slot that would break the E and I counts or an output stays the mother's."""
    for b in range(len(children.sign)):
        if rng.random() >= share:
            continue
        child, father = _one(children, b), _one(fathers, b)
        e, i = _count(child, 1), _count(child, -1)
        for slot in range(len(child.sign)):
            if rng.random() < 0.5:
                continue
            old, new = np.int64(child.sign[slot]), np.int64(father.sign[slot])
            e_new = e + (new > 0) - (old > 0)
            i_new = i + (new < 0) - (old < 0)
            if not bounds.allowed[e_new, i_new] or (new <= 0 and _is_read(child, slot)):
                continue
            e, i = e_new, i_new
            child.sign[slot] = new
            child.parameters[slot] = father.parameters[slot]
            child.weight[:, slot] = father.weight[:, slot]
            child.delay[:, slot] = father.delay[:, slot]
        for source in range(len(child.weight)):
            _settle(child, source, bounds)


@compiled
def _mutate_all(genomes, bounds, rng, more):
    """One mutation, then another with probability `more`, and so on; one that finds nothing to do gives way to another."""
    for b in range(len(genomes.sign)):
        g = _one(genomes, b)
        left = 8  # a genome in which nothing can change must not hang
        while left > 0:
            left -= 1
            die = rng.random()
            if die < 0.25:
                done = _perturb_weight(g, bounds, rng)
            elif die < 0.45:
                done = _perturb_delay(g, bounds, rng)
            elif die < 0.55:
                done = _perturb_parameter(g, bounds, rng)
            elif die < 0.66:
                done = _add_synapse(g, bounds, rng)
            elif die < 0.77:
                done = _remove_synapse(g, bounds, rng)
            elif die < 0.84:
                done = _rewire(g, bounds, rng)
            elif die < 0.89:
                done = _add_neuron(g, bounds, rng)
            elif die < 0.94:
                done = _remove_neuron(g, bounds, rng)
            elif die < 0.97:
                done = _flip_type(g, bounds, rng)
            else:
                done = _reassign_output(g, bounds, rng)
            if done:
                left = 8 if rng.random() < more else 0


# -- mutations


@compiled
def _perturb_weight(g, bounds, rng):
    source, post = _pick_synapse(g, rng)
    if source < 0:
        return False
    kind = _kind(g, source, bounds)
    if rng.random() < 0.1:
        g.weight[source, post] = _draw_weight(kind, bounds, rng)
    else:
        g.weight[source, post] = _fit_weight(g.weight[source, post] * (1 + 0.3 * _bell(rng)), kind, bounds)
    return True


@compiled
def _perturb_delay(g, bounds, rng):
    source, post = _pick_synapse(g, rng)
    shortest, longest = bounds.delay
    if source < 0 or shortest == longest:
        return False
    if rng.random() < 0.3:
        g.delay[source, post] = shortest + _below(rng, longest - shortest + 1)
    else:
        move = 0.1 * (longest - shortest) * _bell(rng)
        move += 1 if move >= 0 else -1
        g.delay[source, post] = min(max(np.int64(g.delay[source, post]) + np.int64(move), shortest), longest)
    return True


@compiled
def _perturb_parameter(g, bounds, rng):
    free = bounds.parameter[1] > bounds.parameter[0]
    if not free.any():
        return False
    slot, p = _pick_neuron(g, rng), _nth_true_1d(free, _below(rng, np.sum(free)))
    low, high = bounds.parameter[0, p], bounds.parameter[1, p]
    if rng.random() < 0.2:
        value = low + rng.random() * (high - low)
    else:
        value = g.parameters[slot, p] + 0.1 * (high - low) * _bell(rng)
    g.parameters[slot, p] = _fit_parameter(value, p, bounds)
    return True


@compiled
def _add_synapse(g, bounds, rng):
    post = _pick_neuron(g, rng)
    return _connect(g, _pick_source(g, post, bounds, rng), post, bounds, rng)


@compiled
def _remove_synapse(g, bounds, rng):
    source, post = _pick_synapse(g, rng)
    if source < 0:
        return False
    _cut(g, source, post)
    return True


@compiled
def _rewire(g, bounds, rng):
    """Give a synapse another source or another target."""
    source, post = _pick_synapse(g, rng)
    if source < 0:
        return False
    new_source, new_post = source, post
    if rng.random() < 0.5:
        new_source = _pick_source(g, post, bounds, rng)
    else:
        new_post = _pick_neuron(g, rng)
        if new_post == post or _fan_in(g, new_post) >= bounds.in_degree or g.weight[source, new_post] > 0:
            return False
    if new_source < 0:
        return False
    weight, delay = g.weight[source, post], g.delay[source, post]
    _cut(g, source, post)
    g.weight[new_source, new_post] = _fit_weight(weight, _kind(g, new_source, bounds), bounds)
    g.delay[new_source, new_post] = delay
    return True


@compiled
def _add_neuron(g, bounds, rng):
    """A new neuron in an empty slot: half the time a random one, half the time the copy of another with its synapses."""
    kind = 1 if rng.random() < 0.5 else -1
    slot = _nth_slot(g, 0, _below(rng, max(1, _count(g, 0))))
    if slot < 0 or not bounds.allowed[_count(g, 1) + (kind > 0), _count(g, -1) + (kind < 0)]:
        return False
    model = _nth_slot(g, kind, _below(rng, max(1, _count(g, kind))))
    g.sign[slot] = kind
    if model >= 0 and rng.random() < 0.5:
        g.parameters[slot] = g.parameters[model]
        g.weight[:, slot] = g.weight[:, model]
        g.delay[:, slot] = g.delay[:, model]
        for post in range(len(g.sign)):
            w = g.weight[bounds.channels + model, post]
            if w > 0 and _fan_in(g, post) < bounds.in_degree:
                g.weight[bounds.channels + slot, post] = w
                g.delay[bounds.channels + slot, post] = g.delay[bounds.channels + model, post]
        return True
    _draw_parameters(g, slot, bounds, rng)
    _draw_inputs(g, slot, bounds, rng)
    for _ in range(1 + _below(rng, 2)):
        post = _pick_neuron(g, rng)
        if g.weight[bounds.channels + slot, post] == 0:
            _connect(g, bounds.channels + slot, post, bounds, rng)
    return True


@compiled
def _remove_neuron(g, bounds, rng):
    slot = _pick_neuron(g, rng)
    kind = g.sign[slot]
    if _is_read(g, slot) or not bounds.allowed[_count(g, 1) - (kind > 0), _count(g, -1) - (kind < 0)]:
        return False
    g.sign[slot] = 0
    g.parameters[slot] = 0
    for source in range(len(g.weight)):
        _settle(g, source, bounds)
    return True


@compiled
def _flip_type(g, bounds, rng):
    """An excitatory neuron becomes inhibitory or the reverse: all its outgoing synapses follow."""
    slot = _pick_neuron(g, rng)
    kind = g.sign[slot]
    if _is_read(g, slot) or not bounds.allowed[_count(g, 1) - kind, _count(g, -1) + kind]:
        return False
    g.sign[slot] = -kind
    _settle(g, bounds.channels + slot, bounds)
    return True


@compiled
def _reassign_output(g, bounds, rng):
    """Let an output read another neuron, or swap the neurons of two outputs."""
    r = _below(rng, bounds.readouts)
    if rng.random() < 0.5 and bounds.readouts > 1:
        other = (r + 1 + _below(rng, bounds.readouts - 1)) % bounds.readouts
        g.readout[r], g.readout[other] = g.readout[other], g.readout[r]
        return True
    slot = _pick_unread(g, rng)
    if slot < 0:
        return False
    g.readout[r] = slot
    return True


# -- parts of operators


@compiled
def _settle(g, source, bounds):
    """Make a source's synapses agree with what it is now: none from or to empty slots, weights in its sign's range."""
    slot = source - bounds.channels
    for post in range(len(g.sign)):
        if g.weight[source, post] > 0:
            if g.sign[post] == 0 or (slot >= 0 and g.sign[slot] == 0):
                _cut(g, source, post)
            else:
                g.weight[source, post] = _fit_weight(g.weight[source, post], _kind(g, source, bounds), bounds)


@compiled
def _cut(g, source, post):
    g.weight[source, post] = 0
    g.delay[source, post] = 0


@compiled
def _connect(g, source, post, bounds, rng):
    if source < 0 or _fan_in(g, post) >= bounds.in_degree:
        return False
    g.weight[source, post] = _draw_weight(_kind(g, source, bounds), bounds, rng)
    g.delay[source, post] = bounds.delay[0] + _below(rng, bounds.delay[1] - bounds.delay[0] + 1)
    return True


@compiled
def _draw_parameters(g, slot, bounds, rng):
    for p in range(bounds.parameter.shape[1]):
        low, high = bounds.parameter[0, p], bounds.parameter[1, p]
        g.parameters[slot, p] = _fit_parameter(low + rng.random() * (high - low), p, bounds)


@compiled
def _draw_inputs(g, slot, bounds, rng):
    """One to four incoming synapses."""
    for _ in range(1 + _below(rng, min(4, bounds.in_degree))):
        _connect(g, _pick_source(g, slot, bounds, rng), slot, bounds, rng)


@compiled
def _draw_weight(kind, bounds, rng):
    low, high = bounds.weight[0 if kind > 0 else 1]
    return _fit_weight(low + rng.random() * (high - low), kind, bounds)


@compiled
def _fit_weight(weight, kind, bounds):
    low, high = bounds.weight[0 if kind > 0 else 1]
    return min(max(np.rint(weight * GRID) / GRID, low), high)


@compiled
def _fit_parameter(value, p, bounds):
    step = bounds.step[p]
    return min(max(np.rint(value / step) * step, bounds.parameter[0, p]), bounds.parameter[1, p])


@compiled
def _pick_neuron(g, rng):
    n = _below(rng, len(g.sign) - _count(g, 0))
    for slot in range(len(g.sign)):
        if g.sign[slot] != 0:
            if n == 0:
                return slot
            n -= 1
    return -1


@compiled
def _pick_unread(g, rng):
    """An excitatory neuron that no output reads, or -1."""
    free = g.sign > 0
    for slot in g.readout:
        if slot >= 0:
            free[slot] = False
    return _nth_true_1d(free, _below(rng, max(1, np.sum(free))))


@compiled
def _pick_source(g, post, bounds, rng):
    """A source with no synapse on `post` yet, or -1; input channels come up as often as all neurons together."""
    absent = g.weight[:, post] == 0
    channels = np.sum(absent[: bounds.channels])
    for slot in range(len(g.sign)):
        absent[bounds.channels + slot] &= g.sign[slot] != 0
    neurons = np.sum(absent) - channels
    if channels > 0 and (neurons == 0 or rng.random() < 0.5):
        return _nth_true_1d(absent, _below(rng, channels))
    return _nth_true_1d(absent, channels + _below(rng, neurons)) if neurons > 0 else -1


@compiled
def _pick_synapse(g, rng):
    present = g.weight > 0
    total = np.sum(present)
    return _nth_true(present, _below(rng, total)) if total > 0 else (-1, -1)


@compiled
def _is_read(g, slot):
    """Does an output read this slot?"""
    return (g.readout == slot).any()


@compiled
def _kind(g, source, bounds):
    return np.int64(g.sign[source - bounds.channels]) if source >= bounds.channels else 1


@compiled
def _count(g, kind):
    n = 0
    for sign in g.sign:
        n += sign == kind
    return n


@compiled
def _fan_in(g, post):
    n = 0
    for source in range(len(g.weight)):
        n += g.weight[source, post] > 0
    return n


@compiled
def _nth_slot(g, kind, n):
    for slot in range(len(g.sign)):
        if g.sign[slot] == kind:
            if n == 0:
                return slot
            n -= 1
    return -1


@compiled
def _below(rng, n):
    return np.int64(rng.random() * n)


@compiled
def _bell(rng):
    """A bell-shaped number with mean 0 and variance 1, from uniform ones (Irwin and Hall)."""
    return (rng.random() + rng.random() + rng.random() + rng.random() - 2) * np.sqrt(3.0)


@compiled
def _nth_true_1d(mask, n):
    for k in range(len(mask)):
        if mask[k]:
            if n == 0:
                return k
            n -= 1
    return -1


@compiled
def _nth_true(mask, n):
    for k in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            if mask[k, j]:
                if n == 0:
                    return k, j
                n -= 1
    return -1, -1
