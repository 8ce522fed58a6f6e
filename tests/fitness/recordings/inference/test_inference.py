"""Circuits inferred from a recording: exact gradients, an exact sampler, and circuits that come back."""

import numpy as np
import pytest

from circuits.simulation.packed import from_circuit
from circuits.simulation.population import simulate_population
from circuits.simulation.raster import pack
from circuits.simulation.teacher import Teacher
from fitness.recordings.inference import Given, Ranges, infer, inferred
from fitness.recordings.inference.network import Network
from fitness.recordings.inference.refine import refine
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


def given(task, trials):
    windows, item = task.prepared.windows, trials.facts["item"]
    row = np.arange(windows.spikes.shape[1])
    scored = (row >= windows.start[item, None]) & (row < windows.stop[item, None])
    measured = pack(task.prepared.taught[item])
    return Given(pack(trials.spikes), measured, pack(scored[..., None])[..., 0].copy(), task.inputs, task.outputs, RANGES)


def ones(words) -> int:
    return sum(int(word).bit_count() for word in words.ravel())


@pytest.fixture(scope="module")
def network(seen):
    _, task, trials = seen
    return Network(given(task, trials), (), np.random.default_rng(1))


def test_a_neuron_is_as_surprising_as_in_the_simulator_with_a_teacher(seen, network):
    _, _, trials = seen
    for one in network.fitted:
        low, high = network.delay
        part = slice(network.sources, 2 * network.sources)
        one.x[part] = (np.rint(low + one.x[part] * (high - low)) - low) / (high - low)
    circuit = network.circuit()
    width = network.values(0, network.fitted[0].x)[3]
    teacher = Teacher(network.given.measured, network.given.scored, width)
    spikes, count = pack(trials.spikes), len(trials)
    told = simulate_population(from_circuit(circuit, np.float32), spikes, count, threads=1, teacher=teacher).surprise
    mine = [network.surprise(n) for n in range(network.neurons)]
    assert np.allclose(mine, told[0].sum(axis=0), rtol=0.01)  # numbers of circuits are rounded


def test_the_gradient_is_that_of_the_surprise(network):
    x = network.fitted[1].x.copy()
    x[-1] = network.share_of(4 / 15)
    _, gradient = network.surprise(1, x, gradient=True)
    for k in range(len(x)):
        step = np.zeros_like(x)
        step[k] = 2e-3
        slope = (network.surprise(1, x + step) - network.surprise(1, x - step)) / 4e-3
        assert slope == pytest.approx(gradient[k], rel=0.05, abs=0.01 * np.abs(gradient).max()), k


def test_spikes_are_drawn_as_often_as_they_are_likely(seen):
    """A hidden neuron without synapses fires with the probability of its escape noise."""
    _, task, trials = seen
    network = Network(given(task, trials), (1,), np.random.default_rng(2))
    h = network.neurons - 1
    for n, one in enumerate(network.fitted):
        one.x[: network.sources if n == h else 0] = 0
        one.x[network.channels + h] = 0
    network.fitted[h].x[-1] = 1.0
    network.fitted[h] = network.fitted[h]._replace(n_ref=1)
    likely = 1 / (1 + np.exp(network.threshold / network.values(h, network.fitted[h].x)[3]))
    places = network.scored[h] & np.uint64(2 ** len(trials) - 1)
    counts = []
    for _ in range(30):
        network.draw(h, 0.5)
        counts.append(ones(network.trains[:, network.history :, network.channels + h] & places))
    assert np.mean(counts[10:]) / ones(places) == pytest.approx(likely / (1 + likely), rel=0.15)


@pytest.mark.long
def test_what_is_all_seen_comes_back_with_its_wiring(seen, monkeypatch):
    monkeypatch.setattr(infer, "VISIBLE", 3)
    circuit, task, trials = seen
    known = given(task, trials)

    def score(one):
        return float(task.evaluate(one, trials, "float32").value)

    value, network = infer._visible(known, score, np.random.default_rng(1))
    assert value > 0.9
    for n in range(network.neurons):
        network.lean(n, 8.0)
    there = {(s.pre, s.post) for s in network.circuit().synapses}
    names = {port.neurons[0]: f"E{k}" for k, port in enumerate(circuit.outputs)}
    assert there == {(names[s.pre], names[s.post]) for s in circuit.synapses}


def test_a_delay_two_steps_off_is_corrected_by_moves_and_not_by_the_gradient_alone(seen):
    _, task, trials = seen
    network = Network(given(task, trials), (), np.random.default_rng(1))
    network.begin(1, 4, 120)
    value = refine(network, 1)
    x, step = network.fitted[1].x.copy(), 2 / (network.delay[1] - network.delay[0])
    delay = network.sources + int(np.argmax(x[: network.sources]))
    x[delay] += step if x[delay] + step <= 1 else -step
    network.put(1, x)
    assert refine(network, 1, passes=0) > 1.5 * value
    assert refine(network, 1) < 1.1 * value


def test_a_refined_neuron_has_whole_delays_and_values_within_their_ranges(seen):
    _, task, trials = seen
    network = Network(given(task, trials), (), np.random.default_rng(2))
    assert refine(network, 1, passes=1) == pytest.approx(network.surprise(1))
    x, s = network.fitted[1].x, network.sources
    steps = network.delay[0] + x[s : 2 * s] * (network.delay[1] - network.delay[0])
    assert steps == pytest.approx(np.rint(steps), abs=1e-6)
    assert np.array_equal(network.within(x.copy()), x)


@pytest.mark.long
def test_the_same_seed_infers_the_same_circuits_with_hidden_neurons_too(seen, monkeypatch):
    task = RecordingTask(file=seen[1].file, window_ms=140.0, lead_in_ms=100.0)
    trials = task.trials_of("search", 1, 16)
    for name, value in {"VISIBLE": 1, "TURNS": 2, "BURN": 1, "ANNEAL": 2, "CYCLES": 1, "STARTS": 1, "SETTLING": 1}.items():
        monkeypatch.setattr(infer, name, value)
    monkeypatch.setattr(infer._cycle, "__defaults__", (3, 0.07))
    monkeypatch.setattr(infer, "refine", lambda network, n, passes=0: refine(network, n, 0))
    found = [inferred(given(task, trials), lambda _: 0.5, 3, np.random.default_rng(5)) for _ in range(2)]
    assert found[0] == found[1]
    assert {len(circuit.neurons) for circuit in found[0]} == {2, 3}
    assert {neuron.sign for circuit in found[0] for neuron in circuit.neurons} == {"E", "I"}


def test_a_refractory_period_is_shorter_than_any_interval(network):
    for n in range(network.measured):
        steps = np.diff(np.flatnonzero(network.trains[0, :, network.channels + n] & np.uint64(1)))
        assert network.shortest[n] < steps.min()


def test_a_copy_has_neurons_that_do_nothing_yet(network):
    assert network.copy((-1,)).surprise(0) == pytest.approx(network.surprise(0))
