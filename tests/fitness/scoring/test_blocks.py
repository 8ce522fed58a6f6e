"""Differences of correlations, with intervals by the moving-block bootstrap."""

import numpy as np
import pytest

from fitness.scoring.blocks import correlation, difference, resampled


def series(seed, bins=1000):
    """A slow signal, counts drawn at its rate, and a poorer prediction of these."""
    rng = np.random.default_rng(seed)
    slow = np.convolve(rng.normal(size=bins + 40), np.ones(20) / np.sqrt(20), "valid")[:bins]
    return slow, rng.poisson(np.exp(slow - 1.0)), slow + 2.0 * rng.normal(size=bins)


def test_correlation_is_numpys_and_zero_for_constants():
    slow, counts, poor = series(0)
    expected = [np.corrcoef(counts, x)[0, 1] for x in (slow, poor)]
    np.testing.assert_allclose(correlation(counts, np.stack([slow, poor])), expected, rtol=1e-12)
    assert correlation(counts, np.full(len(counts), 0.3)) == 0


def test_identical_predictions_do_not_differ():
    slow, counts, _ = series(0)
    assert difference(counts, slow, 2 * slow + 3, 50) == pytest.approx((0, 0, 0), abs=1e-9)


def test_a_clearly_better_prediction_has_an_interval_above_zero_and_the_reverse_is_its_mirror():
    slow, counts, poor = series(0)
    value, low, high = difference(counts, slow, poor, 50)
    assert 0 < low < value < high
    assert difference(counts, poor, slow, 50) == pytest.approx((-value, -high, -low))


def test_samples_are_drawn_by_the_seed():
    slow, counts, poor = series(1)
    drawn = [resampled(counts, np.stack([slow, poor]), 50, 100, seed) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_blocks_keep_what_neighbouring_bins_share():
    """Repeating every bin adds no information: blocks of 20 then have the error of the bins before, blocks of 1 half of it."""
    slow, counts, poor = (np.repeat(x, 4) for x in series(2, 500))
    long, short = (resampled(counts, np.stack([slow, poor]), block, 1000).std(axis=0) for block in (80, 1))
    assert (long > 1.5 * short).all()


@pytest.mark.long
def test_the_interval_covers_the_true_difference_nearly_as_often_as_it_says():
    drawn = [series(seed) for seed in range(200)]
    true = np.mean([correlation(counts, slow) - correlation(counts, poor) for slow, counts, poor in drawn])
    found = [difference(counts, slow, poor, 50, 300) for slow, counts, poor in drawn]
    assert np.mean([d.low <= true <= d.high for d in found]) > 0.88
