"""Hidden neurons found by what their spikes explain."""

import numpy as np
import pytest

from circuits.circuit import OutputPort
from circuits.numerics import portable
from circuits.simulation.raster import pack
from circuits.simulation.simulate import simulate
from fitness.recordings.inference import projection
from fitness.recordings.inference.network import REFRACTORY, TAU, Network, Observed
from fitness.recordings.inference.projection import _Search
from fitness.recordings.inference.regression import Regression, columns, fitted
from tests.fitness.recordings.inference.test_inference import RANGES

STEPS, DT = 1200, 0.5


def hidden_of(network, first=0.9):
    """The network and a hidden neuron that the first input drives, which drives the measured one."""
    one = network.more((1,), np.random.default_rng(0))
    s = one.count
    one.x[:, :s], one.x[:, s : 2 * s], one.x[:, TAU:REFRACTORY], one.x[:, REFRACTORY] = 0.0, 0.3, 0.5, 0.2
    one.x[1, :2] = first, 0.2
    one.x[0, 1], one.x[0, s - 1] = 0.4, 0.5
    one.sources = one.x[:, :s] > 0
    return one


@pytest.fixture(scope="module")
def driven():
    """A neuron that was measured, driven by an input and by a hidden neuron that another input drives; and when that fired."""
    spikes = np.random.default_rng(1).random((64, STEPS, 2)) < 0.03
    scored = np.zeros((64, STEPS, 1), bool)
    scored[:, 300:] = True
    silent = Observed(pack(spikes), np.zeros((1, STEPS, 1), "u8"), pack(scored)[..., 0].copy(), ("a", "b"), ("cell",), RANGES)
    circuit = hidden_of(Network(silent, (), np.random.default_rng(0))).circuit()
    ports = [OutputPort(name=name, neurons=[name]) for name in ("E0", "E1")]
    raster = simulate(circuit.model_copy(update={"outputs": ports}), spikes).outputs.spikes()
    observed = silent._replace(measured=pack(raster[..., :1]))
    return observed, pack(raster[..., 1:])[0, :, 0].copy()


def test_columns_are_filtered_counts_that_spikes_reset():
    train = np.zeros(60, "u8")
    train[10] = 1
    reset = np.zeros(60, "u8")
    reset[25] = 1
    at = 64 * np.arange(60)
    found = columns(train[None], reset, 0, np.array([0.5], "f4"), np.array([4, 8, 30]), at)
    expected = np.zeros(60)
    for step in range(1, 60):
        expected[step] = (0 if step == 26 else 0.5 * expected[step - 1]) + (14 <= step < 18)
    assert found[:, 0] == pytest.approx(expected)
    assert found[26:40, 1] == pytest.approx(2 * (1 - 0.5 ** np.arange(1, 15)))
    assert (found[:, 2] == 1).all()


def test_a_regression_finds_the_weights_that_made_the_spikes():
    rng = np.random.default_rng(2)
    x, true = rng.random((20_000, 3)).astype("f4"), np.array([3.0, -2.0, -1.0])
    x[:, 2] = 1
    fired = rng.random(len(x)) < 1 / (1 + portable.exp(-(x @ true)))
    found = fitted(x, fired, np.ones(len(x)), np.zeros(3), 20, 1e-6)[0]
    assert found == pytest.approx(true, abs=0.15)


def test_the_hidden_neuron_explains_more_than_others_and_excites(driven):
    observed, fires = driven
    network = Network(observed, (), np.random.default_rng(3))
    search = _Search(network, np.random.default_rng(4))
    row = hidden_of(network).x[1]
    assert np.array_equal(search.fires(row[None])[0], fires)
    search.among(search.alone.count)
    best = search.gains(row[None])[0]
    assert best > 100
    assert best > 2 * search.gains(search.drawn(np.random.default_rng(5))[:40]).max()
    assert search.sign(row) == 1


def test_the_gain_is_no_more_than_that_of_the_whole_regression(driven):
    observed, fires = driven
    network = Network(observed, (), np.random.default_rng(3))
    trains = np.ascontiguousarray(np.concatenate([observed.spikes[0], observed.measured[0]], axis=1).T)
    with_it = np.concatenate([trains, fires[None]])
    without, whole = (Regression(network, 0, some, np.random.default_rng(6)) for some in (trains, with_it))
    assert 0 < without.gain(fires)[0] < 1.2 * (without.value - whole.value)
    assert whole.gain(fires)[0] < 0.1 * without.gain(fires)[0]


def test_the_hidden_neuron_is_found(driven, monkeypatch):
    observed, _ = driven
    monkeypatch.setattr(projection, "DRAWN", 200)
    monkeypatch.setattr(projection, "TURNS", ((4, (0.15, 0.05, 12, 30)),))
    monkeypatch.setattr(projection, "LAST", (2, (0.1, 0.02, 16, 40)))
    network = Network(observed, (), np.random.default_rng(3))
    (value, row, sign), _ = projection.candidates(network, np.random.default_rng(7))
    search = _Search(network, np.random.default_rng(4))
    assert value > 0.7 * search.gains(hidden_of(network).x[1:])[0]
    assert sign == 1
    assert row[0] > 2 * row[1]
