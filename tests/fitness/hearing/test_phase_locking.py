"""Both ears fire for the same cycles of a sound, so that their spikes never say that the wrong ear leads."""

import numpy as np
import pytest

from fitness.hearing.phase_locking import HalfWaves, half_waves, paired

PERIOD = 10.0


def ear(onset, unheard=()):
    onset = np.asarray(onset, float)
    return HalfWaves(onset, ~np.isin(np.arange(len(onset)), unheard))


@pytest.mark.parametrize("lag", [-4.7, -3.0, 0.0, 1.5, 4.7])
def test_a_cycle_that_one_ear_alone_hears_makes_no_spike(lag):
    onset = np.arange(20) * PERIOD
    left, right = paired(ear(onset, (0, 7, 8)), ear(onset + lag, (3, 8, 19)))
    np.testing.assert_allclose(right - left, lag)
    assert np.isin([0, 30, 70, 80, 190], left).sum() == 0
    assert len(left) == 15 or (abs(lag) > 4 and len(left) >= 14)  # the outermost may have no neighbour to be told from


@pytest.mark.parametrize("lag", [-5.1, -4.9, 4.9, 5.0, 5.1])
def test_ears_half_a_cycle_apart_do_not_tell_which_leads(lag):
    onset = np.arange(1, 20) * PERIOD
    left, _ = paired(ear(onset), ear(onset + lag))
    assert len(left) <= 1  # at an end


def test_cycles_of_uneven_length_are_paired_one_to_one():
    rng = np.random.default_rng(0)
    onset = np.cumsum(rng.uniform(7, 13, 500))
    left, right = paired(ear(onset, rng.integers(0, 500, 100)), ear(onset + rng.uniform(2, 3, 500), rng.integers(0, 500, 100)))
    assert 300 < len(left) < 400
    assert ((right - left > 2) & (right - left < 3)).all()
    assert (np.diff(left) > 0).all()


def test_an_ear_without_any_half_wave_leaves_none():
    for a, b in (([], []), ([1.0, 11.0], []), ([], [3.0])):
        left, right = paired(ear(a), ear(b))
        assert len(left) == len(right) == 0


def test_half_waves_set_in_between_samples_and_are_heard_by_their_peak_and_where_they_are_the_bands_own():
    t = np.arange(400)
    wave = np.sin(2 * np.pi * (t - 3.25) / 40) * np.where(t < 200, 1.0, 0.2)
    own = t > 60
    found = half_waves(wave, 0.5, own)
    np.testing.assert_allclose(found.onset, 3.25 + 40 * np.arange(10), atol=0.01)
    np.testing.assert_array_equal(np.flatnonzero(found.audible), [2, 3, 4])
    assert len(half_waves(np.zeros(10), 0.5, np.ones(10, bool)).onset) == 0
