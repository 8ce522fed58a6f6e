"""The operators of genomes: founders, crossover and mutations.

Every operator keeps valid genomes valid (E and I counts, in-degree, delays, weights, outputs on excitatory neurons), so that
none is ever repaired or discarded. Dale's law needs no operator: the sign is the neuron's. Without the law the sign is the
weight's, drawn with it and kept. An operator with nothing to do (for instance without a free slot) leaves the genome unchanged
and returns False.

All randomness comes from the numpy Generator passed in, as uniform numbers only, so that it is the same on every machine.
"""

import numpy as np

from circuits.numerics.compiled import compiler
from evo.genome import genes, mutations, record
from evo.genome.genes import Genome, view
from evo.genome.record import Bounds

compiled = compiler(record, genes, mutations)

NOBODY = -1
VALUES = 0.55  # share of the mutations that leave the wiring alone


def founders(bounds: Bounds, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` random valid genomes."""
    genomes = _at_least_two(record.empty(bounds, count))
    _draw_founders(_fields(genomes), count, bounds, rng)
    return genomes[:count]


def crossover(genomes, mothers, fathers, bounds: Bounds, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One child per pair of indices into `genomes`: a copy of the mother with about half its neurons, each with its incoming
    synapses, from the father, unless that is NOBODY. Returns the children, and whether each has any neuron of the father."""
    children, crossed = _at_least_two(genomes.take(mothers)), np.zeros(len(mothers), bool)
    _cross_all(_fields(children), _fields(_at_least_two(genomes)), fathers, bounds, rng, crossed)
    return children[: len(mothers)], crossed


def mutate(
    genomes: np.ndarray,
    bounds: Bounds,
    rng: np.random.Generator,
    more: float = 0.5,
    wiring: bool = True,
    duplication: float = 0.0,
) -> np.ndarray:
    """Mutate in place: each genome gets one mutation, and after each mutation another one with probability `more`; a share
    `duplication` of them makes a neuron the copy of another. Without `wiring` only weights, delays and parameters change."""
    mutants = _at_least_two(genomes)
    _mutate_all(_fields(mutants), len(genomes), bounds, rng, more, 1.0 if wiring else VALUES, duplication if wiring else 0.0)
    if mutants is not genomes:
        genomes[:] = mutants[: len(genomes)]
    return genomes


def rewired(children: np.ndarray, genomes: np.ndarray, mothers: np.ndarray) -> np.ndarray:
    """Mask of the children with other neurons, synapses or outputs than their mothers (indices into `genomes`): bool
    [count]."""
    return _rewired(_fields(_at_least_two(children)), _fields(_at_least_two(genomes)), mothers)


def _at_least_two(genomes):
    """The genomes, or a copy of fewer with empty ones behind: the fields of one are contiguous, those of several are not,
    and everything would be compiled for both."""
    if len(genomes) > 1:
        return genomes
    several = np.zeros(2, genomes.dtype)
    several[: len(genomes)] = genomes
    return several


def _fields(genomes):
    return Genome(*(genomes[name] for name in Genome._fields))


# Few and large entry points: every compiled function costs seconds, once per machine.


@compiled
def _draw_founders(genomes, number, bounds, rng):
    for b in range(number):
        g = view(genomes, b)
        e, i = _pick_mix(bounds, rng)
        for slot in range(e + i):
            g.kind[slot] = genes.random_kind(1 if slot < e else -1, bounds, rng)
        for slot in range(len(g.kind) - 1, 0, -1):
            other = genes.below(rng, slot + 1)
            g.kind[slot], g.kind[other] = g.kind[other], g.kind[slot]
        for slot in range(len(g.kind)):
            if g.kind[slot] != 0:
                genes.draw_parameters(g, slot, bounds, rng)
                genes.draw_inputs(g, slot, bounds, rng)
        for r in range(bounds.readouts):
            g.readout[r] = -1
        for r in range(bounds.readouts):
            g.readout[r] = genes.pick_unread(g, rng)


@compiled
def _pick_mix(bounds, rng):
    """Numbers of excitatory and inhibitory neurons that the bounds allow."""
    total = 0
    for e in range(len(bounds.allowed)):
        for i in range(len(bounds.allowed)):
            total += bounds.allowed[e, i]
    n = genes.below(rng, total)
    for e in range(len(bounds.allowed)):
        for i in range(len(bounds.allowed)):
            if bounds.allowed[e, i]:
                if n == 0:
                    return e, i
                n -= 1
    return 0, 0


@compiled
def _cross_all(children, genomes, fathers, bounds, rng, crossed):
    """Cross slot by slot. A slot that would violate the E and I counts or an output stays the mother's."""
    differs = np.empty(children.kind.shape[1], np.bool_)
    for b in range(len(fathers)):
        if fathers[b] == NOBODY:
            continue
        child, father = view(children, b), view(genomes, fathers[b])
        e, i = genes.count(child, 1), genes.count(child, -1)
        for slot in range(len(child.kind)):
            differs[slot] = child.kind[slot] != father.kind[slot]
            if rng.random() < 0.5:
                continue
            old, new = np.int64(child.kind[slot]), np.int64(father.kind[slot])
            e_new = e + (new > 0) - (old > 0)
            i_new = i + (new < 0) - (old < 0)
            if not bounds.allowed[e_new, i_new] or (new <= 0 and genes.is_read(child, slot)):
                continue
            e, i = e_new, i_new
            child.kind[slot] = new
            genes.inherit(child, slot, father, slot)
            crossed[b] = True
        for slot in range(len(child.kind)):
            if differs[slot]:
                genes.settle(child, bounds.channels + slot, bounds)


@compiled
def _mutate_all(genomes, number, bounds, rng, more, share, duplication):
    """One mutation, then another with probability `more`, and so on; a mutation with nothing to do is drawn again. Besides
    duplications only the first `share` of the mutations below are drawn."""
    for b in range(number):
        g = view(genomes, b)
        tries = 8  # limited, as there are genomes in which nothing can change
        while tries > 0:
            tries -= 1
            draw = -1.0 if duplication > 0 and rng.random() < duplication else rng.random() * share
            if draw < 0:
                done = mutations.duplicate_neuron(g, bounds, rng)
            elif draw < 0.25:
                done = mutations.perturb_weight(g, bounds, rng)
            elif draw < 0.45:
                done = mutations.perturb_delay(g, bounds, rng)
            elif draw < VALUES:
                done = mutations.perturb_parameter(g, bounds, rng)
            elif draw < 0.66:
                done = mutations.add_synapse(g, bounds, rng)
            elif draw < 0.77:
                done = mutations.remove_synapse(g, bounds, rng)
            elif draw < 0.84:
                done = mutations.rewire(g, bounds, rng)
            elif draw < 0.89:
                done = mutations.add_neuron(g, bounds, rng)
            elif draw < 0.94:
                done = mutations.remove_neuron(g, bounds, rng)
            elif draw < 0.97:
                done = mutations.flip_type(g, bounds, rng)
            else:
                done = mutations.reassign_output(g, bounds, rng)
            if done:
                tries = 8 if rng.random() < more else 0


@compiled
def _rewired(children, genomes, mothers):
    changed = np.zeros(len(mothers), np.bool_)
    for b in range(len(mothers)):
        child, mother = view(children, b), view(genomes, mothers[b])
        for slot in range(len(child.kind)):
            changed[b] |= child.kind[slot] != mother.kind[slot]
        for r in range(len(child.readout)):
            changed[b] |= child.readout[r] != mother.readout[r]
        new, old, other_synapses = child.weight.reshape(-1), mother.weight.reshape(-1), False
        for s in range(len(new)):
            other_synapses |= (new[s] != 0) != (old[s] != 0)
        changed[b] |= other_synapses
    return changed
