import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack


def spiking(task, *counts):
    """A raster with counts[trial] spikes of each output."""
    spikes = np.arange(task.steps)[None, :, None] < np.stack(counts, axis=-1)[:, None]
    return Raster(pack(spikes), len(spikes), task.dt_ms, task.outputs)


@pytest.mark.parametrize("channels", [3, 4, 8])
def test_volleys_pass_over_the_channels_at_the_speeds_it_says(channels):
    task = fitness.task("direction", channels=channels, jitter_ms=0.0)
    trials = task.trials(1, 64)
    assert set(trials.spikes.sum(axis=1).ravel()) == {1, 2, 3, 4}
    first = (np.argmax(trials.spikes, axis=1) + 1) * task.dt_ms
    gaps = np.diff(first, axis=1)
    way = np.where(trials.labels == 1, 1, -1)[:, None]
    np.testing.assert_allclose(gaps * way, np.broadcast_to(trials.facts["step_ms"][:, None], gaps.shape), atol=2.5)
    assert trials.facts["step_ms"].min() == 4
    assert trials.facts["step_ms"].max() == 16


def test_each_speed_comes_equally_often_in_both_directions():
    trials = fitness.task("direction").trials(1, 64)
    for label in (0, 1):
        np.testing.assert_array_equal(np.bincount(trials.facts["speed"][trials.labels == label]), [8, 8, 8, 8])


def test_each_output_is_judged_by_a_direction_of_its_own():
    task = fitness.task("direction")
    trials = task.trials(1, 64)
    forward, never = trials.labels, np.zeros(64, int)
    for counts, score in [((forward, 3 - 3 * forward), 1), ((forward, never), 0.5), ((1 - forward, forward), -1)]:
        assert task.score(spiking(task, *counts), trials).value == pytest.approx(max(0, score))


def test_answering_one_direction_scores_1_and_the_other_nothing():
    task = fitness.task("direction", both=False)
    trials = task.trials(1, 64)
    assert task.score(spiking(task, trials.labels), trials).value == 1
    assert task.score(spiking(task, 5 * trials.labels), trials).value == 1
    assert task.score(spiking(task, 1 - trials.labels), trials).value == 0
    assert task.score(spiking(task, 5 * trials.labels + 1), trials).value == pytest.approx(5 / 7)


def test_a_stray_spike_is_no_selectivity():
    task = fitness.task("direction", both=False)
    trials = task.trials(1, 64)
    one = np.arange(64) == np.flatnonzero(trials.labels == 1)[0]
    assert task.score(spiking(task, one), trials).value < 0.05


def test_telling_the_direction_at_one_speed_alone_is_a_quarter():
    task = fitness.task("direction", both=False)
    trials = task.trials(1, 64)
    assert task.score(spiking(task, trials.labels * (trials.facts["speed"] == 0)), trials).value == pytest.approx(0.25)


def test_the_time_of_one_channel_tells_nothing_certain():
    """A circuit that listens to a single place cannot do it: its volley comes early or late, but the start varies too."""
    task = fitness.task("direction", both=False)
    trials = task.trials(1, 512)
    middle = np.argmax(trials.spikes[..., 1], axis=1)
    late = middle > np.median(middle)
    for answer in (late, ~late):
        assert task.score(spiking(task, answer), trials).value < 0.6
