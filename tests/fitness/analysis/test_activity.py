import numpy as np
import pytest

from circuits.simulation.raster import Raster, pack
from fitness.analysis.activity import irregularity, spectrum, synchrony


def raster(spikes, dt_ms=1.0):
    return Raster(pack(spikes), len(spikes), dt_ms, tuple(range(spikes.shape[2])))


def poisson(neurons, rate=0.05, trials=40, steps=1000, seed=1):
    return np.random.default_rng(seed).random((trials, steps, neurons)) < rate


def clock(every, neurons=1, trials=3, steps=1000):
    spikes = np.zeros((trials, steps, neurons), bool)
    spikes[:, ::every] = True
    return spikes


def test_a_clock_is_regular_and_a_poisson_train_is_not():
    both = np.concatenate([clock(10, trials=40), poisson(1)], axis=2)
    regular, irregular = irregularity(raster(both))
    assert regular == 0
    assert irregular == pytest.approx(np.sqrt(1 - 0.05), abs=0.03)  # geometric intervals


def test_intervals_do_not_reach_from_one_trial_to_the_next():
    spikes = np.zeros((30, 100, 1), bool)
    spikes[:, [10, 20]] = True
    assert irregularity(raster(spikes))[0] == 0


def test_irregularity_is_not_told_from_a_handful_of_intervals():
    spikes = np.zeros((9, 100, 1), bool)
    spikes[:, [10, 25]] = True
    assert np.isnan(irregularity(raster(spikes))[0])


def test_neurons_that_do_the_same_are_in_step_and_independent_ones_are_not():
    one = poisson(1)
    assert synchrony(raster(np.repeat(one, 5, axis=2)), 5.0) == pytest.approx(1)
    assert synchrony(raster(poisson(16)), 5.0) == pytest.approx(1 / 4, abs=0.02)


def test_a_drive_that_differs_between_trials_makes_no_synchrony():
    rates = np.random.default_rng(0).uniform(0, 0.2, (40, 1, 1))
    spikes = np.random.default_rng(1).random((40, 1000, 16)) < rates
    assert synchrony(raster(spikes), 5.0) == pytest.approx(1 / 4, abs=0.02)


def test_one_neuron_alone_has_no_synchrony():
    silent = np.concatenate([poisson(1), np.zeros((40, 1000, 3), bool)], axis=2)
    assert np.isnan(synchrony(raster(silent), 5.0))
    assert np.isnan(synchrony(raster(np.zeros((2, 50, 3), bool)), 5.0))


def test_the_spectrum_of_random_times_is_flat_and_that_of_a_clock_has_a_peak():
    hz, power = spectrum(raster(poisson(4)))
    assert hz[0] == pytest.approx(1)
    assert hz[-1] == 250
    assert power.mean() == pytest.approx(1, abs=0.1)
    hz, power = spectrum(raster(clock(20)))
    assert hz[power.argmax()] in (50, 100, 150, 200, 250)
    assert power[hz % 50 != 0].max() < 1e-6 * power.max()


def test_a_spectrum_takes_time_and_spikes():
    assert spectrum(raster(clock(10, steps=90))) is None
    assert spectrum(raster(clock(200))) is None
