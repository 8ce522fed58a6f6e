"""The hard suite, runs/hard/*.toml, searched with several seeds, and its table, runs/results/hard.csv:
python -m tests.bench.hard [TASK ...] [--arms NAME ...] [--seeds N] [--evaluations N] [--workers N]

A hard task is one setting of a task, named and frozen, with a reference circuit beside it (runs/hard/NAME.json) that scores 0.9
on held-out trials and 0.75 in the worst condition. A run has solved its task when its best circuit on validation trials does
that, and ends there. Other runs end after `--evaluations` circuits, random search after 200,000. The runs of a task are studies
in runs/hard-work/ that go on where they were interrupted; studies of another version, spec or budget are started anew. Rows of
the table that are not measured now stay.
"""

import argparse
import json
import math
from pathlib import Path
from statistics import median

import numpy as np

import evo
from circuits import load
from circuits.simulation.packed import from_circuit
from evo.spec.run_spec import read
from evo.spec.starter import GROWING
from evo.studies.study.folder import StudyRun
from fitness.evaluation.evaluate import evaluate
from fitness.judges.simulated import Simulated
from tests.bench.budget import WITHOUT
from tests.bench.rows import merge_csv
from tests.bench.studies import medians, solved, until_solved

ROOT = Path(__file__).parents[2]
SUITE, RUNS = ROOT / "runs" / "hard", ROOT / "runs" / "hard-work"
TABLE = ROOT / "runs" / "results" / "hard.csv"
BEFORE, RANDOM, RANDOM_EVALUATIONS = "version 0.4", "random", 200_000
# What differs from the specs, whose search is that of version 0.4, bit for bit.
GROWN = {f"search.{key}": [json.dumps(value)] for key, value in GROWING.items()}
GROWN |= {"search.objectives": ['["score", "worst", "energy", "wiring"]']}
ARMS: dict[str, dict[str, list[str]]] = {
    BEFORE: {},
    "growing": GROWN,
    "duplicating": GROWN | {"search.duplication": ["0.3"]},
    RANDOM: {"search.algorithm": ['"random"'], "search.population": ["1000"]},
}
HEAD = (
    "task",
    "search",
    "seeds",
    "circuits at most",
    "solved",
    "evaluations",
    "seconds of one core",
    "held-out score",
    "in the worst condition",
    "reference",
    "reference in the worst condition",
)
TRIALS = 4096  # on which the references are scored


def main():
    Simulated.analysed = 0  # the table shows no analyses
    parser = argparse.ArgumentParser()
    parser.add_argument("tasks", nargs="*", default=names(), metavar="TASK", help=", ".join(names()))
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--evaluations", type=int, default=400_000)
    parser.add_argument("--workers", default="auto", type=lambda text: text if text == "auto" else int(text))
    chosen = parser.parse_args()
    for arm in chosen.arms:
        seeds, most = (1, RANDOM_EVALUATIONS) if arm == RANDOM else (chosen.seeds, chosen.evaluations)
        for name in chosen.tasks:
            write([row(name, arm, most, study(name, arm, seeds, most, chosen.workers).runs)])
    print(TABLE.read_text(encoding="utf-8"))


def names() -> list[str]:
    """The hard tasks."""
    return sorted(path.stem for path in SUITE.glob("*.toml"))


def study(name: str, arm: str, seeds: int, most: int, workers: int | str) -> evo.Study:
    """The study of a hard task, run to its end."""
    settings = ARMS[arm] | {"search.evaluations": [str(most)]}
    if name in WITHOUT:
        settings.pop("search.objectives", None)
    spec = SUITE / f"{name}.toml"
    return until_solved(spec, RUNS / f"{name}-{arm.replace(' ', '-')}", settings, seeds, workers)


def row(name: str, arm: str, most: int, runs: list[StudyRun]) -> tuple[str, ...]:
    """A row of the table: medians over the seeds, a run that did not get there counting as more than any that did."""
    return (
        name,
        arm,
        str(len(runs)),
        f"{most:,}",
        solved(runs),
        *medians(runs),
        *(shown(median(values)) for values in ([run.held_out for run in runs], [run.worst for run in runs])),
        *map(shown, reference(name)),
    )


def reference(name: str, trials: int = TRIALS, dtype="float64") -> tuple[float, float]:
    """The scores of a hard task's reference circuit on held-out trials, and in the worst condition, NaN without conditions."""
    task = read(SUITE / f"{name}.toml")[0].make_task()
    evaluation = evaluate(task, task.trials(0, trials), from_circuit(load(SUITE / f"{name}.json").circuit, np.dtype(dtype)))
    return float(evaluation.score[0]), float(evaluation.worst[0][0])


def shown(score: float) -> str:
    """A score in the table."""
    return "" if math.isnan(score) else f"{score:.3f}"


def write(rows: list[tuple[str, ...]], path: Path = TABLE):
    """Write the rows into the table; its other rows stay."""
    merge_csv(path, HEAD, rows, 2, lambda row: row[:2])


if __name__ == "__main__":
    main()
