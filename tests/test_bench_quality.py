"""The benchmark of the search's quality: what it runs, and its figures."""

import math

import numpy as np
import pytest

from fitness.judges.simulated import Simulated
from tests.bench import bench_quality
from tests.bench.bench_quality import ARMS, TASKS, keep, searched, spec_of
from tests.bench.quality_report import bootstrap, drawn, evaluations, median, tables
from tests.bench.rows import json_rows

pytestmark = pytest.mark.long


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("arm", ARMS)
def test_every_search_is_one_that_a_spec_can_ask_for_and_has_as_many_circuits(task, arm):
    spec, plain = spec_of(task, arm, 7), spec_of(task, "default", 7)
    bounds = spec.encoding(spec.make_task().interface).bounds
    assert spec.search.seed == 7
    assert spec.search.population * spec.search.islands == plain.search.population * plain.search.islands
    assert bounds.dale == (arm != "unsigned")
    assert bounds.allowed[:, 1:].any() == (arm not in ("E only", "unsigned"))


@pytest.mark.slow
def test_a_search_counts_the_circuits_until_its_task_is_solved(tmp_path, monkeypatch):
    monkeypatch.setattr(bench_quality, "LIMIT", 8000)
    monkeypatch.setattr(Simulated, "analysed", 0)
    study = searched([("direction", "default"), ("gate", "random")], [1], tmp_path / "study", 0)
    keep(study, tmp_path / "file")
    keep(study, tmp_path / "file")
    found, missed = json_rows(tmp_path / "file")
    assert (found["task"], found["arm"], found["seed"]) == ("direction", "default", 1)
    assert 0 < found["to_solve"] <= 8000
    assert missed["to_solve"] is None
    assert missed["best"] < 0.9


def rows(arm, *to_solve):
    return [{"task": "t", "arm": arm, "seed": k, "to_solve": n} for k, n in enumerate(to_solve)]


def test_unsolved_runs_count_as_more_than_any():
    tried = evaluations(rows("a", 500, None, 100, None), "t", "a")
    assert tried.tolist() == [100, 500, math.inf, math.inf]
    assert median(tried) == math.inf
    assert median(tried[:3]) == 500
    assert bootstrap(np.array([5.0] * 20)) == (5.0, 5.0)
    assert bootstrap(np.array([1.0] * 8 + [math.inf] * 4))[1] == math.inf


def test_tables_and_picture_show_every_search(tmp_path):
    found = rows("default", 100, 200, 300) + rows("random", 5000, None, None)
    short, full = tables(found, ["t"], ["default", "random"])
    assert "| default | 3/3, 200 |" in short
    assert "| random | 1/3, - |" in short
    assert "| t | random | 1/3 | 6% to 79% | - |" in full
    assert full.splitlines()[-1].endswith("| never |")
    drawn(found, ["t"], ["default", "random"], 200_000, tmp_path / "picture.svg")
    picture = (tmp_path / "picture.svg").read_text()
    assert "default" in picture
    assert "random" in picture
