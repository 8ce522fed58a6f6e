import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack
from circuits.simulation.simulate import simulate
from fitness.references import lesioned


@pytest.fixture
def task():
    return fitness.task("stability")


@pytest.fixture
def trials(task):
    return task.trials(1, 1200)


def score(task, trials, *rates_hz, excitatory=None):
    """The score of neurons that fire at random at rates_hz, a number or [trials] each."""
    rng = np.random.default_rng(0)
    rates = np.stack([np.broadcast_to(rate, len(trials)) for rate in rates_hz], axis=-1)
    fired = rng.random((len(trials), task.steps, len(rates_hz))) < rates[:, None] * task.dt_ms / 1000
    raster = Raster(pack(fired), len(trials), task.dt_ms, ("",) * len(rates_hz), excitatory=excitatory)
    return task.score(raster, trials)


def test_the_drive_rises_from_50_to_1600_hz_in_octaves(task, trials):
    np.testing.assert_allclose(np.unique(trials.facts["drive_hz"]), [50, 100, 200, 400, 800, 1600])
    for level in range(6):
        rate = trials.spikes[trials.labels == level].mean() * 1000 / task.dt_ms
        assert rate == pytest.approx(50 * 2**level, rel=0.05)


def test_firing_in_the_band_and_more_with_more_drive_scores_1(task, trials):
    assert score(task, trials, 15.0 + 6 * trials.labels).value == 1
    assert score(task, trials, 20 * (trials.facts["drive_hz"] / 50) ** 0.25).value == 1


@pytest.mark.parametrize("rate", [5.0, 20.0, 50.0, 200.0])
def test_a_steady_rate_scores_nothing(task, trials, rate):
    assert score(task, trials, rate).value < 0.05


@pytest.mark.parametrize("share", [1, 1 / 4, 1 / 6, 1 / 8, 1 / 12, 1 / 25])
def test_following_the_drive_scores_nothing(task, trials, share):
    assert score(task, trials, share * trials.facts["drive_hz"]).value < 0.1


def test_runaway_with_a_strong_drive_costs(task, trials):
    runaway = np.where(trials.labels >= 4, 400.0, 15.0 + 6 * trials.labels)
    found = score(task, trials, runaway).value
    assert found < 0.5
    assert score(task, trials, np.where(trials.labels == 5, 400.0, 15.0 + 6 * trials.labels)).value == pytest.approx(
        (5 / 6 - _line(task)) / (1 - _line(task)), abs=0.02
    )


def _line(task):
    """The share of the drives in band that the best straight line has."""
    drive = 50 * 2.0 ** np.arange(6)
    return max(task.in_band(k * drive).mean() for k in np.geomspace(0.001, 2, 2000))


def test_a_runaway_of_a_hidden_excitatory_neuron_counts(task, trials):
    good = 15.0 + 6 * trials.labels
    assert score(task, trials, good, 300.0, excitatory=np.array([True, True])).value == 0
    assert score(task, trials, good, 300.0, excitatory=np.array([True, False])).value == 1


def test_the_edges_of_the_band_are_soft(task):
    np.testing.assert_allclose(
        task.in_band(np.array([0.0, 6.6, 10.0, 60.0, 60 * 1.5**0.5, 90.0])), [0, 0, 1, 1, 0.5, 0], atol=1e-9
    )


def test_the_reference_would_run_away_without_inhibition():
    task = fitness.task("stability")
    weak = task.trials(1, 60)
    circuit = fitness.reference("stability")
    assert any(s.pre == s.post == "E" for s in circuit.synapses)
    once = np.zeros((1, task.steps, 1), bool)
    once[0, 100] = True
    assert simulate(circuit, once).counts().max() <= 4
    assert simulate(lesioned(task), once).counts(start_ms=300)[..., 0].max() > 20  # one input spike, and it fires on and on
    assert task.evaluate(circuit, weak).value > 0.9
