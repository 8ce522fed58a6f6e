import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack

SETTLE = 30


def spiking(task, counts):
    """A raster with counts[trial, output] spikes, all of them after the time that does not count."""
    step = np.arange(task.steps)[None, :, None] - SETTLE
    spikes = (step >= 0) & (step < np.asarray(counts)[:, None, :])
    return Raster(pack(spikes), len(spikes), task.dt_ms, task.outputs)


def value(task, trials, counts):
    return float(task.score(spiking(task, np.rint(counts)), trials).value)


def target(task, trials, slope=0.5, offset=30):
    return offset + slope * task.profile(trials.facts["rates_hz"])


@pytest.mark.parametrize("channels", [4, 5, 16])
def test_a_step_lies_between_any_two_channels_and_goes_either_way(channels):
    task = fitness.task("edge", channels=channels, judged_ms=500.0, jitter=0.0)
    trials = task.trials(1, 6 * (channels - 1))
    rates = trials.facts["rates_hz"]
    assert set(np.unique(rates)) == {60, 180}
    assert (np.count_nonzero(np.diff(rates, axis=1), axis=1) == 1).all()
    assert len(np.unique(rates, axis=0)) == 2 * (channels - 1)
    np.testing.assert_allclose(trials.spikes.sum(axis=1) / 0.53, rates, atol=2 / 0.53)


def test_the_profile_overshoots_on_the_bright_side_and_undershoots_on_the_dark_one():
    profile = fitness.task("edge", channels=6).profile(np.array([100.0, 100, 100, 180, 180, 180]))
    np.testing.assert_allclose(profile, [10, 10, -26, 54, 18, 18])


def test_a_row_that_does_not_change_has_a_flat_profile_to_its_ends():
    np.testing.assert_allclose(fitness.task("edge").profile(np.full(5, 100.0)), 10)


def test_the_profile_scores_1_at_any_scale_and_offset():
    task = fitness.task("edge")
    trials = task.trials(1, 96)
    assert value(task, trials, target(task, trials)) > 0.99
    assert value(task, trials, target(task, trials, slope=1.5, offset=75)) > 0.99
    assert value(task, trials, -target(task, trials, offset=-100)) == 0


def test_relaying_the_rates_scores_nothing_in_counts_or_times():
    task = fitness.task("edge")
    trials = task.trials(1, 96)
    assert value(task, trials, trials.facts["rates_hz"]) == pytest.approx(0, abs=1e-9)
    assert task.score(Raster(pack(trials.spikes), 96, task.dt_ms, task.outputs), trials).value < 0.02


def test_relaying_with_a_threshold_scores_nothing():
    task = fitness.task("edge")
    trials = task.trials(1, 96)
    for threshold in (90, 120, 150, 179):
        assert value(task, trials, np.maximum(0, trials.facts["rates_hz"] - threshold)) < 0.02


def test_the_score_climbs_with_the_strength_of_lateral_inhibition():
    task = fitness.task("edge")
    trials = task.trials(1, 96)
    rates = trials.facts["rates_hz"]
    values = []
    for strength in (0.3, 0.5, 0.7, 0.9):
        weaker = fitness.task("edge", strength=strength)
        values.append(value(task, trials, 30 + 0.5 * weaker.profile(rates)))
    assert (np.diff(values) > 0).all()
    assert values[0] < 0.5
    assert values[-1] > 0.99


def test_marking_only_one_side_of_the_edge_is_not_enough():
    task = fitness.task("edge")
    trials = task.trials(1, 96)
    rates = trials.facts["rates_hz"]
    overshoot = np.maximum(task.profile(rates) - 18, 0)
    assert value(task, trials, overshoot) < 0.5


def test_what_fires_before_it_has_settled_does_not_count():
    task = fitness.task("edge")
    trials = task.trials(1, 96)
    spikes = spiking(task, np.rint(target(task, trials))).spikes()
    spikes[:, :SETTLE, 0] = True
    assert task.score(Raster(pack(spikes), 96, task.dt_ms, task.outputs), trials).value > 0.99
