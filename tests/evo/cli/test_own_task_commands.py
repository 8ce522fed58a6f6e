"""What the command says of a task of the user's own, and that it says so before it executes its code."""

import os
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

import evo
from circuits.errors import UserError
from evo.cli.group import cli
from evo.cli.learn import new, tasks
from evo.cli.runs import fork, resume, run
from evo.spec.run_spec import read
from evo.spec.starter import TIME_CONSTANTS, left_fixed, starter
from tests.evo.tiny import OWN_TASK, own_task_spec, spec_file

TOLD = OWN_TASK.replace("class Agree(fitness.Task):\n", 'class Agree(fitness.Task):\n    """Do both fire together?"""\n')
SETTINGS = """
    gap_ms: float = Field(10.0, description="how much later\\n the second comes")
    pairs: tuple[float, ...] = (1.0, 1.0)
    none: float | None = None
    empty: tuple[int, ...] = ()
    quoted: str = 'a "b"\\\\c'
    table: dict[str, int] = {"a b": 1}
"""
RUNNER = CliRunner()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agree.py").write_text(TOLD)
    return tmp_path


def done(command, *arguments):
    found = RUNNER.invoke(command, [str(a) for a in arguments], catch_exceptions=True)
    assert found.exception is None or isinstance(found.exception, UserError), found.exception
    return found


@pytest.mark.parametrize("name", ["agree.py:Agree", "mine:Agree"])
def test_evo_tasks_explains_it_and_draws_its_trials(here, name):
    (here / "mine").mkdir()
    shutil.copy("agree.py", "mine/__init__.py")
    said = done(tasks, name)
    for part in ("Do both fire together?", "gap_ms = 10.0", "Example, class 0:", "Example, class 1:"):
        assert part in said.stdout
    assert f"executing the code of task {name}" in said.stderr
    drawn = done(tasks, name, "-o", "trials.svg")
    assert drawn.stdout.strip() == "trials.svg"
    assert "class 1" in (here / "trials.svg").read_text()


def test_evo_tasks_never_takes_it_for_one_that_ships(here):
    (here / "agree.py").write_text(OWN_TASK.replace("    gap_ms", '    name = "gate"\n    gap_ms'))
    said = done(tasks, "agree.py:Agree").stdout
    assert "has no docstring" in said
    assert "reference circuit" not in said


@pytest.mark.parametrize("out", ["mine.toml", "specs/mine.toml"])
def test_evo_new_writes_a_spec_of_it_that_runs_from_where_it_lies(here, out):
    code = TOLD.replace("    gap_ms: float = 10.0\n", SETTINGS)
    (here / "agree.py").write_text("from pydantic import Field\n" + code)
    os.makedirs("specs")
    assert done(new, "agree.py:Agree", "-o", out).stdout.strip() == out
    spec, source = read(out)
    task = spec.make_task(source)
    assert (task.pairs, task.none, task.empty, task.quoted, task.table) == ((1.0, 1.0), None, (), 'a "b"\\c', {"a b": 1})
    assert list(spec.circuit.parameters.tau_m_ms) == TIME_CONSTANTS["tau_m_ms"]
    assert not left_fixed(spec, source)
    assert 'name = "agree.py:Agree"' in done(new, "agree.py:Agree").stdout


def test_a_setting_that_has_no_default_is_left_to_be_set(here):
    (here / "agree.py").write_text(OWN_TASK.replace("gap_ms: float = 10.0", "gap_ms: float"))
    assert "# gap_ms =   (must be set)" in starter("agree.py:Agree")
    assert "gap_ms (must be set)" in done(tasks, "agree.py:Agree").stdout


def test_what_suits_it_goes_into_its_spec(here):
    default_spec = 'default_spec = {"circuit.parameters": {"tau_m_ms": [3.0, 4.0]}, "search": {"trials": 32}}'
    (here / "agree.py").write_text(OWN_TASK.replace("    gap_ms", f"    {default_spec}\n    gap_ms"))
    text = starter("agree.py:Agree")
    assert "tau_m_ms = [3.0, 4.0]" in text
    assert "trials = 32" in text


@pytest.mark.parametrize(
    ("name", "said"),
    [("nope.py:Agree", "nope.py cannot be read"), ("agree.py:Other", "defines no class Other"), ("agree", "no task 'agree'")],
)
def test_what_is_no_task_is_refused_in_one_line(here, name, said):
    for command in (tasks, new):
        error = done(command, name).exception
        assert said in str(error)
        assert "\n" not in str(error)


def test_every_command_that_executes_its_code_says_so_first(here):
    small = {"generations": 1, "epoch": 1, "islands": 1, "population": 4}
    path = own_task_spec(here, 'import sys\nprint("executed", file=sys.stderr)\n' + OWN_TASK, **small)
    for command, arguments in (
        (run, (path, "--out", "run", "--workers", 0)),
        (resume, ("run", "--workers", 0, "--generations", 2)),
        (fork, ("run", "--workers", 0, "--set", "search.seed=2")),
        (tasks, ("agree.py:Agree",)),
        (new, ("agree.py:Agree",)),
    ):
        said = done(command, *arguments).output
        assert said.splitlines()[0].startswith("executing the code of task agree.py:Agree"), said
        assert "xecutes the code of a task of your own" in command.help or "its code is executed" in command.help
    (here / "run" / "agree.py").write_text("raise SystemExit")
    for command in (resume, fork):
        found = done(command, "run", "--workers", 0)
        assert "agree.py: was changed" in str(found.exception)
        assert "executing" not in found.output, "what is not executed is not announced"
    assert set(cli.commands) > {"run", "resume", "fork", "prune", "tasks", "new"}


def test_time_constants_that_a_spec_leaves_out_are_named_with_what_lets_them_evolve(here):
    small = {"generations": 1, "epoch": 1, "islands": 1, "population": 4}
    path = spec_file(here, **small)
    said = done(run, path, "--out", "run", "--workers", 0).stdout
    assert "[circuit.parameters] leaves out tau_syn_e_ms, tau_syn_i_ms: fixed at their defaults" in said
    assert "tau_syn_e_ms = [" in said
    text = path.read_text().replace("tau_m_ms = [5.0, 30.0]", "tau_m_ms = 20\ntau_syn_e_ms = 2\ntau_syn_i_ms = 5")
    path.write_text(text)
    assert "leaves out" not in done(run, path, "--out", "fixed", "--workers", 0).stdout
    assert "leaves out" not in done(resume, "run", "--workers", 0, "--generations", 2).stdout


def test_a_fork_may_take_another_task_of_ones_own(here):
    small = {"generations": 1, "epoch": 1, "islands": 1, "population": 4}
    parent = evo.run(own_task_spec(here, **small), here / "run", workers=0)
    (here / "other.py").write_text(OWN_TASK.replace("10.0", "7.0"))
    child = evo.fork(parent.folder, {"task.name": "other.py:Agree"}, here / "child", workers=0)
    assert child.spec.task["name"] == "other.py:Agree"
    assert "7.0" in (child.folder / "other.py").read_text()
    assert np.isfinite(child.front[0].score)


@pytest.mark.parametrize(
    ("line", "now"),
    [
        ("from circuits.raster import Raster", "it is now circuits.simulation.raster"),
        ("from circuits.worlds import TwoEars", "it is now circuits.simulation.environments"),
        ("from fitness.guard import guarded", "it is now fitness.sandbox.guard"),
        ("from fitness.interval import wilson", "it is now fitness.scoring.confidence"),
    ],
)
def test_a_module_that_has_moved_is_named_with_its_new_place(here, line, now):
    (here / "agree.py").write_text(f"{line}\n{OWN_TASK}")
    assert now in str(done(tasks, "agree.py:Agree").exception)


def test_a_method_by_its_older_name_is_refused_with_the_new_one(here):
    (here / "agree.py").write_text(OWN_TASK.replace("trial_scores(", "credit("))
    refused = str(done(tasks, "agree.py:Agree").exception)
    assert all(part in refused for part in ("trial_scores", "0.4", "trial_scores", "rename"))
