"""A circuit on which a task's own code fails gets the worst score; the others get what they earn."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fitness
from circuits.errors import UserError
from circuits.simulation.raster import Raster, pack
from fitness.evaluation.fault_isolation import MANY, judge


class Touchy(fitness.Task):
    """Right where the output fires; `bad` spikes in a trial it cannot take, in the way that `fails` says."""

    inputs, outputs = ("a",), ("out",)
    dt_ms, duration_ms = 1.0, 20.0
    bad: int = 3
    fails: str = "raises"

    def make(self, rng, count):
        return np.zeros((count, 20, 1), bool), np.arange(count) % 2

    def trial_scores(self, raster, trials):
        counts = raster.counts()[..., 0]
        wrong = (counts == self.bad).any(axis=-1)
        if self.fails == "raises" and wrong.any():
            raise ZeroDivisionError(f"at {object()!r}")
        if self.fails == "hangs" and wrong.any():
            time.sleep(10)
        return np.where(wrong[:, None], np.nan, counts > 0) if self.fails == "nan" else (counts > 0) * 1.0


class TouchyMeasured(fitness.Measured):
    inputs, outputs = ("a",), ("out",)
    dt_ms, duration_ms = 1.0, 20.0
    bad: int = 3
    fails: str = "raises"

    make = Touchy.make

    def measure(self, raster, trials):
        return raster.counts()

    def overall(self, measured, trials):
        return Touchy.trial_scores(self, _Counted(measured), trials).mean(axis=-1)

    def mark(self, measured, trials):
        return measured[..., 0] > 0


class _Counted:
    def __init__(self, measured):
        self.counts = lambda: measured


def population(spikes_of):
    """One circuit for each number: so many spikes in every one of 70 trials."""
    bits = []
    for count in spikes_of:
        spikes = np.zeros((70, 20, 1), bool)
        spikes[:, :count] = True
        bits.append(pack(spikes))
    return Raster(np.stack(bits), 70, 1.0, ("out",))


@pytest.mark.parametrize("kind", [Touchy, TouchyMeasured])
@pytest.mark.parametrize("fails", ["raises", "nan"])
@given(spikes_of=st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_the_others_get_what_they_get_without_it(kind, fails, spikes_of):
    task = kind(fails=fails)
    trials = task.trials(1, 70)
    bad = np.array(spikes_of) == 3
    if bad.all() and len(bad) >= MANY:
        return
    judged = judge(task, population(spikes_of), trials)
    np.testing.assert_array_equal(judged.failed, bad)
    assert (judged.fault is not None) == bad.any()
    assert not judged.score.value[bad].any()
    assert not judged.score.trial_scores[bad].any()
    assert not judged.score.case_scores[bad].any()
    if not bad.all():
        alone = task.score(population(np.array(spikes_of)[~bad]), trials)
        for name in ("value", "trial_scores", "case_scores"):
            np.testing.assert_array_equal(getattr(judged.score, name)[~bad], getattr(alone, name))


def test_what_it_said_holds_no_address_that_differs_from_time_to_time():
    task = Touchy()
    fault = judge(task, population([3, 1]), task.trials(1, 70)).fault
    assert "ZeroDivisionError: at <object object at 0x...>" in fault


def test_a_task_that_fails_for_silence_or_for_all_of_many_is_at_fault_itself():
    for task, spikes_of in ((Touchy(bad=0), [0]), (Touchy(), [3] * MANY)):
        with pytest.raises(UserError, match="fails in test_fault_isolation"):
            judge(task, population(spikes_of), task.trials(1, 70))
    task = Touchy()
    assert judge(task, population([3] * (MANY - 1)), task.trials(1, 70)).failed.all()


def test_a_task_that_hangs_is_not_tried_again_and_again():
    task = Touchy(fails="hangs")
    task._seconds = 0.2
    trials, start = task.trials(1, 70), time.monotonic()
    with pytest.raises(UserError, match="did not return within"):
        judge(task, population([1, 2, 3, 4] * 10), trials)
    assert time.monotonic() - start < 5


def test_a_task_that_fails_for_a_batch_and_for_none_of_it_is_told_so():
    class Crowded(Touchy):
        def trial_scores(self, raster, trials):
            if len(raster.bits) > 1:
                raise ValueError
            return raster.counts()[..., 0] > 0

    task = Crowded()
    with pytest.raises(UserError, match="must not depend on the others"):
        judge(task, population([1, 2]), task.trials(1, 70))
