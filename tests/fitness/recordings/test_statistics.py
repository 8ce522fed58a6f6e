"""Statistics of a recording before anything is evolved."""

import numpy as np

from fitness.recordings import Recording, Signal, statistics


def test_the_spike_triggered_average_is_the_signal_around_spikes():
    values = np.random.default_rng(0).normal(size=2000)
    spikes = np.array([100.0, 333.5, 700.25])
    trials = [("0", 1000.0, {}, {"x": spikes}, {"wave": Signal(0.5, values, "pA")})]
    lags, mean = statistics.triggered(Recording.of(trials), "wave", 0)
    assert lags[0] == -50
    assert lags[-1] == 20
    for lag in (-50.0, -0.5, 0.0, 12.0):
        expected = np.mean([values[int((t + lag) / 0.5)] for t in spikes])
        assert abs(mean[np.argmin(abs(lags - lag))] - expected) < 1e-9


def test_spikes_near_an_end_count_where_there_are_samples():
    trials = [("0", 100.0, {}, {"x": np.array([10.0, 60.0])}, {"wave": Signal(1.0, np.arange(100.0), "")})]
    lags, mean = statistics.triggered(Recording.of(trials), "wave", 0)
    at = {round(lag): value for lag, value in zip(lags, mean, strict=True)}
    assert at[-50] == 10  # of the second spike alone
    assert at[-5] == (5 + 55) / 2
