"""The table of all tasks' searches is made bit by bit."""

import shutil
from functools import partial

import pytest

import evo
from fitness.judges.simulated import Simulated
from tests.bench import suite
from tests.evo.tiny import spec_file


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(suite, "RUNS", tmp_path)
    monkeypatch.setattr(suite, "ROOT", tmp_path)
    return tmp_path


def test_a_suite_of_some_tasks_leaves_the_rows_of_the_others(place):
    table = place / "suite.csv"
    table.write_text("task,solved,reference\ncoincidence,4/5,1.000\norder,5/5,0.997\n")  # before there were more columns
    row = dict.fromkeys(suite.HEAD, "-")
    suite.write([tuple((row | {"task": name, "solved": "3/5"}).values()) for name in ("order", "gate")], table)
    assert table.read_text().splitlines() == [
        ",".join(suite.HEAD),
        "coincidence,4/5,,,,,,1.000",
        "gate,3/5,-,-,-,-,-,-",
        "order,3/5,-,-,-,-,-,-",
    ]


def test_runs_that_are_stored_count_if_version_and_spec_are_those_of_now(place, monkeypatch):
    spec = place / "runs" / "gate.toml"
    spec.parent.mkdir()
    spec.write_text('task.name = "gate"\n')
    first = suite.folder("gate")
    assert first == suite.folder("gate")
    spec.write_text('task.name = "gate"\ntask.volleys = 1\n')
    assert suite.folder("gate") != first
    spec.write_text('task.name = "gate"\n')
    monkeypatch.setattr(evo, "__version__", "99")
    assert suite.folder("gate") != first


def test_a_row_sums_up_the_study_of_a_task(place, monkeypatch):
    shutil.copy(spec_file(place, generations=2, epoch=1, islands=1, population=8), place / "runs.toml")
    (place / "runs").mkdir(exist_ok=True)
    shutil.move(place / "runs.toml", place / "runs" / "gate.toml")
    run_here = partial(evo.run_study, workers=0)
    monkeypatch.setattr(evo, "run_study", run_here)
    monkeypatch.setattr(Simulated, "analysed", 0)
    study = suite.study("gate")
    assert study.design.arms[0].spec(1).search.seconds == 1200
    found = dict(zip(suite.HEAD, suite.row("gate"), strict=True))
    assert (found["task"], found["solved"], found["evaluations to 0.9"]) == ("gate", "0/5", "-")
    assert found["held-out score"] == f"{sorted(run.best_held_out for run in study.runs)[2]:.3f}"
