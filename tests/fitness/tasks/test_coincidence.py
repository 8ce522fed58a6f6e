import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack


def score(task, trials, spikes):
    return task.score(Raster(pack(spikes[..., None]), len(trials), task.dt_ms, task.outputs), trials)


def test_lags_are_at_most_2_ms_or_3_to_10_ms_either_way():
    trials = fitness.task("coincidence").trials(1, 2000)
    lag = trials.facts["lag_ms"]
    size, together = np.abs(lag), trials.labels == 1
    assert size[together].max() <= 2
    assert 3 <= size[~together].min() < 3.2
    assert 9.8 < size[~together].max() <= 10
    assert abs((lag > 0).mean() - 0.5) < 0.05


def test_the_volleys_are_as_far_apart_as_the_lag_says():
    task = fitness.task("coincidence")
    trials = task.trials(1, 200)
    first = [np.argmax(trials.spikes[..., c], axis=1) * task.dt_ms for c in (0, 1)]
    np.testing.assert_allclose(first[1] - first[0], trials.facts["lag_ms"], atol=0.51)


@pytest.mark.parametrize(("spikes", "more"), [(1, 0), (2, 4), (6, 0)])
def test_every_volley_has_as_many_spikes_as_the_settings_say(spikes, more):
    trials = fitness.task("coincidence", spikes=spikes, more=more).trials(1, 200)
    sizes = trials.spikes.sum(axis=1)
    assert set(sizes.ravel()) == set(range(spikes, spikes + more + 1))
    assert more == 0 or abs(np.corrcoef(sizes.T)[0, 1]) < 0.2


def test_a_spike_in_the_right_trials_is_perfect_and_in_all_or_the_wrong_ones_worth_nothing():
    task = fitness.task("coincidence")
    trials = task.trials(1, 200)
    spikes = np.zeros((200, task.steps), bool)
    spikes[trials.labels == 1, 60] = True
    assert score(task, trials, spikes).value == pytest.approx(1)
    assert score(task, trials, spikes).case_scores.min() == 1
    spikes[:, 60] = True
    assert score(task, trials, spikes).value == 0
    spikes[trials.labels == 1, 60] = False
    assert score(task, trials, spikes).value == 0


def test_repeating_a_channel_scores_nothing():
    task = fitness.task("coincidence")
    trials = task.trials(1, 200)
    assert score(task, trials, trials.spikes[..., 0]).value == 0
    assert score(task, trials, trials.spikes.any(axis=-1)).value == 0


def test_one_spike_too_many_costs_less_than_two():
    task = fitness.task("coincidence")
    trials = task.trials(1, 20)
    spikes = np.zeros((20, task.steps), bool)
    case_scores = []
    for step in (50, 60, 70):
        spikes[:, step] = True
        case_scores.append(score(task, trials, spikes).case_scores[trials.labels == 0].mean())
    assert case_scores[0] > case_scores[1] > case_scores[2] > 0
