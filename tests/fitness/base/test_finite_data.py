"""Tasks over a finite set of data keep what is held out apart, and know which trials are one observation."""

import textwrap

import numpy as np
import pytest

import fitness
from circuits.errors import UserError
from fitness.base import finite_data
from fitness.base.task import PARTS
from fitness.checks.check import check, repeated


class Recordings(fitness.FiniteData):
    inputs, outputs = ("a", "b"), ("yes",)
    dt_ms, duration_ms, chance = 1.0, 20.0, 0.5
    items_each: int = 6
    animals: bool = True

    def data(self):
        rng = np.random.default_rng(7)
        animal = np.repeat(np.arange(10), self.items_each)
        kind = np.arange(len(animal)) % 2
        spikes = rng.random((len(animal), 20, 2)) < 0.2
        return fitness.Data(spikes, kind, animal if self.animals else None, {"depth": animal * 2.0})

    def trial_scores(self, raster, trials):
        return (raster.counts()[..., 0] > 0) == (trials.labels == 1)


def test_parts_share_no_stimulus_and_no_group():
    task = Recordings()
    drawn = {part: task.trials_of(part, 1, 64) for part in PARTS}
    for part in ("search", "validation", "core"):
        for fact in ("item", "group"):
            assert not set(drawn[part].facts[fact]) & set(drawn["held_out"].facts[fact])
    assert not set(drawn["search"].facts["group"]) & set(drawn["validation"].facts["group"])
    assert repeated(task, 1, 64, 64) is None
    check(task, 1, 64)


def test_what_is_held_out_stays_so_whatever_the_seed_of_the_run():
    first, second = (set(Recordings().trials_of("held_out", seed, 64).facts["item"]) for seed in (1, 2))
    assert first == second == set(Recordings().items("held_out"))
    other = set(Recordings(split_seed=5).items("held_out"))
    assert first != other


def test_no_item_comes_twice_before_all_have_come_and_classes_are_even():
    task = Recordings(animals=False)
    size = len(task.items("search"))
    drawn = task.trials_of("search", 3, size)
    assert sorted(drawn.facts["item"]) == task.items("search").tolist()
    few = task.trials_of("search", 3, 10)
    assert np.bincount(few.labels).tolist() == [5, 5]
    assert len(set(few.facts["item"])) == 10
    assert np.bincount(task.trials_of("search", 3, 3 * size).facts["item"]).max() == 3


def test_facts_and_spikes_are_those_of_the_item():
    task = Recordings()
    drawn, data = task.trials_of("validation", 1, 8), task.data()
    np.testing.assert_array_equal(drawn.spikes, data.spikes[drawn.facts["item"]])
    np.testing.assert_array_equal(drawn.facts["depth"], data.facts["depth"][drawn.facts["item"]])
    np.testing.assert_array_equal(drawn.labels, data.labels[drawn.facts["item"]])


def test_a_group_and_a_repeat_count_as_one_observation():
    grouped, single = Recordings(), Recordings(animals=False)
    trials = grouped.trials_of("held_out", 1, 10)
    np.testing.assert_array_equal(grouped.clusters(trials), trials.facts["group"])
    assert single.clusters(single.trials_of("held_out", 1, 10)) is None
    assert len(set(single.clusters(single.trials_of("held_out", 1, 64)))) == len(single.items("held_out"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d._replace(spikes=d.spikes.astype(float)), r"spikes as bool \[items, 20, 2\], not float64 \[60, 20, 2\]"),
        (lambda d: d._replace(labels=d.labels[1:]), r"labels of every item \[60\], not \[59\]"),
        (lambda d: d._replace(labels=d.labels / 2), "whole numbers as labels"),
        (lambda d: d._replace(groups=d.groups[:, None]), "groups of every item"),
        (lambda d: d._replace(facts={"depth": [1, 2]}), "depth of every item"),
        (lambda d: d._replace(facts={"item": d.labels}), "no facts 'item'"),
        (lambda d: d._replace(groups=np.zeros(60)), "class 0 has 1 separate stimuli or groups"),
        (lambda d: d.spikes, "must return fitness.Data"),
    ],
)
def test_data_that_are_not_sound_are_named_in_one_line(change, said):
    class Changed(Recordings):
        def data(self):
            return change(super().data())

    with pytest.raises(UserError, match=said) as caught:
        Changed().trials_of("search", 1, 4)
    assert str(caught.value).startswith("task Changed: data")


def test_data_that_are_others_every_time_are_found_out():
    class Restless(Recordings):
        def data(self):
            return super().data()._replace(spikes=np.random.default_rng().random((60, 20, 2)) < 0.2)

    with pytest.raises(UserError, match="make gives other spikes the second time"):
        check(Restless(), 1, 16)


def test_the_example_in_the_docstring_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.savez("recorded.npz", spikes=rng.random((60, 50, 2)) < 0.2, kind=np.arange(60) % 2, animal=np.arange(60) // 6)
    names = {"np": np, "fitness": fitness}
    exec(textwrap.dedent(finite_data.__doc__.partition("\n\n")[2]), names)
    trials = names["Heard"]().trials_of("held_out", 1, 8)
    assert set(trials.labels) == {0, 1}
