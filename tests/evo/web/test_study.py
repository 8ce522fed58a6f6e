"""Studies in the lab."""

import shutil

import pytest

import evo
from evo.inspect.terminal import study_table
from evo.storage.run_folder import Run
from evo.studies.study.summary import summed_up
from tests.evo.web.conftest import refused

pytestmark = pytest.mark.long


@pytest.fixture
def lab(studied, tmp_path):
    from evo.web.questions import Lab

    opened = Lab(shutil.copytree(studied, tmp_path / "runs"))
    opened.runs.look()
    yield opened
    opened.close()


def test_a_study_is_found_where_its_runs_are(lab):
    found = lab.answer("runs", {})
    assert found["studies"] == ["mine"]
    assert sum(row["name"].startswith("mine/") for row in found["rows"]) == 4


def test_a_study_is_summed_up_as_by_evo_study(lab):
    found, study = lab.answer("study", {"name": "mine"}), evo.open_study(lab.runs.path("mine"))
    assert found["status"] == study_table.status_as_json(study)
    summary = study_table.as_json(summed_up(study))
    assert [{key: arm[key] for key in summary["arms"][0]} for arm in found["arms"]] == summary["arms"]
    assert [{key: one[key] for key in summary["tests"][0]} for one in found["tests"]] == summary["tests"]
    assert found["methods"] == summary["methods"]
    assert [one["name"] for one in found["runs"]] == [f"mine/{run.run}" for run in study.runs]
    assert {one["name"] for one in found["runs"]} <= {row["name"] for row in lab.answer("runs", {})["rows"]}
    for arm in found["arms"]:
        curve = arm["curves"]["evaluations"]
        assert curve["share"][-1:] in ([arm["share"]["value"]], [])
        assert len(curve["x"]) == len(curve["low"]) == len(curve["high"])


def test_only_runs_of_a_study_that_have_changed_are_read_again(lab, monkeypatch):
    before, opened = lab.answer("study", {"name": "mine"}), []
    monkeypatch.setattr(Run, "__init__", lambda self, folder: opened.append(folder))
    assert lab.answer("study", {"name": "mine"}) == before
    assert not opened


def test_a_study_that_is_not_there_is_refused(lab):
    for name in ("gate-3", "../runs/mine", None, ["mine"], ""):
        assert "there is no study" in refused(lab, "study", {"name": name})[0]
    shutil.rmtree(lab.runs.path("mine"))
    lab.runs.look()
    assert lab.answer("runs", {})["studies"] == []
    assert "there is no study" in refused(lab, "study", {"name": "mine"})[0]


def test_a_folder_that_is_a_study_is_shown_as_one(studied):
    from evo.web.questions import Lab

    lab = Lab(studied / "mine")
    lab.runs.look()
    assert lab.answer("runs", {})["studies"] == ["."]
    found = lab.answer("study", {"name": "."})
    assert found["title"] == "mine"
    assert {one["name"] for one in found["runs"]} == {row["name"] for row in lab.answer("runs", {})["rows"]}
