"""Networks tuned by what their circuits do by themselves."""

import numpy as np
import pytest

from circuits.simulation.packed import from_circuit
from circuits.simulation.population import simulate_population
from circuits.simulation.raster import Raster, pack
from fitness.recordings.inference import tune
from fitness.recordings.inference.network import REFRACTORY, WIDTH, Network
from fitness.recordings.task import RecordingTask
from tests.bench.hidden import hidden, to_csv
from tests.fitness.recordings.inference.test_inference import observed

EFFORT = tune.Effort(0.05, 20, 200, 0.003)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """One of two neurons recorded for 16 s, the task, and its trials."""
    path = tmp_path_factory.mktemp("tuned") / "cell.csv"
    path.write_text(to_csv(hidden(3, neurons=2, recorded=2, seconds=16.0).recording), encoding="utf-8")
    task = RecordingTask(file=str(path), window_ms=570.0, lead_in_ms=400.0)
    return task, task.trials_of("search", 1, 16)


@pytest.fixture(scope="module")
def network(seen):
    """Random values of the two and of an inhibitory hidden neuron, with all synapses of which there may be six onto each."""
    rng = np.random.default_rng(2)
    one = Network(observed(*seen), (-1,), rng)
    one.x[:, : one.count] = 0.2 + 0.3 * rng.random((one.neurons, one.count))
    one.x[:, REFRACTORY] *= 0.3
    return one


@pytest.fixture(scope="module")
def scores(seen):
    """Score and smooth score of many circuits."""
    task, trials = seen

    def of(tables):
        raster = Raster(simulate_population(tables, trials.bits, len(trials)).outputs, len(trials), task.dt_ms, task.outputs)
        measured = task.measure(raster, trials)
        return task.overall(measured, trials), task.mark(measured, trials).mean(axis=-1)

    return of


def test_many_values_are_packed_as_their_circuits(seen, network):
    _, trials = seen
    rng = np.random.default_rng(4)
    many = np.array([network.within(network.x + 0.05 * rng.standard_normal(network.x.shape)) for _ in range(5)])
    many[0, :, :2] = 0.0
    found = simulate_population(network.packed(many), pack(trials.spikes), len(trials)).outputs
    assert found.any()
    for x, bits in zip(many, found, strict=True):
        one = network.copy()
        one.x = x
        alone = simulate_population(from_circuit(one.circuit(), np.float32), pack(trials.spikes), len(trials)).outputs
        np.testing.assert_array_equal(bits, alone[0])


def test_tuned_networks_score_as_their_circuits_and_no_less_than_before(seen, network, scores):
    task, trials = seen
    values = [tune.tuned(network, scores, np.random.default_rng(seed), EFFORT, 0.99) for seed in (1, 1, 2)]
    (value, found), (again, same), (_, other) = values
    assert value == again == pytest.approx(float(task.evaluate(found.circuit(), trials, "float32").value))
    assert np.array_equal(found.x, same.x)
    assert not np.array_equal(found.x, other.x)
    before, after = (scores(one.packed(one.x[None]))[1][0] for one in (network, found))
    assert after > before
    assert np.array_equal(found.x[:, WIDTH], network.x[:, WIDTH])
    assert ((found.x >= 0) & (found.x <= network.within(np.full(network.x.shape, np.inf)))).all()


def test_tuning_ends_when_the_score_suffices(network, scores):
    calls = []

    def counted(tables):
        calls.append(len(tables.neurons))
        return scores(tables)

    tune.tuned(network, counted, np.random.default_rng(1), EFFORT, -1.0)
    assert calls == [20]


def test_lean_networks_keep_what_they_need(network, scores):
    before = scores(network.packed(network.x[None]))[1][0]
    lean = tune.lean(network, scores, 0.01)
    assert scores(lean.packed(lean.x[None]))[1][0] >= before - 0.01
    assert lean.sources.sum() < network.sources.sum()
    assert not lean.x[:, : lean.count][~lean.sources].any()
    for place in zip(*np.nonzero(lean.sources), strict=True):
        x = lean.x.copy()
        x[place] = 0
        assert scores(lean.packed(x[None]))[1][0] < scores(lean.packed(lean.x[None]))[1][0]


def test_no_neuron_has_more_synapses_than_it_may(network, scores):
    few = network.copy()
    few.observed = few.observed._replace(ranges=few.observed.ranges._replace(in_degree=2))
    assert (tune.lean(few, scores, -1.0).sources.sum(axis=1) <= 2).all()


def test_networks_grow_by_a_synapse_that_raises_the_score_or_not_at_all(network, scores):
    places = np.argwhere(network.sources)
    without = np.repeat(network.x[None], len(places), axis=0)
    without[np.arange(len(places)), *places.T] = 0
    n, source = places[int(np.argmin(scores(network.packed(without))[1]))]
    few = network.copy()
    few.sources[n, source], few.x[n, source] = False, 0.0
    before, grown = scores(few.packed(few.x[None]))[1][0], tune.grown(few, scores)
    assert scores(grown.packed(grown.x[None]))[1][0] > before
    added = np.argwhere(grown.sources & ~few.sources)
    assert len(added) == 1
    assert grown.sources.sum() == few.sources.sum() + 1
    assert grown.x[tuple(added[0])] in tune.WEIGHTS
    assert tune.grown(few, lambda tables: np.zeros((2, len(tables.neurons)))) is few
