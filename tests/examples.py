"""The folder in which examples of the documentation and of docstrings run, and searches cut short for them."""

import shutil
from pathlib import Path

import pytest

import circuits
import evo
from evo.spec.resolve import resolve

ROOT = Path(__file__).parents[1]
SMALL = {"population": 16, "islands": 2, "epoch": 2, "trials": 32, "held_out": 64, "archive": 3}
MOST_GENERATIONS = 6


def run_briefly(spec, *arguments, run=evo.run, generations=MOST_GENERATIONS, **settings):
    """`evo.run` with a small population and few generations; what the spec has smaller stays."""
    asked = resolve(spec).spec.search
    small = {key: min(value, getattr(asked, key)) for key, value in SMALL.items()}
    return run(spec, *arguments, generations=min(generations, MOST_GENERATIONS), **settings | small)


def resume_briefly(folder, *arguments, resume=evo.resume, generations=None, **settings):
    """`evo.resume` for one more epoch."""
    return resume(folder, *arguments, generations=generations and MOST_GENERATIONS + SMALL["epoch"], **settings)


@pytest.fixture(scope="session")
def example(tmp_path_factory):
    """A folder with a run, runs/mine, its best motif, best.json, and a run spec, runs/gate.toml."""
    folder = tmp_path_factory.mktemp("example")
    run = run_briefly("gate", out=folder / "runs" / "mine", workers=0, generations=4)
    circuits.save(run.motif(0), folder / "best.json")
    shutil.copy(ROOT / "runs" / "gate.toml", folder / "runs")
    return folder


@pytest.fixture
def in_example(example, tmp_path, monkeypatch):
    """The working folder is a copy of that one, and searches are cut short."""
    shutil.copytree(example, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(evo, "run", run_briefly)
    monkeypatch.setattr(evo, "resume", resume_briefly)
    return tmp_path
