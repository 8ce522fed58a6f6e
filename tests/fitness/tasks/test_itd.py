import hashlib

import numpy as np
import pytest

import fitness
from fitness.reference import lesioned, reference


def test_a_sweep_draws_each_trials_tone_from_a_range_and_keeps_the_counts():
    task = fitness.task("itd", frequency_hz=600.0, sweep=0.5, jitter_ms=0.0)
    trials = task.trials(1, 300)
    rows = np.stack([np.argwhere(trials.spikes[..., ear])[:, 1].reshape(300, task.cycles) for ear in (0, 1)])
    tones = 1000 / (np.diff(rows, axis=2).mean(axis=(0, 2)) * task.dt_ms)
    assert 298 < tones.min() < 320
    assert 580 < tones.max() < 602
    assert abs(np.corrcoef(tones, trials.labels)[0, 1]) < 0.2
    lag = (rows[1] - rows[0]).mean(axis=1) * task.dt_ms
    np.testing.assert_allclose(lag, trials.facts["itd_ms"], atol=0.03)


def test_a_sweep_of_tones_never_reaches_the_end_of_a_trial():
    for sweep in (0.3, 0.8):
        task = fitness.task("itd", sweep=sweep)
        assert not task.trials(2, 400).spikes[:, -round(4 / task.dt_ms) :].any()


def test_the_default_trials_are_what_they_were():
    digest = hashlib.sha256(fitness.task("itd").trials(1, 100).spikes.tobytes()).hexdigest()
    assert digest.startswith("27fea3f2f56b19b8")


@pytest.mark.parametrize("sweep", [0.0, 0.5])
def test_delay_lines_locate_any_tone_and_one_ear_none(sweep):
    task = fitness.task("itd", sweep=sweep)
    trials = task.trials(4, 256)
    assert task.evaluate(reference("itd"), trials).value > 0.95
    assert task.evaluate(lesioned(task), trials).value == 0
