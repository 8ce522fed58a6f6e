"""Starting, stopping, resuming and forking runs, and the form of a spec."""

import os
import signal
import subprocess
import time

import pytest

import evo
from evo.storage.stored import SPEC, STORE
from evo.web import control
from tests.evo.tiny import OWN_TASK, environment
from tests.evo.tiny import SPEC as TINY
from tests.evo.web.conftest import refused


class Recorded:
    """Stands in for a process: what would have been started."""

    def __init__(self, command, **options):
        self.command, self.options, self.returncode = command, options, None
        Recorded.last = self

    def poll(self):
        return self.returncode


@pytest.fixture
def started(monkeypatch):
    monkeypatch.setattr(control.subprocess, "Popen", Recorded)
    return Recorded


def test_a_run_is_started_by_the_command_in_a_session_of_its_own(lab, folder, started):
    assert lab.answer("start", {"toml": TINY, "name": "new", "workers": 2}) == {"name": "new"}
    assert started.last.command[1:4] == ["-m", "evo.cli", "run"]
    assert started.last.command[5:] == ["--out", "new", "--workers", "2"]
    assert started.last.options["start_new_session"]
    assert started.last.options["cwd"] == folder
    assert (folder / started.last.command[4]).read_text() == TINY
    assert lab.answer("start", {"toml": TINY})["name"] == "gate-1"
    assert "exists already" in refused(lab, "start", {"toml": TINY, "name": "gate-3"})[0]


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "-rf", "a b", "x" * 200, "ü", "a\n", 1])
def test_a_name_that_is_none_is_refused(lab, started, name):
    assert refused(lab, "start", {"toml": TINY, "name": name})[0].startswith("name: ")


def test_runs_are_resumed_and_forked_by_the_command(lab, started):
    lab.answer("resume", {"name": "gate-3", "generations": 9})
    assert started.last.command[3:] == ["resume", "gate-3", "--generations", "9", "--workers", "0"]
    assert lab.answer("fork", {"run": "gate-3", "changes": "search.seed = 2\n\ntask.volleys=2"})["name"] == "gate-3-1"
    assert started.last.command[3:-2] == [
        "fork",
        "gate-3",
        "--set",
        "search.seed = 2",
        "--set",
        "task.volleys=2",
        "--out",
        "gate-3-1",
    ]
    assert "sed" in refused(lab, "fork", {"run": "gate-3", "changes": "search.sed=2"})[0]
    refused(lab, "fork", {"run": "gate-3", "changes": "no setting"})
    refused(lab, "resume", {"name": "gate-3", "generations": "many"})
    refused(lab, "start", {"toml": TINY, "workers": "; rm -rf"})


def test_code_of_ones_own_is_executed_only_after_a_click_that_says_so(lab, folder, started):
    started.last = None
    (folder / "agree.py").write_text("raise SystemExit('executed')\n" + OWN_TASK)
    toml = TINY.replace('name = "gate"\nvolleys = 1', 'name = "agree.py:Agree"')
    assert lab.answer("spec/check", {"toml": toml})["own"] is True
    for question, said in (
        ("start", {"toml": toml}),
        ("resume", {"name": "own"}),
        ("fork", {"run": "own", "changes": "search.seed=2"}),
    ):
        message, place = refused(lab, question, said)
        assert place == "execute"
        assert "agree.py" in message
        assert started.last is None
        refused(lab, question, said | {"execute": "yes"})
        lab.answer(question, said | {"execute": True})
        assert started.last is not None
        started.last = None


def test_an_error_names_the_field(lab):
    values = lab.answer("spec/form", {"task": "gate"})["values"]
    for section, key, value in (
        ("search", "population", 2),
        ("circuit", "neurons", [0, 3]),
        ("task", "volleys", 99),
        ("search", "algorithm", "nsga3"),
        ("search", "seed", "x"),
    ):
        changed = values | {section: values[section] | {key: value}}
        found = lab.answer("spec/check", {"values": changed})
        assert found["place"].startswith(f"{section}.{key}"), found
        assert found["error"]
    assert lab.answer("spec/check", {"values": values})["error"] is None
    assert "not TOML" in refused(lab, "spec/check", {"toml": "["})[0]


def test_the_form_has_every_key_of_a_spec_with_its_text_and_range(lab):
    from evo.spec.circuit_section import CircuitBounds
    from evo.spec.search_section import Search, Stop

    sections = {s["name"]: {f["key"]: f for f in s["fields"]} for s in lab.answer("spec/form", {"task": "gate"})["sections"]}
    assert sections["search"].keys() == Search.model_fields.keys() - {"stop"}
    assert sections["search.stop"].keys() == Stop.model_fields.keys()
    assert sections["circuit"].keys() == CircuitBounds.model_fields.keys() - {"parameters", "types"}
    assert (sections["search"]["population"]["minimum"], sections["search"]["population"]["maximum"]) == (4, 100_000)
    assert all(
        f["text"] for name in ("search", "circuit", "search.stop", "circuit.parameters") for f in sections[name].values()
    )
    assert sections["circuit"]["synapse_model"]["choices"] == ["static", "short_term", "stdp"]


def test_values_and_toml_say_the_same(lab):
    form = lab.answer("spec/form", {"task": "itd"})
    again = lab.answer("spec/check", {"values": form["values"]})
    assert lab.answer("spec/check", {"toml": again["toml"]})["values"] == form["values"]


@pytest.mark.slow
def test_a_search_outlives_the_lab_and_is_stopped_and_gone_on_with(lab, folder, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    toml = TINY.replace("generations = 6", "generations = 100000")
    lab.answer("start", {"toml": toml, "name": "new"})
    process = lab.control.jobs["new"].process
    until(lambda: (folder / "new" / STORE).exists() and evo.open_run(folder / "new").evaluations > 0, process)
    assert lab.answer("job", {"name": "new"})["state"] == "begun"
    assert os.getsid(process.pid) != os.getsid(0)
    lab.control.jobs.clear()  # as another lab would see it
    lab.runs.look()
    lab.answer("stop", {"name": "new"})
    process.wait(timeout=60)
    stopped = evo.open_run(folder / "new")
    assert stopped.state == "stopped"
    assert "is not running" in refused(lab, "stop", {"name": "new"})[0]


@pytest.mark.long
def test_why_a_run_did_not_begin_is_said(lab, folder, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    lab.answer("start", {"toml": TINY, "name": "new"})
    job = lab.control.jobs["new"]
    os.killpg(job.process.pid, signal.SIGKILL)
    job.process.wait(timeout=30)
    assert lab.answer("job", {"name": "new"})["state"] == "failed"


def test_a_notebook_is_not_ended_for_a_run_in_it(lab, folder):
    from evo.storage import lock

    with lock.alone(folder / "gate-3" / SPEC):
        assert "is not the command evo" in refused(lab, "stop", {"name": "gate-3"})[0]


def until(condition, process, timeout=60):
    end = time.monotonic() + timeout
    while not condition():
        assert process.poll() is None, "it has ended"
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


assert subprocess  # the module that `started` replaces a part of
