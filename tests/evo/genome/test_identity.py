"""Keys that say which genomes are the same circuit, whatever the order of their neurons."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.engine.problem import Problem
from evo.genome import identity, variation
from evo.spec.run_spec import parse

SPEC = parse('[task]\nname = "gate"\n[circuit]\nneurons = [2, 7]\nexcitatory_share = [0.3, 1.0]\n', "here")


@pytest.fixture(scope="module")
def bounds():
    return Problem.of(SPEC, None).encoding.bounds


def shuffled(genomes, bounds, rng):
    """The same circuits with their neurons in other slots."""
    found = genomes.copy()
    for one in found:
        order = rng.permutation(bounds.capacity)  # slot k gets the neuron of slot order[k]
        one["kind"], one["parameters"] = one["kind"][order], one["parameters"][order]
        rows = np.r_[np.arange(bounds.channels), bounds.channels + order]
        for name in ("weight", "delay"):
            one[name] = one[name][np.ix_(rows, order)]
        one["readout"] = np.argsort(order)[one["readout"]]
    return found


@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_the_neurons_does_not_change_a_key_and_any_change_of_a_circuit_does(bounds, seed):
    rng = np.random.default_rng(seed)
    genomes = variation.founders(bounds, 40, rng)
    keys = identity.keys(genomes)
    assert identity.keys(shuffled(genomes, bounds, rng)) == keys
    changed = variation.mutate(genomes.copy(), bounds, rng, 0.0)
    same = [a == b for a, b in zip(identity.keys(changed), keys, strict=True)]
    equal = [a.tobytes() == b.tobytes() for a, b in zip(changed, genomes, strict=True)]
    assert not any(s and not e for s, e in zip(same, equal, strict=True))
    assert len(set(keys)) == len({one.tobytes() for one in genomes})


def test_wirings_are_counted_whatever_the_values_and_the_order(bounds):
    rng = np.random.default_rng(1)
    genomes = variation.founders(bounds, 30, rng)
    different = identity.wirings(genomes)
    assert 20 < different <= 30
    polished = variation.mutate(genomes.copy(), bounds, rng, 0.9, wiring=False)
    assert len({*identity.keys(genomes), *identity.keys(polished)}) > different
    both = np.concatenate([genomes, shuffled(polished, bounds, rng)])
    # Neurons that stand alike in a wiring may be told apart by their slots: of symmetric circuits some count twice.
    assert different <= identity.wirings(both) <= different + 5
