import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack

SETTLE = 50


def spiking(task, counts):
    """A raster with counts[trial, output] spikes, all of them after the time that does not count."""
    step = np.arange(task.steps)[None, :, None] - SETTLE
    spikes = (step >= 0) & (step < np.asarray(counts)[:, None, :])
    return Raster(pack(spikes), len(spikes), task.dt_ms, task.outputs)


def winners(task, trials, count):
    return count * (np.arange(task.channels) == trials.labels[:, None])


@pytest.mark.parametrize("channels", [2, 3, 8])
def test_one_channel_is_faster_than_all_others_by_what_it_says(channels):
    task = fitness.task("winner", channels=channels, judged_ms=500.0, jitter=0.0)
    trials = task.trials(1, 96)
    rates = trials.spikes.sum(axis=1) / 0.55
    base, delta = trials.facts["base_hz"], trials.facts["delta_hz"]
    assert set(np.unique(delta)) == {30, 60, 90}
    assert base.min() >= 50
    assert base.max() <= 150
    np.testing.assert_allclose(rates, base[:, None] + winners(task, trials, 1) * delta[:, None], atol=2 / 0.55)


def test_the_winner_alone_scores_1_and_another_alone_nothing():
    task = fitness.task("winner")
    trials = task.trials(1, 96)
    assert task.score(spiking(task, winners(task, trials, 10)), trials).value == 1
    assert task.score(spiking(task, np.roll(winners(task, trials, 10), 1, axis=1)), trials).value == 0


def test_the_more_the_others_fire_the_less_it_is_worth():
    task = fitness.task("winner")
    trials = task.trials(1, 96)
    others = 1 - winners(task, trials, 1)
    values = [task.score(spiking(task, winners(task, trials, 20) + n * others), trials).value for n in (0, 1, 3, 6, 20)]
    assert values[0] == 1
    assert values[1] > 0.8
    assert (np.diff(values) < 0).all() or values[-2:] == [0, 0]
    assert values[-1] == 0


def test_one_spike_of_the_winner_is_little():
    task = fitness.task("winner")
    trials = task.trials(1, 96)
    assert task.score(spiking(task, winners(task, trials, 1)), trials).value < 0.1


def test_what_fires_before_it_has_settled_does_not_count():
    task = fitness.task("winner")
    trials = task.trials(1, 96)
    spikes = spiking(task, winners(task, trials, 10)).spikes()
    spikes[:, :SETTLE] = True
    assert task.score(Raster(pack(spikes), 96, task.dt_ms, task.outputs), trials).value == 1


@pytest.mark.parametrize("channels", [2, 3, 8])
def test_relaying_the_input_scores_nothing(channels):
    task = fitness.task("winner", channels=channels)
    trials = task.trials(1, 480)
    assert task.score(Raster(pack(trials.spikes), 480, task.dt_ms, task.outputs), trials).value < 0.05


@pytest.mark.parametrize("channels", [2, 3, 8])
def test_no_threshold_on_each_channel_by_itself_finds_the_winner(channels):
    task = fitness.task("winner", channels=channels)
    trials = task.trials(1, 480)
    counts = trials.spikes[:, SETTLE:].sum(axis=1)
    for threshold in range(0, 30, 2):
        answer = spiking(task, 3 * np.maximum(0, counts - threshold))
        assert task.score(answer, trials).value < 0.6
