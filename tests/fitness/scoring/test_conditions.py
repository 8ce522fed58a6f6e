"""A mean over all trials does not hide a condition in which a circuit always fails."""

import numpy as np
import pytest

import fitness
from circuits import zoo
from circuits.errors import UserError
from circuits.simulation.packed import from_circuit
from circuits.simulation.raster import Raster, pack
from fitness.evaluation.evaluate import evaluate
from fitness.evaluation.objectives import values
from fitness.references import reference
from fitness.scoring.conditions import NONE, PARTS, checked, grouped
from fitness.tasks import BUILT_IN
from tests.fitness.answers import one_spike_for

SCORED_AS_ONE_CURVE = {"association", "bandpass", "gain", "gamma", "stability"}


def test_every_combination_of_values_with_enough_trials_is_a_condition():
    a, b = np.repeat(["x", "y"], 60), np.tile([0, 1, 2], 40)
    found = grouped({"side": a, "place": b}, 20)
    assert found.names == tuple(f"side {s}, place {p}" for s in "xy" for p in range(3))
    for name, members in zip(*found, strict=True):
        assert {f"side {s}, place {p}" for s, p in zip(a[members], b[members], strict=True)} == {name}
        assert len(members) == 20


def test_a_graded_factor_is_cut_into_parts_with_enough_trials_each():
    tone = np.random.default_rng(0).uniform(100, 700, 200)
    found = grouped({"direction": np.arange(200) % 2, "tone [Hz]": tone}, 24)
    assert len(found.names) == 2 * (100 // 24)
    assert found.trials.tolist() == [25] * 8
    assert sorted(np.concatenate(found.members)) == list(range(200))
    low, high = found.names[0].removeprefix("direction 0, tone ").removesuffix(" Hz").split(" to ")
    assert (float(low), float(high)) == pytest.approx((tone[found.members[0]].min(), tone[found.members[0]].max()), rel=5e-3)
    assert len(grouped({"tone": np.linspace(0, 1, 10_000)}, 24).names) == PARTS


def test_rare_combinations_are_taken_together_and_factors_left_out_where_trials_are_too_few():
    kind = np.repeat(["a", "b", "c", "d"], [40, 40, 15, 15])
    assert grouped({"kind": kind}, 24).names == ("kind a", "kind b", "2 rarer ones")
    assert grouped({"kind": kind}, 24).trials.tolist() == [40, 40, 30]
    assert grouped({"half": np.arange(64) % 2, "place": np.arange(64) // 4}, 24).names == ("half 0", "half 1")
    for factors in ({}, {"kind": np.zeros(100, int)}, {"kind": np.arange(40) % 2}):
        assert grouped(factors, 24) == NONE


@pytest.mark.parametrize(
    "wrong",
    [None, ["a"], {"a": np.zeros(3)}, {"a": np.full(8, np.nan)}, {"a": np.array([None] * 8)}, {1: np.zeros(8)}],
)
def test_what_are_no_conditions_is_refused_in_one_line(wrong):
    with pytest.raises(UserError, match="task mine: conditions") as caught:
        checked(wrong, 8, "mine")
    assert "\n" not in str(caught.value)


def test_two_graded_factors_are_refused():
    values = np.linspace(0, 1, 100)
    with pytest.raises(UserError, match="one graded factor, not a and b"):
        checked({"a": values, "b": values}, 100, "mine")


@pytest.mark.parametrize("name", sorted(set(BUILT_IN) - SCORED_AS_ONE_CURVE))
def test_the_trials_of_a_task_are_in_conditions_with_enough_trials(name):
    task = fitness.task(name)
    trials = task.trials((1, 1), 256)
    names, members = found = task.grouped(trials)
    assert len(set(names)) == len(names) > 1
    assert found.trials.min() >= 24
    every = np.concatenate(members)
    assert len(set(every)) == len(every) >= 0.9 * len(trials)


@pytest.mark.parametrize("name", sorted(SCORED_AS_ONE_CURVE))
def test_a_score_of_one_curve_over_all_trials_has_no_conditions(name):
    task = fitness.task(name)
    trials = task.trials(1, 128)
    assert task.grouped(trials) == NONE
    found = evaluate(task, trials, from_circuit(reference(name).circuit, np.float32))
    value, which = found.worst
    assert np.isnan(value[0])
    assert which[0] == -1


@pytest.mark.parametrize("name", ["itd-5", "xor-3", "direction-5", "separation-3", "winner-7", "mismatch-3"])
def test_the_worst_condition_is_no_better_than_all_and_is_what_its_trials_alone_score(name):
    task, circuit = fitness.task(**zoo.card(name).task), zoo[name].circuit
    trials = task.trials(3, 256)
    found = evaluate(task, trials, from_circuit(circuit, np.float32))
    (value,), (which,) = found.worst
    assert value <= found.score[0]
    chosen = task.grouped(trials).members[which]
    alone = task.evaluate(circuit, trials.take(chosen), dtype="float32").value
    assert min(alone, found.score[0]) == pytest.approx(value, abs=1e-9)


def test_a_circuit_that_fails_in_one_condition_alone_is_told_by_the_worst():
    task = fitness.task("itd", sweep=0.5, tones=2)
    trials = task.trials(5, 256)
    answers = np.where((trials.labels == 2) & (trials.facts["tone_hz"] < 300), 1, trials.labels)
    score = task.score(one_spike_for(task, answers), trials)
    found = task.by_condition(score, trials)
    value, which = found.worst
    assert score.value > 0.8
    assert value == 0
    assert found.names[int(which)] == "direction 2, tone 250 Hz"
    assert found.trials[int(which)] == 32


def test_of_several_tasks_the_worst_one_counts():
    task = fitness.task("several")
    trials = task.trials(1, 256)
    names, members = task.grouped(trials)
    assert {name.split(",")[0] for name in names} == {"task coincidence", "task xor"}
    silent = Raster(np.zeros((1, 4, task.steps, 2), "u8"), 256, task.dt_ms, task.outputs)
    found = task.by_condition(task.score(silent, trials), trials)
    assert found.names == names
    assert set(found.scores[0]) == {0.0, 1.0}  # silence is right wherever none should answer
    assert (found.trials == [len(m) for m in members]).all()


def test_a_search_can_optimise_the_worst_condition():
    task, motifs = fitness.task("itd"), (zoo["itd-5"], zoo["itd-6"])
    trials = task.trials(5, 128)
    for motif in motifs:
        found = evaluate(task, trials, from_circuit(motif.circuit, np.float32))
        alone = [evaluate(task, trials.take(trials.labels == k), found.tables) for k in range(4)]
        least = min(one.score[0] for one in alone) + min(one.smooth_score[0] for one in alone)
        assert values(["worst"], found)[0, 0] == pytest.approx(-least, abs=1e-6)


def test_the_worst_condition_cannot_be_optimised_where_there_is_none():
    task = fitness.task("gain")
    found = evaluate(task, task.trials(1, 64), from_circuit(reference("gain").circuit, np.float32))
    with pytest.raises(UserError, match="leave worst out"):
        values(["worst"], found)


class Touchy(fitness.Measured):
    """Its score on some of the trials is no number where a circuit is silent in them."""

    inputs, outputs = ("in",), ("out",)
    dt_ms, duration_ms = 1.0, 10.0

    def make(self, rng, count):
        spikes = np.zeros((count, 10, 1), bool)
        spikes[:, 2] = True
        return spikes, np.arange(count) % 2

    def measure(self, raster, trials):
        return raster.counts().astype(float)

    def overall(self, measured, trials):
        with np.errstate(invalid="ignore"):
            return measured[..., 0].sum(axis=-1) / measured[..., 0].sum(axis=-1)

    def mark(self, measured, trials):
        return measured[..., 0] > 0

    def conditions(self, trials):
        return {"class": trials.labels}


def test_a_circuit_on_which_the_task_fails_in_a_condition_does_not_spoil_the_others():
    task = Touchy()
    trials = task.trials(1, 96)
    fires = np.zeros((3, 96, 10, 1), bool)
    fires[0, :, 4] = fires[1, trials.labels == 1, 4] = fires[2, :, 4] = True
    raster = Raster(np.stack([pack(one) for one in fires]), 96, 1.0, task.outputs)
    together = task.by_condition(task.score(raster, trials), trials).scores
    np.testing.assert_array_equal(together, [[1, 1], [0, 1], [1, 1]])
    alone = Raster(pack(fires[1]), 96, 1.0, task.outputs)
    np.testing.assert_array_equal(task.by_condition(task.score(alone, trials), trials).scores, [0, 1])
