"""Studies of tables that are made over several sittings: a benchmark that was interrupted goes on with them."""

import json
import math
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import evo
from evo.spec.resolve import resolve
from evo.studies.study.folder import is_study
from evo.studies.study.intervals import median_until
from tests.bench.report import told

SCORE, WORST = 0.9, 0.75  # of a solution on held-out trials: in all, and in the worst condition
COSTS = ("evaluations_to_target", "core_seconds_to_target")


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


def solved(runs: Sequence) -> str:
    """How many of the runs reached the target."""
    return f"{sum(run.reached for run in runs)}/{len(runs)}"


def medians(runs: Sequence, costs: Sequence[str] = COSTS) -> list[str]:
    """The median of each cost of some runs, by the names of their fields, in a table; a run that did not reach the target
    counts as more than any that did, "-" where half did not."""
    return [middle([getattr(run, cost) for run in runs], [run.reached for run in runs]) for cost in costs]


def middle(spent: Sequence[float], reached: Sequence[bool]) -> str:
    """The same of one cost."""
    value = median_until(spent, reached).value
    return "-" if math.isinf(value) else f"{value:,.0f}"
