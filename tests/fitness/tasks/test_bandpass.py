import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack


@pytest.fixture
def task():
    return fitness.task("bandpass")


@pytest.fixture
def trials(task):
    return task.trials(1, 800)


def score(task, trials, spikes):
    """The score of an output that fires `spikes` times in each trial, [trials]."""
    order = np.random.default_rng(0).random((len(trials), task.steps)).argsort(axis=1)
    fired = order < np.rint(np.broadcast_to(spikes, len(trials)))[:, None]
    return task.score(Raster(pack(fired[..., None]), len(trials), task.dt_ms, task.outputs), trials)


def test_the_input_beats_at_5_to_200_hz(task, trials):
    frequency = trials.facts["frequency_hz"]
    np.testing.assert_allclose(np.unique(frequency), 5 * 40 ** (np.arange(8) / 7))
    counts = trials.spikes[..., 0].sum(axis=1)
    assert (np.abs(counts - frequency * 0.4) <= 1.5).all()
    fast = trials.spikes[trials.labels == 6][..., 0]
    intervals = np.concatenate([np.diff(np.flatnonzero(train)) for train in fast])
    assert np.abs(intervals - 1000 / frequency[trials.labels == 6][0]).max() < 2.5


def test_the_phase_is_random(task, trials):
    slow = trials.spikes[trials.labels == 0][..., 0]
    first = slow.argmax(axis=1)
    assert first.std() > 40


def test_the_right_tuning_curve_scores_1_at_any_height(task, trials):
    right = task.tuning(trials.facts["frequency_hz"])
    for height in (60, 300):
        assert score(task, trials, height * right).value > 0.98


@pytest.mark.parametrize("limit", [1, 4, 12, 40, 400])
def test_a_relay_scores_nothing_however_it_saturates(task, trials, limit):
    assert score(task, trials, np.minimum(trials.spikes.sum(axis=(1, 2)), limit)).value < 0.01


def test_no_step_up_or_down_scores(task, trials):
    for level in range(8):
        assert score(task, trials, 20 * (trials.labels >= level)).value < 0.01
        assert score(task, trials, 20 * (trials.labels <= level)).value < 0.01


def test_tuning_to_another_frequency_scores_nothing(task, trials):
    for best in (8, 180):
        away = fitness.task("bandpass").tuning(trials.facts["frequency_hz"] * 45 / best)
        assert score(task, trials, 40 * away).value < 0.01


def test_a_shallow_curve_scores_less(task, trials):
    right = task.tuning(trials.facts["frequency_hz"])
    deep, shallow = (score(task, trials, floor + 20 * right).value for floor in (0, 60))
    assert deep > 0.98
    assert shallow < 0.3


def test_marks_want_spikes_near_the_best_frequency_and_silence_elsewhere(task, trials):
    right = task.tuning(trials.facts["frequency_hz"])
    none, many = score(task, trials, 0).case_scores, score(task, trials, 30).case_scores
    assert (many > none)[right > 0.8].all()
    assert (many < none)[right < 0.2].all()
