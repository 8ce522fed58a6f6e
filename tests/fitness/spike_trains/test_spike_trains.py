"""The measures of spike trains beside their definitions, integrated or enumerated by brute force; `make oracle` compares them
with Elephant and PySpike."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.errors import UserError
from circuits.simulation.raster import Raster, pack
from fitness import spike_trains
from fitness.spike_trains import SpikeTrains

DURATION = 50.0
times = st.lists(st.integers(1, 499).map(lambda k: k / 10), max_size=6, unique=True).map(sorted)
MEASURES = [getattr(spike_trains, name) for name in spike_trains.__all__ if name != "SpikeTrains"]
DISTANCES = [spike_trains.van_rossum, spike_trains.victor_purpura, spike_trains.isi_distance, spike_trains.spike_distance]
SIMILARITIES = [measure for measure in MEASURES if measure not in DISTANCES]


def of(measure, a, b, *options):
    return float(measure(SpikeTrains.of(a, DURATION), SpikeTrains.of(b, DURATION), *options))


@given(times, times)
def test_measures_are_symmetric_and_a_train_is_most_like_itself(a, b):
    for measure in DISTANCES:
        assert of(measure, a, b) == pytest.approx(of(measure, b, a), abs=1e-9)
        assert of(measure, a, a) == 0 <= of(measure, a, b)
    for measure in (spike_trains.binned_correlation, spike_trains.schreiber_similarity):
        assert of(measure, a, b) == pytest.approx(of(measure, b, a), abs=1e-9)
    assert of(spike_trains.schreiber_similarity, a, a) == pytest.approx(1)
    assert of(spike_trains.coincidence_factor, a, a) == pytest.approx(1)
    assert of(spike_trains.isi_distance, a, b) <= 1 + 1e-12
    assert of(spike_trains.spike_distance, a, b) <= 1 + 1e-12


@given(times, times)
def test_victor_purpura_is_the_cheapest_of_all_ways_to_edit(a, b):
    cheapest = min(
        len(a) + len(b) - 2 * k + sum(0.4 * abs(s - t) for s, t in zip(kept, others, strict=True))
        for k in range(min(len(a), len(b)) + 1)
        for kept in combinations(a, k)
        for others in combinations(b, k)
    )
    assert of(spike_trains.victor_purpura, a, b, 0.4) == pytest.approx(cheapest)


@given(times, times)
def test_van_rossum_is_the_integral_that_defines_it(a, b):
    tau, step = 7.0, 0.005
    t = np.arange(0, DURATION + 15 * tau, step) + step / 2
    filtered = [sum((np.where(t >= s, np.exp(-(t - s) / tau), 0) for s in train), np.zeros_like(t)) for train in (a, b)]
    squared = 2 / tau * ((filtered[0] - filtered[1]) ** 2).sum() * step
    assert of(spike_trains.van_rossum, a, b, tau) ** 2 == pytest.approx(squared, abs=0.02)


@given(times, times)
def test_schreiber_is_the_cosine_of_the_smoothed_trains(a, b):
    sigma, t = 2.0, np.arange(-30, DURATION + 30, 0.05)
    x, y = (sum((np.exp(-((t - s) ** 2) / (2 * sigma**2)) for s in train), np.zeros_like(t)) for train in (a, b))
    wanted = x @ y / np.sqrt((x @ x) * (y @ y)) if a and b else float(not a and not b)
    assert of(spike_trains.schreiber_similarity, a, b, sigma) == pytest.approx(wanted, abs=1e-6)


@given(times, times)
def test_binned_correlation_is_numpys_of_the_histograms(a, b):
    counts = [np.bincount((np.array(train) * 10).astype(int) // 50, minlength=10) for train in (a, b)]
    constant = min(np.ptp(c) for c in counts) == 0
    wanted = 0 if constant else np.corrcoef(*counts)[0, 1]
    assert of(spike_trains.binned_correlation, a, b, 5.0) == pytest.approx(wanted, abs=1e-9)


def test_the_coincidence_factor_of_poisson_trains_is_0_by_chance():
    rng = np.random.default_rng(1)
    rows = [[np.flatnonzero(rng.random(10_000) < 0.02) + 1.0 for _ in range(50)] for _ in range(2)]
    found = spike_trains.coincidence_factor(*(SpikeTrains.of(trains, 10_001.0) for trains in rows), window_ms=2.5)
    assert abs(found.mean()) < 0.05


def test_the_coincidence_factor_counts_every_spike_once():
    assert of(spike_trains.coincidence_factor, [10], [9, 11]) < of(spike_trains.coincidence_factor, [10], [9])
    assert of(spike_trains.coincidence_factor, [10, 20, 30], [12, 22, 32], 2.0) == pytest.approx(1)
    assert of(spike_trains.coincidence_factor, [10, 20, 30], [12.1, 22.1, 32.1], 2.0) < 0
    assert of(spike_trains.coincidence_factor, [10], np.arange(1, 50)) == 0


def test_silent_trains_have_the_stated_values():
    for measure in SIMILARITIES:
        assert of(measure, [], []) == (0 if measure is spike_trains.binned_correlation else 1)
        assert of(measure, [], [5.0]) == 0
    assert of(spike_trains.van_rossum, [], [5.0]) == pytest.approx(1)
    assert of(spike_trains.victor_purpura, [], [5.0, 6.0]) == 2


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
def test_a_population_is_compared_pair_by_pair(measure):
    rng = np.random.default_rng(3)
    spikes = rng.random((3, 70, 50, 2)) < 0.1  # circuits, trials, steps, columns
    raster = Raster(np.stack([pack(one) for one in spikes]), 70, 1.0, ("x", "y"))
    population = SpikeTrains.of_raster(raster)
    assert population.shape == (3, 70, 2)
    measured = SpikeTrains.of_raster(Raster(pack(spikes[1]), 70, 1.0, ("x", "y")))
    assert (measured.counts == spikes[1].sum(axis=1)).all()
    found = measure(measured, population)
    assert found.shape == (3, 70, 2)
    for place in [(0, 0, 0), (2, 69, 1), (1, 5, 0)]:
        one, other = (np.flatnonzero(spikes[c, place[1], :, place[2]]) + 1.0 for c in (1, place[0]))
        assert found[place] == of(measure, one, other)


def test_wrong_trains_are_refused_in_one_line():
    whole = SpikeTrains.of([[1.0], [2.0]], 10)
    for call, words in [
        (lambda: SpikeTrains.of([[1.0, 12.0]], 10), "train 0, spike 1: 12.0 ms lies outside"),
        (lambda: SpikeTrains.of([[float("nan")]], 10), "outside"),
        (lambda: SpikeTrains.of([[[1.0]], [[1.0], [2.0]]], 10), "equal lengths"),
        (lambda: SpikeTrains.of([["soon"]], 10), "must be numbers"),
        (lambda: SpikeTrains.of([], 0), "duration_ms must be above 0"),
        (lambda: spike_trains.van_rossum(whole, SpikeTrains.of([[1.0], [2.0]], 11)), "10 and 11 ms"),
        (lambda: spike_trains.van_rossum(whole, SpikeTrains.of([1.0], 10)), "shape"),
        (lambda: spike_trains.van_rossum(whole, whole, 0), "tau_ms must be above 0"),
        (lambda: spike_trains.binned_correlation(whole, whole, 20), "longer than the trains"),
    ]:
        with pytest.raises(UserError) as caught:
            call()
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
