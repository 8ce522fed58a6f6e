"""evo study and what sums a study up: tables, figures, the methods sentence."""

import csv
import json
import math

import pytest

import evo
from evo.inspect import study_figures
from evo.studies.study.design import Design
from evo.studies.study.folder import Study, StudyRun
from evo.studies.study.summary import methods, summed_up
from fitness.judges.simulated import Simulated
from tests.evo.tiny import cli, spec_file

TINY = {"generations": 2, "epoch": 1, "islands": 2, "population": 8}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a study of two arms and two seeds, s, made by the command."""
    folder = tmp_path_factory.mktemp("study")
    spec_file(folder, **TINY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulated, "analysed", 0)
        said = cli(
            folder, "study", "tiny.toml", "--seeds", "2", "--set", "search.crossover=0,0.5", "--workers", 0, "--out", "s"
        )
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[0] == "2 x 2 runs = 4, folder s"
    assert "4/4 runs" in said.stdout
    return folder


def test_status_says_how_far_the_runs_are(place):
    said = cli(place, "study", "status", "s")
    assert "s: finished, 4 of 4 runs are over" in said.stdout
    found = json.loads(cli(place, "study", "status", "s", "--json").stdout)
    assert found["arms"][1]["name"] == "tiny crossover=0.5"
    assert found["arms"][1]["states"] == {"finished": 2}
    assert found["evaluations"] == sum(evo.open_run(place / "s" / run.run).evaluations for run in Study(place / "s").runs)


def test_compare_writes_tables_and_pictures(place):
    said = cli(place, "study", "compare", "s", "--json", "--csv", "runs.csv", "-o", "picture.svg")
    found = json.loads(said.stdout)
    assert [arm["name"] for arm in found["arms"]] == ["tiny crossover=0", "tiny crossover=0.5"]
    assert {test["measure"] for test in found["tests"]} == {"evaluations", "core_seconds", "held_out"}
    assert all(test["holm"] >= test["p"] for test in found["tests"])
    rows = list(csv.DictReader((place / "runs.csv").read_text().splitlines()))
    assert [row["search.crossover"] for row in rows] == ["0", "0.5"] * 2
    assert [row["archive_sha256"] for row in rows] == [run.archive_sha256 for run in Study(place / "s").runs]
    assert "share that reached 0.9" in (place / "picture.svg").read_text()
    assert "Holm" in cli(place, "study", "compare", "s").stdout


def test_a_data_frame_has_a_row_per_run(place):
    pytest.importorskip("pandas")
    frame = evo.open_study(place / "s").frame()
    assert list(frame["run"]) == [run.run for run in Study(place / "s").runs]
    assert set(frame["spec"]) == {"tiny.toml"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("study", "tiny.toml", "--seeds", "no"), "--seeds no"),
        (("study", "tiny.toml", "--set", "x"), "--set x"),
        (("study", "tiny.toml", "--set", "search.trials=1", "--set", "search.trials=2"), "set twice"),
        (("study", "tiny.toml", "--target", "3"), "target"),
        (("study", "none.toml"), "none.toml"),
        (("study", "status", "nowhere"), "nowhere"),
        (("study", "compare", "s", "-o", "picture"), "ending"),
    ],
)
def test_what_is_wrong_is_one_line(place, arguments, said):
    found = cli(place, *arguments)
    assert found.returncode == 2, found.stdout
    assert len(found.stderr.splitlines()) == 1
    assert said in found.stderr


def test_the_group_shows_its_help_and_its_commands(place):
    assert "evo study SPEC... is short for" in cli(place, "study", "--help").stdout
    assert "--seeds" in cli(place, "study", "run", "--help").stdout


def fake(place, **runs):
    """A study whose arms, by name, have these runs: what each spent, and whether it got there."""
    there = Study(place / "s")
    arm = there.design.arms[0].model_dump(by_alias=True)
    names = list(runs)
    design = there.design.model_dump(by_alias=True) | {"arms": [arm | {"name": n, "stem": n} for n in names]}
    there.design = Design.model_validate(design | {"seeds": list(range(1, len(runs[names[0]]) + 1))})
    there.runs = [
        StudyRun(f"{name}-{k}", name, k, "finished", got, spent, spent / 10, held_out=0.95 if got else 0.5)
        for name, theirs in runs.items()
        for k, (spent, got) in enumerate(theirs, 1)
    ]
    return there


def test_a_summary_of_figures_that_are_known(place):
    sooner = [(100, True), (200, True), (300, True), (900, False)]
    never = [(900, False)] * 4
    found = summed_up(fake(place, sooner=sooner, never=never))
    first, second = found.arms
    assert (first.reached, first.over, first.share.value) == (3, 4, 0.75)
    assert (first.evaluations.value, first.core_seconds.value) == (250.0, 25.0)
    assert second.evaluations.value == math.inf
    evaluations = next(test for test in found.tests if test.measure == "evaluations")
    assert (evaluations.arm, evaluations.beside) == ("never", "sooner")
    assert evaluations.effect.a == pytest.approx(1 / 8)  # better in none of 16 pairs, alike in 4
    assert evaluations.holm == pytest.approx(max(3 * min(t.p for t in found.tests), evaluations.holm))


def test_arms_are_compared_within_their_task_alone(place):
    there = fake(place, a=[(100, True)] * 2, b=[(200, True)] * 2, c=[(300, True)] * 2)
    other = {"task": {"name": "xor"}}
    arms = there.design.arms
    changed = [*arms[:2], arms[2].model_copy(update={"sections": arms[2].sections | other})]
    there.design = there.design.model_copy(update={"arms": changed})
    assert {(test.arm, test.beside) for test in summed_up(there).tests} == {("b", "a")}


def test_the_methods_sentence_names_versions_seeds_budgets_and_tests(place):
    said = methods(Study(place / "s").design)
    for part in (
        evo.__version__,
        "numpy",
        "2 seeds (1, 2)",
        "population 2 x 8, at most 2 generations",
        "Wilson",
        "Holm",
        "0.9",
    ):
        assert part in said


def test_a_figure_shows_every_arm_with_runs_that_never_got_there(place):
    there = fake(place, a=[(100, True), (400, False)], b=[(200, False)] * 2, c=[(5, True)] * 2)
    ax = study_figures.reached(there)
    assert [line.get_label() for line in ax.lines] == ["a", "b", "c"]
    assert ax.lines[1].get_ydata().max() == 0
    assert ax.lines[2].get_ydata().max() == 1
    assert len(study_figures.scores(there).get_xticks()) == 3
