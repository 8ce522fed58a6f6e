"""Arrivals are found as the synapse lists say, and neurons that rest wake up when one comes."""

import numpy as np
import pytest

from circuits import Circuit
from circuits.edit.variants import lesioned
from circuits.numerics.compiled import compiled
from circuits.numerics.simd import LANES
from circuits.simulation import arrivals
from circuits.simulation.packed import from_circuit
from circuits.simulation.simulate import simulate
from tests import reference


def adjoining(tables):
    """Do the static synapses of every circuit lie one after the other, neuron by neuron?"""
    return all((b[1:n, 0] == b[: n - 1, 2]).all() for b, n in zip(tables.bounds, tables.neurons, strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_the_lists_of_a_circuit_and_of_its_lesions_have_no_gaps(seed):
    circuit = reference.random_circuit(np.random.default_rng(seed))
    assert adjoining(from_circuit(circuit))
    versions = lesioned(circuit, [([n.id], ()) for n in circuit.neurons])
    assert adjoining(versions.tables(circuit))
    versions.present[np.arange(len(circuit.neurons)), np.arange(len(circuit.neurons))] = False  # as if it had never been there
    assert adjoining(versions.tables(circuit))


def test_the_synapses_with_a_spike_are_found_in_their_order():
    rng = np.random.default_rng(1)
    offset = rng.integers(-40, 0, 60)
    flat = np.where(rng.random(100) < 0.3, np.uint64(8), np.uint64(0))
    room = arrivals.workspace(50)
    count = _find(room, 10, 60, offset, flat, 50)
    wanted = np.flatnonzero(flat[50 + offset[10:]])
    assert 0 < len(wanted) < 50
    assert room.synapse[:count].tolist() == wanted.tolist()


def test_each_synapse_leads_to_the_current_of_its_neuron():
    circuit = reference.random_circuit(np.random.default_rng(3))
    tables, model = from_circuit(circuit), circuit.model
    room = arrivals.workspace(len(tables.weight))
    _begin(room, tables.bounds[0], len(circuit.neurons), len(model.states))
    for n, (first, middle, last) in enumerate(tables.bounds[0]):
        assert (room.post[first:last] == n).all()
        assert (room.target[first:middle] == (n * len(model.states) + 1) * LANES).all()
        assert (room.target[middle:last] == (n * len(model.states) + 2) * LANES).all()


@pytest.mark.parametrize("bias", [0.0, 16.0, -3.0])
def test_a_neuron_wakes_by_its_first_spike_however_late_and_one_with_a_bias_never_rests(bias):
    neurons = [{"id": n, "sign": "E", "bias_mv": b} for n, b in (("late", 0.0), ("after", 0.0), ("driven", bias))]
    inputs = [{"name": "in", "synapses": [{"post": "late", "weight_mv": 500.0, "delay_ms": 1.0}]}]
    synapses = [
        {"pre": "late", "post": "after", "weight_mv": 500.0, "delay_ms": 3.0},
        {"pre": "late", "post": "driven", "weight_mv": 500.0, "delay_ms": 7.0},
    ]
    circuit = Circuit(dt_ms=1.0, neurons=neurons, inputs=inputs, synapses=synapses)
    spikes = np.zeros((70, 120, 1), bool)
    spikes[np.arange(35), np.arange(80, 115)] = True  # each of these trials another step, the others none at all
    ours = simulate(circuit, spikes).spikes()
    assert ours[:30].any(axis=1)[:, :2].all()
    np.testing.assert_array_equal(ours, reference.simulate(circuit, spikes))


@compiled
def _find(room, first, last, offset, flat, here):
    return arrivals.find(room, first, last, offset, flat, here)


@compiled
def _begin(room, bounds, neurons, states):
    arrivals.begin(room, bounds, neurons, states)
