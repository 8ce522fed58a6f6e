"""The table of all tasks' searches is made bit by bit."""

import json

import pytest

import evo
from tests.bench import suite


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(suite, "RUNS", tmp_path)
    monkeypatch.setattr(suite, "ROOT", tmp_path)
    return tmp_path


def test_a_suite_of_some_tasks_leaves_the_rows_of_the_others(place):
    table = place / "suite.csv"
    table.write_text("task,solved,reference\ncoincidence,4/5,1.000\norder,5/5,0.997\n")  # before there were more columns
    row = dict.fromkeys(suite.HEAD, "-")
    suite.write({name: tuple((row | {"task": name, "solved": "3/5"}).values()) for name in ("order", "gate")}, table)
    assert table.read_text().splitlines() == [
        ",".join(suite.HEAD),
        "coincidence,4/5,,,,,,1.000",
        "gate,3/5,-,-,-,-,-,-",
        "order,3/5,-,-,-,-,-,-",
    ]


def test_a_search_that_is_stored_counts_if_version_and_spec_are_those_of_now(place, monkeypatch):
    spec = place / "runs" / "gate.toml"
    spec.parent.mkdir()
    spec.write_text('task.name = "gate"\n')
    assert suite.stored("gate", 1) is None
    found = {"held_out": 1.0, "worst": ""} | suite.made_by("gate")
    suite.result_file("gate", 1).write_text(json.dumps(found))
    assert suite.stored("gate", 1) == found
    assert suite.stored("gate", 2) is None
    spec.write_text('task.name = "gate"\ntask.volleys = 1\n')
    assert suite.stored("gate", 1) is None
    spec.write_text('task.name = "gate"\n')
    monkeypatch.setattr(evo, "__version__", "99")
    assert suite.stored("gate", 1) is None
