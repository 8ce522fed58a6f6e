import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack
from fitness.references import lesioned, reference

TASK = fitness.task("tracking")
TRIALS = TASK.trials(3, 128)


def drive(trials=TRIALS):
    """The mean drive in each step, as a share of the high one: [trials, steps]."""
    passed = (np.arange(TASK.steps)[:, None] >= trials.facts["step_at"][:, None]).sum(axis=-1)
    return np.where((passed + trials.labels[:, None]) % 2 == 0, 1.0, 1 / TASK.step)


def scored(rate_hz):
    """Of an output that fires at rate_hz [trials, steps]."""
    spikes = np.random.default_rng(1).random(rate_hz.shape) < rate_hz / 1000
    return TASK.score(Raster(pack(spikes[..., None]), len(spikes), TASK.dt_ms, TASK.outputs), TRIALS)


def relaxed(rate_hz, tau_ms):
    found = rate_hz.copy()
    for k in range(1, TASK.steps):
        found[:, k] = found[:, k - 1] + (rate_hz[:, k - 1] - found[:, k - 1]) / tau_ms
    return found


TARGET = np.where(drive() == 1, 90.0, 30.0)


def test_the_drive_steps_up_and_down_by_half():
    trials = TASK.trials(1, 200)
    high = drive(trials) == 1
    assert trials.spikes[high].mean() == pytest.approx(0.45, rel=0.02)
    assert trials.spikes[~high].mean() == pytest.approx(0.3, rel=0.02)
    at = trials.facts["step_at"]
    assert at.shape == (200, 8)
    assert np.diff(at, axis=1).min() >= 79
    assert at.max() + 80 <= TASK.steps
    np.testing.assert_array_equal(high[np.arange(200), at[:, 0]], trials.labels == 1)


def test_an_output_that_follows_at_once_scores_1():
    assert scored(TARGET).value > 0.9
    assert scored(relaxed(TARGET, 3.0)).value > 0.85


def test_the_slower_it_follows_the_less_it_scores():
    values = [scored(relaxed(TARGET, tau)).value for tau in (3.0, 7.0, 12.0, 25.0)]
    assert (np.diff(values) < -0.1).all()
    assert values[-1] < 0.15


def test_relaying_one_train_scores_nothing():
    for k in range(2):
        spikes = TRIALS.spikes[..., k : k + 1]
        assert TASK.score(Raster(pack(spikes), 128, TASK.dt_ms, TASK.outputs), TRIALS).value < 0.1


def test_a_rate_that_does_not_change_or_changes_the_wrong_way_scores_nothing():
    assert scored(np.full_like(TARGET, 50.0)).value == 0
    assert scored(120.0 - TARGET).value == 0


def test_following_up_but_not_down_scores_nothing():
    slow_down = TARGET.copy()
    for k in range(1, TASK.steps):
        fall = slow_down[:, k - 1] + (TARGET[:, k - 1] - slow_down[:, k - 1]) / 25
        slow_down[:, k] = np.where(TARGET[:, k] > slow_down[:, k - 1], TARGET[:, k], fall)
    assert scored(slow_down).value < 0.2


def test_the_balanced_circuit_is_faster_than_its_membranes_and_saturates_without_inhibition():
    circuit = reference("tracking")
    assert {n.tau_m_ms for n in circuit.neurons} == {TASK.tau_m_ms}
    assert TASK.evaluate(circuit, TRIALS).value > 0.9
    assert TASK.evaluate(lesioned(TASK), TRIALS).value < 0.1
