import hashlib

import numpy as np
import pytest

import fitness
from circuits import Circuit
from fitness.references import lesioned, reference
from fitness.tasks.itd import HEAD_MS
from tests.fitness.answers import trained_and_tested


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


@pytest.mark.parametrize("detectors", range(2, 9))
def test_the_phase_in_one_ear_alone_says_nothing_about_the_direction(detectors):
    task = fitness.task("itd", detectors=detectors)
    steps = round(1000 / task.frequency_hz / task.dt_ms)

    def phases(ear):
        def features(spikes):
            one = spikes[..., ear]
            whole = one[:, : one.shape[1] // steps * steps].reshape(len(one), -1, steps).sum(axis=1)
            turns = np.exp(2j * np.pi * np.arange(steps) / steps)
            vector = (whole * turns).sum(axis=1) / whole.sum(axis=1)
            return np.column_stack([vector.real, vector.imag])

        return features

    for ear in (0, 1):
        assert trained_and_tested(task, phases(ear)) <= 0.1


@pytest.mark.parametrize("detectors", range(2, 9))
def test_time_differences_are_those_of_a_human_head(detectors):
    task = fitness.task("itd", detectors=detectors, jitter_ms=0.0)
    assert task.dt_ms == 0.05
    assert np.abs(task.directions_ms).max() < HEAD_MS == 0.7
    np.testing.assert_allclose(task.directions_ms, -task.directions_ms[::-1], atol=1e-12)
    trials = task.trials(1, 64)
    first = [np.argmax(trials.spikes[..., ear], axis=1) * 0.05 for ear in (0, 1)]
    np.testing.assert_allclose(first[1] - first[0], trials.facts["itd_ms"], atol=0.0501)
    assert (np.diff(task.directions_ms) > 0).all()  # from left leading... to right trailing: later and later in the right ear


def jeffress():
    """Delay lines and coincidence detectors for two directions: each detector hears the leading ear later."""
    tau = {"tau_m_ms": 0.2, "tau_syn_e_ms": 0.1, "t_ref_ms": 1.0}
    neurons = [{"id": f"E{k}", "sign": "E", **tau} for k in range(2)]
    lags = {"left": (0.05, 0.4), "right": (0.4, 0.05)}
    inputs = [
        {"name": ear, "synapses": [{"post": f"E{k}", "weight_mv": 44.0, "delay_ms": lag} for k, lag in enumerate(by_detector)]}
        for ear, by_detector in lags.items()
    ]
    outputs = [{"name": f"direction{k}", "neurons": [f"E{k}"]} for k in range(2)]
    return Circuit(dt_ms=0.05, neurons=neurons, inputs=inputs, outputs=outputs)


def test_jeffress_circuit_locates_sounds():
    task = fitness.task("itd", detectors=2)
    trials = task.trials(1, 512)
    score = task.evaluate(jeffress(), trials)
    assert score.value >= 0.9
    swapped = Circuit.model_validate({**jeffress().model_dump(), "outputs": [
        {"name": f"direction{k}", "neurons": [f"E{1 - k}"]} for k in range(2)
    ]})  # fmt: skip
    assert task.evaluate(swapped, trials).value == 0
