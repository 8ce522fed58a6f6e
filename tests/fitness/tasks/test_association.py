import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack
from fitness.references import reference

TASK = fitness.task("association")


def scored(trials, spikes):
    """The score of an output with the spikes bool [trials, steps]."""
    return TASK.score(Raster(pack(spikes[..., None]), len(trials), TASK.dt_ms, TASK.outputs), trials)


def answers(trials, after, before, lag_ms=8):
    """Spikes `lag_ms` after the test cues of the trials in which after, or before, [trials] is true."""
    spikes = np.zeros((len(trials), TASK.steps), bool)
    for wanted, cues in ((after, trials.facts["after_ms"]), (before, trials.facts["before_ms"])):
        rows = cues.astype(int) + lag_ms - 1
        for column in rows.T:
            spikes[np.arange(len(trials)), column] |= wanted
    return spikes


def starts(trials, channel):
    """Times in ms of the first spike of each volley, [trials, volleys]."""
    found = [(np.flatnonzero(train)[::2] + 1) for train in trials.spikes[..., channel]]
    return np.stack(found)


def plastic(circuit, **changes):
    """The circuit with other values of its plasticity."""
    changed = (s.model_copy(update={"stdp": s.stdp.model_copy(update=changes)}) for s in circuit.synapses)
    return circuit.model_copy(update={"synapses": tuple(changed)})


def test_a_us_follows_every_cue_of_training_after_10_ms_or_is_at_least_25_ms_from_all():
    trials = TASK.trials(1, 500)
    cue, us = starts(trials, 0)[:, 2:-3], starts(trials, 1)
    paired = trials.labels == 1
    assert cue.shape == us.shape == (500, 8)
    assert (us[paired] - cue[paired] == 10).all()
    apart = np.abs(us[~paired][:, :, None] - cue[~paired][:, None, :])
    assert apart.min() >= 24.5
    assert (us[~paired] < cue[~paired]).mean() == pytest.approx(0.5, abs=0.05)


def test_sessions_of_both_kinds_have_the_same_numbers_of_spikes():
    trials = TASK.trials(1, 200)
    assert (trials.spikes.sum(axis=1) == (2 * (2 + 8 + 3), 2 * 8)).all()


def test_the_cue_comes_alone_twice_before_training_and_three_times_after_a_pause():
    trials = TASK.trials(1, 200)
    cue, us = starts(trials, 0), starts(trials, 1)
    np.testing.assert_array_equal(cue[:, :2] - trials.facts["before_ms"], 1)
    np.testing.assert_array_equal(cue[:, -3:] - trials.facts["after_ms"], 1)
    last = np.maximum(cue[:, -4], us[:, -1])
    assert (us.min(axis=1) - cue[:, 1] > 50).all()
    assert ((cue[:, -3] - last >= 150) & (cue[:, -3] - last < 240)).all()


def test_answers_after_pairing_alone_are_right():
    trials = TASK.trials(2, 256)
    paired, never = trials.labels == 1, np.zeros(256, bool)
    assert scored(trials, answers(trials, paired, never)).value == 1
    assert (scored(trials, answers(trials, paired, never)).trial_scores == 1).all()
    assert scored(trials, answers(trials, paired, never, lag_ms=25)).value == 0
    assert scored(trials, answers(trials, paired, paired)).value == pytest.approx(0.5)
    assert scored(trials, answers(trials, ~paired, never)).value == 0
    shown = scored(trials, answers(trials, paired, never) & (np.arange(TASK.steps) < trials.facts["after_ms"][:, 2:]))
    assert shown.value == pytest.approx(2 / 3)  # the first two cues of three


def test_relaying_the_cue_or_answering_whatever_was_trained_scores_nothing():
    trials = TASK.trials(2, 256)
    always = np.ones(256, bool)
    assert scored(trials, trials.spikes[..., 0]).value == 0
    assert scored(trials, trials.spikes[..., 1]).value == 0
    assert scored(trials, answers(trials, always, ~always)).value == 0


def test_the_reference_learns_by_plasticity_and_by_nothing_else():
    trials, circuit = TASK.trials(3, 128), reference("association")
    assert TASK.evaluate(circuit, trials).value > 0.9
    assert TASK.evaluate(plastic(circuit, a_plus=0.0, a_minus=0.0), trials).value == 0
    assert TASK.evaluate(plastic(circuit, a_plus=0.0), trials).value == 0


def test_longer_lags_teach_less():
    circuit = plastic(reference("association"), a_plus=0.15)
    values = [(task := fitness.task("association", lag_ms=lag)).evaluate(circuit, task.trials(4, 64)).value for lag in (5, 20)]
    assert values[0] > 0.9
    assert values[1] == 0
