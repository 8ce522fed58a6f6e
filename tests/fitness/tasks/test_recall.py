import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack
from fitness.references import reference

TASK = fitness.task("recall")


def scored(trials, spikes):
    """The score of outputs with the spikes bool [trials, steps, 2]."""
    return TASK.score(Raster(pack(spikes), len(trials), TASK.dt_ms, TASK.outputs), trials)


def spikes_at(trials, cued, lags_ms):
    """Spikes of the output that cued [trials] names (0: of none), so long after the probe."""
    spikes = np.zeros((len(trials), TASK.steps, 2), bool)
    for lag in lags_ms:
        row = trials.facts["probe_ms"].astype(int) + lag - 1
        for output in (0, 1):
            spikes[np.arange(len(trials)), row, output] |= cued == output + 1
    return spikes


def test_a_third_of_the_trials_each_has_a_cue_on_a_on_b_or_none():
    trials = TASK.trials(1, 999)
    counts = trials.spikes.sum(axis=1)
    for label, wanted in ((0, (0, 0, 3)), (1, (6, 0, 3)), (2, (0, 6, 3))):
        assert (trials.labels == label).sum() == 333
        assert (counts[trials.labels == label] == wanted).all()


def test_the_probe_comes_100_to_1000_ms_after_a_cue_of_50_ms():
    trials = TASK.trials(1, 999)
    gap, probe = trials.facts["gap_ms"], trials.facts["probe_ms"]
    assert gap.min() >= 100
    assert gap.max() <= 1000
    assert gap.mean() == pytest.approx(550, abs=30)
    first = trials.spikes.argmax(axis=1) + 1
    last = TASK.steps - trials.spikes[:, ::-1].argmax(axis=1)
    for channel in (0, 1):
        some = trials.labels == channel + 1
        assert (last[some, channel] - first[some, channel] <= 50).all()
        assert (probe[some] - last[some, channel] >= 100).all()
        assert (probe[some] - last[some, channel] <= 1050).all()
    assert ((first[:, 2] - probe >= 1) & (last[:, 2] - probe <= 7)).all()
    assert TASK.steps * TASK.dt_ms - probe.max() >= 40


def test_the_gap_says_nothing_about_the_cue():
    trials = TASK.trials(1, 3000)
    means = [trials.facts["gap_ms"][trials.labels == label].mean() for label in range(3)]
    assert np.ptp(means) < 40


def test_the_cued_output_after_the_probe_is_right_and_the_other_one_is_not():
    trials = TASK.trials(2, 300)
    right = scored(trials, spikes_at(trials, trials.labels, [20]))
    assert right.value == pytest.approx(1)
    assert (right.case_scores == 1).all()
    wrong = scored(trials, spikes_at(trials, (3 - trials.labels) % 3, [20]))
    assert wrong.value == 0
    assert (wrong.trial_scores == (trials.labels == 0)).all()
    assert scored(trials, spikes_at(trials, trials.labels, [45])).value == 0
    one = scored(trials, spikes_at(trials, np.where(trials.labels == 1, 1, 0), [20]))
    assert one.value == pytest.approx(0.5)  # a alone


def test_a_tie_and_the_same_answer_to_every_probe_are_no_success():
    trials = TASK.trials(2, 300)
    always = np.ones(300, int)
    tie = spikes_at(trials, always, [20]) | spikes_at(trials, 2 * always, [20])
    assert scored(trials, tie).value == 0
    assert scored(trials, spikes_at(trials, always, [20])).value == 0
    assert scored(trials, spikes_at(trials, trials.labels, [20]) | tie).value == 0


def test_an_answer_that_does_not_wait_for_the_probe_is_none():
    trials = TASK.trials(2, 300)
    held = scored(trials, spikes_at(trials, trials.labels, range(-60, 40, 8)))  # persistent activity alone, shown all along
    assert held.value == 0
    assert 0.3 < held.case_scores[trials.labels > 0].mean() < 0.6
    assert scored(trials, trials.spikes[..., :2]).value == 0  # the cue relayed, and forgotten


def test_the_reference_holds_the_cue_over_all_gaps_without_answering_early():
    trials = TASK.trials(3, 512)
    trial_scores = TASK.evaluate(reference("recall"), trials).trial_scores
    for shortest in (100, 400, 700):
        gaps = (trials.facts["gap_ms"] >= shortest) & (trials.facts["gap_ms"] < shortest + 300)
        assert trial_scores[gaps].mean() > 0.95
