import numpy as np
import pytest

import fitness
from circuits.simulation.raster import Raster, pack

SIZES = [(4, 2), (4, 0), (4, 3), (8, 3)]


def answered(task, trials, where, times=1):
    spikes = np.zeros((len(trials), task.steps, 1), bool)
    spikes[where, 80 : 80 + times] = True
    return task.score(Raster(pack(spikes), len(trials), task.dt_ms, task.outputs), trials)


def test_half_of_the_trials_hold_one_volley_and_most_others_two():
    trials = fitness.task("xor").trials(1, 1600)
    a, b = trials.facts["present"].T
    cases = {"a": a & ~b, "b": b & ~a, "both": a & b, "neither": ~a & ~b}
    assert {case: where.sum() for case, where in cases.items()} == {"a": 400, "b": 400, "both": 700, "neither": 100}
    np.testing.assert_array_equal(trials.labels == 1, a != b)


@pytest.mark.parametrize(("spikes", "more"), SIZES)
def test_a_channel_holds_a_whole_volley_or_nothing(spikes, more):
    trials = fitness.task("xor", spikes=spikes, more=more).trials(1, 800)
    counts, present = trials.spikes.sum(axis=1), trials.facts["present"]
    assert set(counts[present]) == set(range(spikes, spikes + more + 1))
    assert not counts[~present].any()


def test_volleys_that_come_together_begin_within_2_ms_and_last_at_most_5():
    task = fitness.task("xor")
    trials = task.trials(1, 800)
    both = trials.spikes[trials.facts["present"].all(axis=1)].any(axis=-1)
    first, last = np.argmax(both, axis=1), task.steps - np.argmax(both[:, ::-1], axis=1)
    assert ((last - first) * task.dt_ms).max() <= 2 + 5 + 1  # and a step of rounding at either end
    assert first.min() * task.dt_ms + task.dt_ms >= 5
    assert last.max() * task.dt_ms <= 20 + 2 + 5 + 1


def test_what_simpler_functions_score():
    task = fitness.task("xor")
    trials = task.trials(1, 1600)
    a, b = trials.facts["present"].T
    scores = {"xor": a != b, "or": a | b, "a": a, "b": b, "and": a & b, "nor": ~a & ~b, "not a": ~a, "nand": ~(a & b)}
    found = {name: round(float(answered(task, trials, where).value), 6) for name, where in scores.items()}
    assert found == {
        "xor": 1, "or": 0.125, "a": 0, "b": 0, "and": 0, "nor": 0, "not a": 0.375, "nand": 0.875,
    }  # fmt: skip


def test_repeating_a_channel_or_both_scores_little():
    task = fitness.task("xor")
    trials = task.trials(1, 1600)
    for spikes in (trials.spikes[..., :1], trials.spikes[..., 1:], trials.spikes.any(axis=-1, keepdims=True)):
        assert task.score(Raster(pack(spikes), 1600, task.dt_ms, task.outputs), trials).value <= 0.126


def test_one_spike_where_silence_is_right_is_graded_above_two():
    task = fitness.task("xor")
    trials = task.trials(1, 64)
    wrong = trials.labels == 0
    one, two = (answered(task, trials, wrong, times).case_scores[wrong] for times in (1, 2))
    assert (one < 1).all()
    assert (two < one).all()
    assert (two > 0).all()
