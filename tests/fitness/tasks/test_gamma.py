import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack
from fitness.references import lesioned, reference

TASK = fitness.task("gamma")
TRIALS = TASK.trials(3, 192)
DRIVEN = TRIALS.labels > 0


def rhythm(f_hz, lag_ms=3, volley=4, at_rest=False, jitter_ms=1.0, seed=0):
    """Score of 6 E and 2 I neurons that fire volleys at f_hz, I lag_ms after E."""
    rng = np.random.default_rng(seed)
    spikes = np.zeros((len(TRIALS), TASK.steps, 8), bool)
    beats = np.arange(20, TASK.steps - 20, 1000 / f_hz)
    for trial in np.flatnonzero(DRIVEN | at_rest):
        times = beats + rng.uniform(0, 10)
        for neuron in [*range(volley), 6, 7]:
            at = np.rint(times + rng.normal(0, jitter_ms, len(times)) + (lag_ms if neuron > 5 else 0)).astype(int)
            spikes[trial, np.clip(at, 0, TASK.steps - 1), neuron] = True
    return scored(spikes).value


def scored(spikes):
    e = np.arange(spikes.shape[-1]) < spikes.shape[-1] - 2
    return TASK.score(Raster(pack(spikes), len(spikes), TASK.dt_ms, excitatory=e), TRIALS)


def test_the_drive_is_poisson_at_rest_weak_or_strong():
    trials = TASK.trials(1, 300)
    rates = [trials.spikes[trials.labels == k].mean() * 1000 for k in range(3)]
    np.testing.assert_allclose(rates, [20, 150, 200], rtol=0.05)
    half = trials.spikes[trials.labels == 2, ::2, 0].sum(axis=1)
    assert half.var() / half.mean() == pytest.approx(0.8, abs=0.25)  # binomial, of 0.2 per step


@pytest.mark.parametrize("f_hz", [35, 40, 60, 75])
def test_a_rhythm_in_the_band_with_inhibition_behind_scores_1(f_hz):
    assert rhythm(f_hz) > 0.95


@pytest.mark.parametrize("f_hz", [8, 20, 95, 130])
def test_other_rhythms_score_nothing(f_hz):
    assert rhythm(f_hz) == 0


@pytest.mark.parametrize(("lag_ms", "value"), [(-3, 0), (0, 0), (2, 1), (4, 1), (7, 0)])
def test_inhibition_follows_within_5_ms(lag_ms, value):
    assert rhythm(40, lag_ms, jitter_ms=0.3) == pytest.approx(value, abs=0.05)


def test_a_clock_that_ticks_without_drive_scores_nothing():
    assert rhythm(40, at_rest=True) < 0.02


def test_a_rhythm_that_one_neuron_keeps_apart_from_the_others_scores_less():
    rng = np.random.default_rng(0)
    spikes = rng.random((len(TRIALS), TASK.steps, 8)) < 0.05 * DRIVEN[:, None, None]
    assert scored(spikes).value == 0
    spikes[DRIVEN, ::25, 0] = True
    spikes[DRIVEN, 2::25, 7] = True
    assert scored(spikes).value < 0.5


def test_the_grade_climbs_with_the_regularity_of_the_rhythm():
    case_scores = []
    for jitter in (12, 6, 3, 1):
        rng = np.random.default_rng(1)
        spikes = np.zeros((len(TRIALS), TASK.steps, 4), bool)
        for trial in np.flatnonzero(DRIVEN):
            at = np.cumsum(np.clip(rng.normal(25, jitter, 18), 5, None)).astype(int)
            at = at[at < TASK.steps - 3]
            spikes[trial, at, 0] = spikes[trial, at + 3, 3] = True
        case_scores.append(scored(spikes).case_scores[DRIVEN].mean())
    assert (np.diff(case_scores) > 0.02).all()


def test_without_inhibition_of_the_excitatory_neurons_the_drives_noise_goes_through():
    assert TASK.evaluate(reference("gamma"), TRIALS).value > 0.9
    assert TASK.evaluate(lesioned(TASK), TRIALS).value < 0.1
