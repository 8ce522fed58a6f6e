import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack

TASK = fitness.task("toggle")


def scored(trials, fires):
    """The score of an output that spikes in the steps where fires [trials, steps] is true."""
    return TASK.score(Raster(pack(fires[..., None]), len(trials), TASK.dt_ms, TASK.outputs), trials)


def state(trials, pulses_are_sets=None):
    """Whether the toggle is on in each step, for pulses taken as what they are, or as something else."""
    sets = trials.facts["sets"] if pulses_are_sets is None else pulses_are_sets
    time = np.arange(TASK.steps) + 1
    last = (trials.facts["pulse_ms"][..., None] < time).sum(axis=1) - 1
    return np.where(last < 0, False, np.take_along_axis(sets, np.maximum(last, 0), axis=1))


def test_pulses_are_small_volleys_with_holds_of_50_to_500_ms():
    trials = TASK.trials(1, 1000)
    holds = np.diff(trials.facts["pulse_ms"], axis=1)
    assert holds.min() >= 49.5
    assert 400 < holds.max() <= 500.5
    assert (TASK.duration_ms - trials.facts["pulse_ms"][:, -1]).min() >= 50
    assert (trials.spikes.sum(axis=1) == 3 * 3).all()
    for t in range(20):
        start = trials.facts["pulse_ms"][t]
        for channel, of_channel in ((0, trials.facts["sets"][t]), (1, ~trials.facts["sets"][t])):
            times = np.flatnonzero(trials.spikes[t, :, channel]) + 1
            lag = times[:, None] - start[of_channel]
            assert ((lag >= 0) & (lag <= 6)).any(axis=1).all()


def test_the_order_of_the_pulses_is_random_and_the_last_one_is_the_class():
    trials = TASK.trials(1, 1000)
    sets = trials.facts["sets"]
    np.testing.assert_array_equal(sets[:, -1], trials.labels == 1)
    assert (sets.sum(axis=1) == 3).all()
    assert len(np.unique(sets, axis=0)) == 20
    np.testing.assert_allclose(sets.mean(axis=0), 0.5, atol=0.06)


def test_every_hold_has_a_judged_bin_and_none_begins_within_20_ms_of_a_pulse():
    trials = TASK.trials(2, 1000)
    wanted, pulses = trials.facts["wanted"], trials.facts["pulse_ms"]
    start = 15.0 * np.arange(wanted.shape[1])
    judged = wanted >= 0
    for pulse, until in zip(pulses.T, [*pulses.T[1:], np.full(1000, 990.0)], strict=True):
        assert (judged & (start >= pulse[:, None] + 20) & (start + 15 <= until[:, None])).any(axis=1).all()
        assert not (judged & (start + 15 > pulse[:, None]) & (start < pulse[:, None] + 20)).any()
    assert (wanted[:, 0] == 0).all()


def test_holding_the_last_state_is_right_and_holding_the_other_one_is_wrong():
    trials = TASK.trials(3, 256)
    on = state(trials)
    assert scored(trials, on).value == 1
    assert (scored(trials, ~on).trial_scores == 0).all()
    assert scored(trials, on & (np.arange(TASK.steps) % 15 == 7)).value == 1  # a spike in each bin is enough
    assert scored(trials, on & (np.arange(TASK.steps) % 30 == 7)).value == pytest.approx(0.5, abs=0.05)


def test_a_late_switch_of_up_to_20_ms_is_forgiven():
    trials = TASK.trials(3, 256)
    on = state(trials)
    late = np.pad(on, ((0, 0), (20, 0)))[:, : TASK.steps]
    assert scored(trials, late).value == 1
    assert scored(trials, np.pad(on, ((0, 0), (45, 0)))[:, : TASK.steps]).value < 0.95


def test_counting_pulses_relaying_them_or_never_letting_go_does_not_do():
    trials = TASK.trials(4, 1024)
    pulses = trials.facts["sets"].shape[1]
    flips = np.broadcast_to(np.arange(pulses) % 2 == 0, trials.facts["sets"].shape)
    assert scored(trials, state(trials, flips)).value < 0.35  # every pulse flips it
    assert scored(trials, trials.spikes[..., 0]).value < 0.05
    recent = np.stack([np.convolve(train, np.ones(30), "full")[: TASK.steps] > 0 for train in trials.spikes[..., 0]])
    assert scored(trials, recent).value < 0.2
    ever = np.maximum.accumulate(state(trials), axis=1)
    assert scored(trials, ever).value < 0.45  # set for good by the first set
    ever = np.maximum.accumulate(trials.spikes.any(axis=-1), axis=1)
    assert scored(trials, ever).value < 0.25  # or by anything


@pytest.mark.parametrize("settings", [{"volleys": 1}, {"volleys": 4, "longest_ms": 150.0, "spikes": 8}])
def test_other_settings_make_sound_trials(settings):
    task = fitness.task("toggle", **settings)
    trials = task.trials(1, 128)
    assert (trials.spikes.sum(axis=1) == task.volleys * task.spikes).all()
    assert np.diff(trials.facts["pulse_ms"], axis=1).max(initial=0) <= task.longest_ms + 0.5
