import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack


@pytest.fixture
def task():
    return fitness.task("onset")


@pytest.fixture
def trials(task):
    return task.trials(1, 512)


def score(task, trials, times):
    """One output spike at each of times, ms after the step: float [spikes], or [trials, spikes]; NaN: none."""
    at = 10 * trials.facts["window"][:, None] + np.broadcast_to(times, (len(trials), np.shape(times)[-1]))
    trial, spike = np.nonzero(at == at)
    spikes = np.zeros((len(trials), task.steps, 1), bool)
    spikes[trial, np.rint(at[trial, spike] / task.dt_ms).astype(int) - 1, 0] = True
    return task.score(Raster(pack(spikes), len(trials), task.dt_ms, task.outputs), trials)


def test_the_drive_steps_up_from_10_to_about_600_hz_50_to_140_ms_after_the_start(task, trials):
    window = trials.facts["window"]
    assert set(window) == set(range(5, 15))
    on = np.arange(task.steps) * task.dt_ms >= 10 * window[:, None]
    hz = [trials.spikes[..., 0][part].mean() / task.dt_ms * 1000 for part in (~on, on)]
    np.testing.assert_allclose(hz, [10, 600], rtol=0.05)
    np.testing.assert_array_equal(trials.labels, window >= 10)


def test_one_spike_within_10_ms_of_the_step_is_perfect_and_further_ones_up_to_20_ms_cost_nothing(task, trials):
    for times in ([0.5], [10.0], [4.0, 6.0, 8.0], [9.0, 19.0, 20.0]):
        assert score(task, trials, times).value == pytest.approx(1)
        np.testing.assert_array_equal(score(task, trials, times).case_scores, 1)


def test_a_spike_too_late_or_too_early_is_no_hit(task, trials):
    for times in ([0.0], [10.5], [30.0]):
        assert score(task, trials, times).value == 0
    np.testing.assert_array_equal(score(task, trials, [15.0]).case_scores, 0.5)


def test_a_hit_in_half_of_the_trials_is_worth_half(task, trials):
    times = np.where(np.arange(512)[:, None] % 2, 5.0, np.nan)
    assert score(task, trials, times).value == pytest.approx(0.5, abs=0.05)


def test_what_is_sustained_is_taken_off(task, trials):
    once_in_20_ms = np.r_[5.0, np.arange(21, 110, 20)]  # half of the windows of the first 100 ms after the step
    late = trials.labels == 1
    found = score(task, trials, once_in_20_ms)
    expected = 1 - 5 / (23 - trials.facts["window"])
    np.testing.assert_allclose(found.case_scores, expected)
    assert found.case_scores[late].mean() < found.case_scores[~late].mean()
    assert found.value == pytest.approx((expected * trials.weights).sum())


def test_false_alarms_are_taken_off(task, trials):
    found = score(task, trials, [-12.0, -5.0, 5.0])
    expected = 1 - 2 / trials.facts["window"]
    np.testing.assert_allclose(found.case_scores, expected)
    assert found.value == pytest.approx((expected * trials.weights).sum())


def test_a_spike_at_one_time_in_all_trials_or_at_every_input_spike_scores_nothing(task, trials):
    spikes = np.zeros((512, task.steps, 1), bool)
    spikes[:, 200] = True
    assert task.score(Raster(pack(spikes), 512, task.dt_ms, task.outputs), trials).value < 0.1
    assert task.score(Raster(pack(trials.spikes), 512, task.dt_ms, task.outputs), trials).value == 0


def test_the_first_input_spike_is_no_good_sign_of_the_step(task, trials):
    spikes = np.zeros((512, task.steps, 1), bool)
    spikes[np.arange(512), np.argmax(trials.spikes[..., 0], axis=1), 0] = True
    assert task.score(Raster(pack(spikes), 512, task.dt_ms, task.outputs), trials).value < 0.4
