"""evo compare: runs side by side, grouped by spec, with effect sizes."""

import json
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm

import evo
from evo.inspect.terminal import comparison
from evo.studies.compare import MORE_IS_BETTER, compare
from evo.studies.effect import effect
from tests.evo.tiny import OWN_TASK, cli, one_line_of, own_task_spec, spec_file
from tests.products import some_of

pytestmark = pytest.mark.long

SAMPLES = st.lists(st.floats(-100, 100), min_size=2, max_size=12)


@given(SAMPLES, SAMPLES)
def test_an_effect_is_the_share_of_pairs_and_lies_in_its_interval(first, second):
    found = effect(first, second)
    pairs = [1.0 if x > y else 0.5 if x == y else 0.0 for x in first for y in second]
    assert found.a == pytest.approx(np.mean(pairs))
    assert 0 <= found.low <= found.a + 1e-9
    assert found.a - 1e-9 <= found.high <= 1
    assert found.low < found.high
    other = effect(second, first)
    assert (other.a, other.low, other.high) == pytest.approx((1 - found.a, 1 - found.high, 1 - found.low), abs=1e-6)
    assert 0 <= found.p <= 1


def test_its_p_is_mann_and_whitneys_and_never_is_a_number_like_others():
    assert effect([1, 2, 3, 9], [4, 5, 6, 7]).p == mannwhitneyu([1, 2, 3, 9], [4, 5, 6, 7]).pvalue
    never = float("inf")
    assert effect([never, never], [1, never]).a == 0.75
    assert effect([never, never], [never, never]) == pytest.approx((0.5, *effect([1, 1], [1, 1])[1:3], 1.0))


@pytest.mark.parametrize(("shift", "size"), some_of([(0.0, 5), (1.0, 8), (2.5, 8)], few=[(1.0, 8)]))
def test_its_interval_holds_the_truth_nineteen_times_in_twenty(shift, size):
    rng = np.random.default_rng(3)
    true, trials = norm.cdf(shift / np.sqrt(2)), 400
    inside = 0
    for _ in range(trials):
        found = effect(rng.normal(shift, 1, size), rng.normal(0, 1, size))
        inside += found.low <= true <= found.high
    assert 0.92 < inside / trials < 0.99


# -- runs

SMALL = {"generations": 2, "islands": 2}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two seeds of each of two algorithms, and a run of a task of one's own."""
    folder = tmp_path_factory.mktemp("compared")
    for algorithm in ("nsga2", "random"):
        path = spec_file(folder, algorithm=f'"{algorithm}"', **SMALL)
        for seed in (1, 2):
            evo.run(path, folder / f"{algorithm}-{seed}", workers=0, seed=seed)
    evo.run(own_task_spec(folder, **SMALL), folder / "own", workers=0)
    return folder


def test_runs_that_differ_in_the_seed_alone_are_a_group(place):
    found = compare([place / name for name in ("nsga2-2", "random-1", "nsga2-1", "random-2")])
    assert [group.name for group in found.groups] == ["algorithm = nsga2", "algorithm = random"]
    assert [[run.run for run in group.runs] for group in found.groups] == [["nsga2-1", "nsga2-2"], ["random-1", "random-2"]]
    assert [group.settings for group in found.groups] == [{"search.algorithm": name} for name in ("nsga2", "random")]
    assert found.target == 0.9
    assert set(found.effects[0]) == set(MORE_IS_BETTER) - {"worst"}  # so few trials have no conditions
    for measure, more in ((name, MORE_IS_BETTER[name]) for name in found.effects[0]):
        nsga2, random = ([getattr(run, measure) for run in group.runs] for group in found.groups)
        assert found.effects[0][measure] == effect(*((random, nsga2) if more else (nsga2, random)))


def test_what_is_told_of_a_run_is_what_it_says_itself(place):
    run, told = evo.open_run(place / "nsga2-1"), compare([place / "nsga2-1"]).groups[0].runs[0]
    best = run.front[0]
    assert (told.held_out, told.low, told.high) == (best.held_out, best.low, best.high)
    assert (told.excitatory, told.inhibitory, told.synapses) == (best.excitatory, best.inhibitory, best.circuit.synapse_count)
    assert told.energy == best.spikes + best.events
    assert (told.front, told.evaluations, told.seconds) == (len(run.front), run.evaluations, run.progress.elapsed)
    assert (told.seed, told.state) == (1, "finished")


def test_the_target_is_that_of_the_specs_and_evaluations_to_it_are_counted_over_all_islands(tmp_path):
    folder = evo.run(spec_file(tmp_path, target=0.01, epoch=1), tmp_path / "run", workers=0).folder
    found = compare([folder])
    assert found.target == 0.01
    run = evo.open_run(folder)
    rows = [row for epoch in run.epochs for row in epoch["log"]]
    first = min(row["generation"] for row in rows if row["validation"] >= 0.01)
    wanted = sum(row["evaluations"] for row in rows if row["generation"] <= first)
    assert found.groups[0].runs[0].evaluations_to_target == wanted


def test_single_runs_have_no_effect_sizes_and_what_was_never_reached_is_never(place):
    found = compare([place / "nsga2-1", place / "random-1", place / "own"])
    assert found.effects == [{}, {}]
    assert len(found.groups) == 3
    told = found.groups[0].runs[0]
    assert told.evaluations_to_target == float("inf") or told.held_out > 0.5


def test_runs_of_the_same_spec_whose_task_files_differ_are_no_group(tmp_path):
    for name, code in (("a", OWN_TASK), ("b", OWN_TASK.replace("10.0", "11.0"))):
        (tmp_path / name).mkdir()
        evo.run(own_task_spec(tmp_path / name, code, **SMALL), tmp_path / name / "run", workers=0)
    found = compare([tmp_path / "a" / "run", tmp_path / "b" / "run"])
    assert len(found.groups) == 2


def test_nothing_in_the_folders_is_executed(place, tmp_path):
    trap = tmp_path / "trap"
    (place / "own" / "agree.py").write_text(f"open({str(trap)!r}, 'w')\n" + OWN_TASK)
    compare([place / "own"])
    assert not trap.exists()


def test_a_run_without_circuits_yet_is_shown(tmp_path):
    folder = evo.run(spec_file(tmp_path, **SMALL), tmp_path / "run", workers=0).folder
    with closing(sqlite3.connect(folder / "run.db")) as db:
        for table in ("state", "epoch", "migrants"):
            db.execute(f"DELETE FROM {table}")
        db.commit()
    found = compare([folder])
    assert np.isnan(found.groups[0].runs[0].held_out)
    assert comparison.as_json(found)["groups"][0]["runs"][0]["held_out"] is None


def test_the_command_for_machines_and_for_people(place):
    names = ["nsga2-1", "nsga2-2", "random-1", "random-2"]
    done = cli(place, "compare", *names, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(json.dumps(comparison.as_json(compare([place / name for name in names]))))
    shown = cli(place, "compare", *names)
    assert shown.returncode == 0, shown.stderr
    for part in (
        *names,
        "algorithm = nsga2",
        "algorithm = random",
        "median",
        "to 0.9",
        "higher held out",
        "lower energy",
    ):
        assert part in shown.stdout
    assert "\x1b" not in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_names_of_strangers_are_text(place, tmp_path):
    (tmp_path / "[red]x[").symlink_to(place / "nsga2-1")
    shown = cli(tmp_path, "compare", "[red]x[")
    assert shown.returncode == 0, shown.stderr
    assert "nsga2-1" in shown.stdout


def test_what_is_no_run_and_what_is_named_twice_is_said_in_one_line(place, tmp_path):
    assert "there is no such folder" in one_line_of(lambda: compare([tmp_path / "nothing"]))
    assert "is named twice" in one_line_of(lambda: compare([place / "own", place / "own" / ".." / "own"]))
