"""Circuits inferred from a recording: exact gradients, and circuits that come back."""

from functools import partial

import numpy as np
import pytest

from circuits.circuit import OutputPort
from circuits.numerics.simd import LANES
from circuits.simulation.packed import from_circuit
from circuits.simulation.population import simulate_population
from circuits.simulation.raster import pack
from circuits.simulation.simulate import simulate
from circuits.simulation.teacher import Teacher
from fitness.recordings.inference import Observed, Ranges, infer, inferred, posterior, projection
from fitness.recordings.inference.fit import anneal, descend
from fitness.recordings.inference.network import MIN_WEIGHT, REFRACTORY, WIDTH, Network
from fitness.recordings.inference.tune import Effort
from fitness.recordings.task import RecordingTask
from tests.bench.hidden import hidden, to_csv

PARAMETERS = {
    "tau_m_ms": (2.0, 40.0),
    "tau_syn_e_ms": (1.0, 20.0),
    "tau_syn_i_ms": (1.0, 40.0),
    "v_rest_mv": (-70.0, -70.0),
    "v_th_mv": (-55.0, -55.0),
    "v_reset_mv": (-70.0, -70.0),
    "t_ref_ms": (0.5, 8.0),
    "bias_mv": (0.0, 0.0),
}
MOST = ((3, 1), (2, 2))
RANGES = Ranges(0.5, (0.5, 12.0), (1.0, 100.0), (1.0, 100.0), PARAMETERS, MOST, 6)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Two neurons that are both recorded for 16 s, the task, and its trials."""
    folder = tmp_path_factory.mktemp("seen")
    found = hidden(3, neurons=2, recorded=2, seconds=16.0)
    path = folder / "cell.csv"
    path.write_text(to_csv(found.recording), encoding="utf-8")
    task = RecordingTask(file=str(path), window_ms=570.0, lead_in_ms=400.0)
    return found.circuit, task, task.trials_of("search", 1, 16)


def observed(task, trials):
    windows, item = task.prepared.windows, trials.facts["item"]
    row = np.arange(windows.spikes.shape[1])
    scored = (row >= windows.start[item, None]) & (row < windows.stop[item, None])
    measured = pack(task.prepared.taught[item])
    return Observed(pack(trials.spikes), measured, pack(scored[..., None])[..., 0].copy(), task.inputs, task.outputs, RANGES)


@pytest.fixture(scope="module")
def network(seen):
    _, task, trials = seen
    return Network(observed(task, trials), (), np.random.default_rng(1))


def with_hidden(network, seed):
    """The network with an excitatory and an inhibitory hidden neuron of random values, all connected."""
    rng = np.random.default_rng(seed)
    one = network.more((1, -1), rng)
    one.x[:, : one.count] = 0.1 + 0.3 * rng.random((one.neurons, one.count))
    one.x[:, REFRACTORY] = 0.2 + 0.3 * rng.random(one.neurons)
    one.x[:, WIDTH] = one.share_of(4 / 15)
    one.within(one.x)
    return one


def test_neurons_are_as_surprising_as_in_the_simulator_with_a_teacher(seen, network):
    _, _, trials = seen
    one = network.copy()
    one.x = one.whole(one.x)
    width = one.values(one.x)[-1][0]
    teacher = Teacher(one.observed.measured, one.observed.scored, width)
    spikes, count = pack(trials.spikes), len(trials)
    told = simulate_population(from_circuit(one.circuit(), np.float32), spikes, count, threads=1, teacher=teacher).surprise
    assert np.allclose(one.surprise(1.0), told[0].sum(axis=0), rtol=0.01)  # numbers of circuits are rounded


def test_hidden_neurons_with_narrow_noise_fire_as_in_the_simulator(seen, network):
    _, _, trials = seen
    one = network.more((1,), np.random.default_rng(4))
    one.x[-1, : one.count] = np.where(np.arange(one.count) < one.channels, 0.8, 0)
    one.sources[-1, one.channels :] = False
    one.x = one.whole(one.x)
    one.surprise(0.003)
    fires = one._fires.reshape(-1, LANES)[one.history :, : len(trials)] > 0.5
    port = OutputPort(name="n0", neurons=["E2"])
    circuit = one.circuit().model_copy(update={"outputs": [port]})
    spikes = simulate(circuit, trials.spikes).outputs.spikes()[..., 0].T
    assert spikes.sum() > 100
    assert (fires & spikes).sum() > 0.97 * max(fires.sum(), spikes.sum())  # numbers of circuits are rounded


def test_the_gradient_is_that_of_the_surprise_through_hidden_spikes_too(network):
    one = with_hidden(network, 1)
    one.x[:, one.count : 2 * one.count] = (np.floor(one.x[:, one.count : 2 * one.count] * 23) + 0.5) / 23  # between steps
    _, gradient = one.surprise(1.0, gradient=True)
    for row, column in np.ndindex(one.x.shape):
        step = np.zeros_like(one.x)
        step[row, column] = 1e-3
        slope = (one.surprise(1.0, one.x + step) - one.surprise(1.0, one.x - step)).sum() / 2e-3
        if row >= one.measured and column == one.x.shape[1] + WIDTH:
            slope = 0  # the width of hidden neurons is not fitted
        assert slope == pytest.approx(gradient[row, column], rel=0.05, abs=0.01 * np.abs(gradient).max()), (row, column)


@pytest.mark.parametrize("fit", [lambda one: anneal(one, 20, (0.02, 0.01), (1, 0.5)), lambda one: descend(one, 10, 0.5)])
def test_fits_lower_the_surprise_and_stay_in_the_ranges(network, fit):
    one = with_hidden(network, 2)
    before = one.surprise(0.5).sum()
    assert fit(one) == pytest.approx(one.surprise(0.5).sum(), rel=1e-6)
    assert one.surprise(0.5).sum() < before
    assert np.array_equal(one.within(one.x.copy()), one.x)


def test_whole_steps_stay_while_all_else_is_fitted(network):
    one = with_hidden(network, 3)
    one.x = one.whole(one.x)
    _, delay, _, n_ref, _ = one.values(one.x)
    for steps in (delay, n_ref):
        assert steps == pytest.approx(np.rint(steps), abs=1e-6)
    anneal(one, 5, (0.02, 0.01), (0.5, 0.5), whole=True)
    _, later, _, n_ref_later, _ = one.values(one.x)
    assert np.array_equal(later, delay)
    assert np.array_equal(n_ref_later, n_ref)


def test_only_the_rows_that_are_asked_for_are_fitted(network):
    one = with_hidden(network, 4)
    before, least = one.x.copy(), one.surprise(0.3).sum()
    assert descend(one, 10, 0.3, rows=slice(1)) < least
    assert np.array_equal(one.x[1:], before[1:])
    assert not np.array_equal(one.x[0], before[0])


@pytest.mark.long
def test_hops_never_raise_the_surprise_nor_do_settled_circuits_score_less(seen, network):
    _, task, trials = seen

    def score(one):
        return float(task.evaluate(one, trials, "float32").value)

    before = network.surprise(infer.NARROW)
    hopped, tried = infer._improved(network, score, np.random.default_rng(1), 4)
    after = hopped.surprise(infer.NARROW)
    assert (after <= before).all()
    assert after.sum() < before.sum()
    assert tried[0][0] == score(tried[0][1].circuit()) >= score(network.circuit())


def test_synapses_that_say_nothing_are_pruned(network):
    one = network.copy()
    one.x[0, 0] = 2 * MIN_WEIGHT
    pruned = infer._pruned(one)
    assert not pruned.sources[0, 0]
    assert one.sources[0, 0]
    assert pruned.surprise(infer.NARROW).sum() <= (1 + infer.DEAR) ** one.sources.sum() * one.surprise(infer.NARROW).sum()


@pytest.mark.long
def test_what_is_all_seen_comes_back(seen):
    circuit, task, trials = seen

    def score(one):
        return float(task.evaluate(one, trials, "float32").value)

    network = infer._visible(observed(task, trials), np.random.default_rng(1))
    value, network = infer._settled(network, score)
    assert value > 0.9
    lean = infer._lean(value, network, score)[0]
    assert score(lean) > value - 0.05
    assert len(lean.synapses) < 4
    assert sum(len(channel.synapses) for channel in lean.inputs) <= sum(len(c.synapses) for c in circuit.inputs) + 1


def _shortly(fit, network, steps, *rest, **options):
    return fit(network, steps // 40, *rest, **options)


@pytest.mark.long
def test_the_same_seed_infers_the_same_circuits_with_hidden_neurons_too(seen, monkeypatch):
    task = RecordingTask(file=seen[1].file, window_ms=140.0, lead_in_ms=100.0)
    trials = task.trials_of("search", 1, 16)
    few = {"VISIBLE": 1, "HOPS": 1, "SAMPLED": 1}
    few |= {"MORE": -1.0, "BRIEF": Effort(0.05, 4, 8, 0.003), "LONG": (Effort(0.05, 4, 8, 0.003),)}
    for name, value in few.items():
        monkeypatch.setattr(infer, name, value)
    for name, value in {"DRAWN": 4, "TURNS": ((1, (0.1, 0.1, 4, 2)),), "LAST": (1, (0.1, 0.1, 4, 2))}.items():
        monkeypatch.setattr(projection, name, value)
    for fit in (anneal, descend):
        monkeypatch.setattr(infer, fit.__name__, partial(_shortly, fit))
    for name in ("WARM", "TURNS", "EVERY"):
        monkeypatch.setattr(posterior, name, 1)

    def scores(tables):
        return np.full((2, len(tables.neurons)), 0.5)

    found = [inferred(observed(task, trials), lambda _: 0.5, scores, 2, np.random.default_rng(5)) for _ in range(2)]
    assert found[0] == found[1]
    assert {len(circuit.neurons) for circuit in found[0]} == {2, 3, 4}


def test_a_refractory_period_is_shorter_than_any_interval(network):
    for n in range(network.measured):
        steps = np.diff(np.flatnonzero(network.trains[0, :, network.channels + n] & np.uint64(1)))
        assert network.longest[n] < steps.min()


def test_neurons_that_are_added_do_nothing_yet(network):
    assert network.more((-1,), np.random.default_rng(1)).surprise(0.5) == pytest.approx(network.surprise(0.5))


def test_what_is_cut_away_was_long_ago(network):
    whole, cut = network.observed, network.observed.cut(100.0, 200.0)
    assert cut.scored.shape[1] == 600
    assert cut.spikes.shape[1] == cut.measured.shape[1] == 600
    count = np.bitwise_count(cut.scored[0])
    assert 2 * count[:200].max() <= count.max()
    assert 2 * count[200] > count.max()
    assert whole.cut(0.0).spikes.shape[1] < whole.spikes.shape[1]
