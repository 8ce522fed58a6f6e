import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack

SILENT, LOW, MIDDLE, HIGH = -1, 0, 1, 2


def drives(task, trials):
    """Which drive is on in each step, int [trials, steps], and the time since its segment began in ms."""
    time = np.arange(task.steps) * task.dt_ms - trials.facts["start_ms"][:, None]
    segment = np.floor(time / 150).astype(int)
    orders = np.array([(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])[trials.labels]
    on = (segment >= 0) & (segment < 3)
    return np.where(on, np.take_along_axis(orders, np.clip(segment, 0, 2), axis=1), SILENT), time - segment * 150


def score(task, trials, rate_hz, regular=True, seed=0):
    """The score of a neuron that fires at rate_hz [trials, steps]."""
    rng = np.random.default_rng(seed)
    due = rate_hz * task.dt_ms / 1000
    if regular:  # whenever the integral of the rate passes a whole number, from a random phase on
        fired = np.diff(np.floor(np.cumsum(due, axis=1) + rng.random((len(due), 1))), axis=1, prepend=0) > 0
        fired[:, 0] = False
    else:
        fired = rng.random(due.shape) < due
    return task.score(Raster(pack(fired[..., None]), len(trials), task.dt_ms, task.outputs), trials)


@pytest.fixture
def task():
    return fitness.task("setpoint")


@pytest.fixture
def trials(task):
    return task.trials(1, 600)


def test_the_drive_steps_between_75_and_600_hz_in_all_orders(task, trials):
    drive, _ = drives(task, trials)
    for which, rate in ((LOW, 75), (MIDDLE, 212), (HIGH, 600)):
        assert trials.spikes[..., 0][drive == which].mean() * 1000 / task.dt_ms == pytest.approx(rate, rel=0.05)
    assert not trials.spikes[..., 0][drive == SILENT].any()
    start = trials.facts["start_ms"]
    assert (start.min(), start.max()) == (50, 250)
    assert set(trials.labels) == set(range(6))


def test_a_rate_at_the_set_point_scores_1(task, trials):
    drive, _ = drives(task, trials)
    assert score(task, trials, 60.0 * (drive != SILENT)).value > 0.98


def test_50_ms_after_a_step_are_free_but_for_an_overshoot(task, trials):
    drive, since = drives(task, trials)
    for rate, least, most in ((0, 0.95, 1), (100, 0.95, 1), (180, 0.2, 0.3), (300, 0, 0)):
        found = score(task, trials, np.where(since < 50, rate, 60) * (drive != SILENT)).value
        assert least <= found <= most


@pytest.mark.parametrize("rate", [30.0, 60.0, 120.0])
def test_a_pacemaker_scores_nothing(task, trials, rate):
    assert score(task, trials, np.full((600, task.steps), rate)).value == 0


def test_firing_that_the_drive_starts_and_does_not_end_scores_nothing(task, trials):
    time = np.arange(task.steps) * task.dt_ms
    assert score(task, trials, 60.0 * (time >= trials.facts["start_ms"][:, None])).value == 0


@pytest.mark.parametrize("share", [1, 1 / 2, 60 / 212, 1 / 5, 1 / 10])
def test_following_the_drive_scores_nothing(task, trials, share):
    drive, _ = drives(task, trials)
    followed = share * np.array([75, 212, 600, 0])[drive]
    assert score(task, trials, followed, regular=False).value < 0.05


def test_the_settling_error_counts_from_15_to_50_percent(task, trials):
    drive, _ = drives(task, trials)
    found = [score(task, trials, rate * (drive != SILENT)).value for rate in (60.0, 66.0, 75.0, 82.0, 92.0)]
    assert found[0] > 0.98
    assert found[1] > 0.95
    assert 0.95 > found[2] > found[3] > found[4] == 0


def test_no_excitatory_neuron_may_run_away_but_an_inhibitory_one_may(task, trials):
    drive, _ = drives(task, trials)
    phase = (np.arange(task.steps) % 17) == 0  # 59 Hz
    fired = np.stack([phase & (drive != SILENT), drive != SILENT], axis=-1)
    found = []
    for excitatory in ((True, True), (True, False)):
        raster = Raster(pack(fired), len(trials), task.dt_ms, ("a", "b"), excitatory=np.array(excitatory))
        found.append(task.score(raster, trials).value)
    assert found[0] == 0
    assert found[1] > 0.95


def test_a_mark_grows_from_silence_to_the_set_point_and_falls_with_spikes_in_silence(task, trials):
    drive, _ = drives(task, trials)
    rates = [0.0, 20.0, 40.0, 60.0]
    marks = [score(task, trials, rate * (drive != SILENT)).case_scores.mean() for rate in rates]
    assert marks == sorted(marks)
    assert marks[0] == 0
    assert marks[-1] > 0.9
    assert score(task, trials, np.full(drive.shape, 60.0)).case_scores.mean() < 0.2
