"""A task can be told which part of a run's trials it draws, and trials that parts share are named when a run begins."""

import numpy as np
import pytest

import fitness
from circuits.errors import UserError
from fitness.base.task import PARTS
from fitness.checks.check import repeated
from fitness.tasks import BUILT_IN


class Constant(fitness.Task):
    inputs, outputs = ("a",), ("yes",)
    dt_ms, duration_ms, chance = 1.0, 20.0, 0.5

    def make(self, rng, count):
        spikes = np.zeros((count, 20, 1), bool)
        spikes[:, 3] = True
        return spikes, rng.integers(0, 2, count)

    def trial_scores(self, raster, trials):
        return (raster.counts()[..., 0] > 0) == (trials.labels == 1)


def telling(*signatures):
    """A task for each signature of `make`, and where it notes what it was told."""
    found = []
    for signature in signatures:
        told: list = []
        space: dict = {"told": told, "Constant": Constant}
        exec(
            f"def make({signature}):\n    told.append(locals().get('part', locals().get('which')))\n"
            "    return Constant.make(self, rng, count)",
            space,
        )
        found.append((signature, type("Told", (Constant,), {"make": space["make"]})(), told))
    return found


@pytest.mark.parametrize(
    ("signature", "task", "told"),
    telling(
        "self, rng, count, part", "self, rng, count, which", "self, rng, count, part='search'", "self, rng, count, *, part"
    ),
)
def test_make_is_told_the_part_where_it_asks_for_it(signature, task, told):
    for part in PARTS:
        task.trials_of(part, 1, 4)
    task.trials(1, 4)
    assert told == [*PARTS, "search"]


@pytest.mark.parametrize(
    ("signature", "task", "told"), telling("self, rng, count", "self, rng, count, which=None", "self, rng, count, *_")
)
def test_make_of_two_arguments_is_not(signature, task, told):
    task.trials_of("held_out", 1, 4)
    assert told == [None]


def test_the_part_changes_no_trial_of_a_task_that_is_not_told():
    for name in BUILT_IN:
        task = fitness.task(name)
        for number, part in enumerate(PARTS):
            np.testing.assert_array_equal(task.trials_of(part, 3, 8).spikes, task.trials((3, number), 8).spikes)


def test_an_unknown_part_is_refused():
    with pytest.raises(UserError, match="part must be one of search, held_out, validation, core, not 'test'"):
        Constant().trials(1, 4, "test")


def test_stimuli_that_are_held_out_and_come_elsewhere_are_counted_with_their_other_labels():
    said = repeated(Constant(), 1, 16, 64)
    assert said is not None
    for part in (
        "task Constant: all 64 held-out trials (1 different stimuli) are also among the search trials",
        "64 of them with another label",
    ):
        assert part in said
    assert "\n" not in said


def test_a_task_that_draws_its_trials_from_few_is_named_and_one_that_keeps_parts_apart_is_not():
    few = np.random.default_rng(0).random((200, 20, 1)) < 0.3

    class Drawn(Constant):
        def make(self, rng, count):
            chosen = rng.integers(0, 200, count)
            return few[chosen], chosen % 2

    class Apart(Constant):
        def make(self, rng, count, part):
            chosen = rng.integers(0, 50, count) + 50 * PARTS.index(part)
            return few[chosen], chosen % 2

    said = repeated(Drawn(), 1, 64, 256)
    assert said is not None
    assert "of 256 held-out trials" in said
    assert "another label" not in said
    assert repeated(Apart(), 1, 64, 256) is None


def test_trials_without_input_are_no_repeated_stimuli_but_in_a_closed_loop_the_facts_tell_them_apart():
    class Empty(Constant):
        def make(self, rng, count):
            return np.zeros((count, 20, 1), bool), rng.integers(0, 2, count)

    class Loop(Empty):
        def make(self, rng, count):
            return *super().make(rng, count), {"start": np.ones(count)}

        def environment(self, trials):
            return object()

    assert repeated(Empty(), 1, 16, 16) is None
    assert repeated(Loop(), 1, 16, 16) is not None


@pytest.mark.parametrize("name", BUILT_IN)
def test_tasks_that_ship_draw_afresh(name):
    assert repeated(fitness.task(name), 1, 64, 64, 0.2) is None
