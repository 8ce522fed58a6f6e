"""Studies of tables that are made over several sittings: a benchmark that was interrupted goes on with them."""

import json
from hashlib import sha256
from pathlib import Path

import evo
from evo.spec.resolve import resolve
from evo.studies.study.folder import is_study
from tests.bench.report import told

SCORE, WORST = 0.9, 0.75  # of a solution on held-out trials: in all, and in the worst condition


def steady(task: str) -> str:
    """The search of version 0.4 for a task, whose populations do not grow, as `evo.run` takes it."""
    return f"runs/zoo/{task}.toml"


def until_solved(
    spec: Path | str, stem: Path, settings: dict[str, list[str]], seeds: int | str, workers: int | str
) -> evo.Study:
    """The study whose runs end when they solve the task, run to its end. Its folder begins with the stem, and is another one
    for another version, spec, settings or seeds."""
    what = json.dumps([evo.__version__, resolve(spec).spec.digest(), settings, seeds])
    folder = stem.with_name(f"{stem.name}-{sha256(what.encode()).hexdigest()[:12]}")
    if is_study(folder):
        return evo.resume_study(folder, workers, observe=told)
    return evo.run_study([spec], folder, seeds, settings, workers, target=SCORE, worst=WORST, until_target=True, observe=told)
