import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack


def score(task, trials, spikes):
    return task.score(Raster(pack(spikes[..., None]), len(spikes), task.dt_ms, task.outputs), trials)


def at_rates(task, trials, rate_hz, seed=0):
    """The score of an output that fires at rate_hz [trials], at random."""
    fired = np.random.default_rng(seed).random((len(trials), task.steps)) < rate_hz[:, None] * task.dt_ms / 1000
    return score(task, trials, fired)


def test_drives_are_5_to_200_hz_in_eight_equal_ratios():
    task = fitness.task("gain")
    trials = task.trials(1, 4096)
    drives = np.unique(trials.facts["drive_hz"])
    np.testing.assert_allclose(drives, 5 * 40 ** (np.arange(8) / 7))
    for level, drive in enumerate(drives):
        measured = trials.spikes[trials.labels == level].mean() * 1000 / task.dt_ms
        assert measured == pytest.approx(drive, rel=0.1, abs=0.5)


def test_the_right_rate_is_half_the_largest_where_the_drive_is_half_hz():
    task = fitness.task("gain", r_max_hz=80, half_hz=30)
    assert task.right_hz(30.0) == 40
    assert task.right_hz(1e9) == pytest.approx(80)


def test_the_right_curve_scores_1_and_its_noise_costs_little():
    task = fitness.task("gain")
    trials = task.trials(1, 2048)
    right = task.right_hz(trials.facts["drive_hz"])
    found = at_rates(task, trials, right)
    assert found.value > 0.95
    exact = found.measured * 0 + right[:, None]
    assert task.overall(exact, trials) == pytest.approx(1)
    assert task.mark(exact, trials) == pytest.approx(1)


@pytest.mark.parametrize("slope", [1.0, 0.5, 0.3, 0.2, 0.1])
def test_no_straight_line_scores(slope):
    task = fitness.task("gain")
    trials = task.trials(1, 2048)
    assert at_rates(task, trials, slope * trials.facts["drive_hz"]).value < 0.05


@pytest.mark.parametrize("rate", [5.0, 30.0, 100.0])
def test_no_steady_rate_scores(rate):
    task = fitness.task("gain")
    trials = task.trials(1, 2048)
    assert at_rates(task, trials, np.full(2048, rate)).value < 0.05


def test_refractoriness_of_2_ms_alone_is_no_normalisation():
    task = fitness.task("gain")
    trials = task.trials(1, 2048)
    drive = trials.facts["drive_hz"]
    assert at_rates(task, trials, drive / (1 + 0.002 * drive)).value == 0


def test_a_curve_that_falls_where_it_should_rise_costs_its_share_of_all_changes():
    task = fitness.task("gain")
    trials = task.trials(1, 64)
    drive = np.geomspace(5, 200, 8)
    right = task.right_hz(drive)
    line = drive * (drive @ right) / (drive @ drive)
    for fall_hz in (0.0, 1e-6, 0.1, 2.0):
        curve = np.append(right[:-1], right[-2] - fall_hz)
        error, of_line, of_mean = (((c - right) ** 2).sum() for c in (curve, line, right.mean()))
        r2 = 1 - error / min(of_line, of_mean)
        rise_hz = right[-2] - right[0]
        found = task.overall(curve[trials.labels][:, None], trials)
        assert found == pytest.approx(r2 * rise_hz / (rise_hz + fall_hz))


def test_no_score_jumps_where_the_curve_is_flat():
    """Drives between which the mean rate hardly rises fall by chance in one draw or another: that must cost next to nothing."""
    task = fitness.task("gain")
    trials = task.trials(1, 64)
    right = task.right_hz(np.geomspace(5, 200, 8))
    for level in range(1, 8):
        for nudge_hz in (-1e-9, 1e-9):
            curve = right.copy()
            curve[level] = curve[level - 1] + nudge_hz
            flat = np.where(np.arange(8) == level, curve[level - 1], right)
            scores = [task.overall(c[trials.labels][:, None], trials) for c in (curve, flat)]
            assert scores[0] == pytest.approx(scores[1], abs=1e-6)


def test_no_excitatory_neuron_may_saturate_hidden_behind_the_output():
    task = fitness.task("gain")
    trials, rng = task.trials(1, 1024), np.random.default_rng(0)
    right = task.right_hz(trials.facts["drive_hz"])
    rates = np.stack([right, np.full(1024, 300.0)], axis=-1)
    fired = rng.random((1024, task.steps, 2)) < rates[:, None] * task.dt_ms / 1000
    for excitatory, least, most in (((True, True), 0, 0), ((True, False), 0.95, 1)):
        raster = Raster(pack(fired), 1024, task.dt_ms, ("a", "b"), excitatory=np.array(excitatory))
        assert least <= task.score(raster, trials).value <= most


def test_a_mark_is_the_smaller_over_the_larger_of_rate_and_right_rate():
    task = fitness.task("gain")
    trials = task.trials(1, 16)
    right = task.right_hz(trials.facts["drive_hz"])[:, None]
    for factor, wanted in ((0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (2.0, 0.5)):
        np.testing.assert_allclose(task.mark(factor * right, trials), wanted)
