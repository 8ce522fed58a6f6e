"""Every task's committed search over five seeds, and its table, runs/results/suite.csv: python -m tests.bench.suite [TASK ...]

A run counts as solving its task when the circuit that does best on validation trials scores 0.9 on held-out trials, within 20
minutes of one core. The runs of a task are a study in runs/suite/, so that an interrupted suite goes on where it was; those of
another version or of a spec that has changed are made anew. The table keeps its rows of tasks for which there is nothing.
"""

import sys
from pathlib import Path

import evo
import fitness
from evo.spec.run_spec import read
from evo.studies.study.folder import is_study
from fitness.judges.simulated import Simulated
from fitness.tasks import BUILT_IN
from tests.bench.report import told
from tests.bench.rows import merge_csv
from tests.bench.studies import medians, solved

ROOT = Path(__file__).parents[2]
RUNS = ROOT / "runs" / "suite"
TABLE = ROOT / "runs" / "results" / "suite.csv"
HEAD = (
    "task",
    "solved",
    "evaluations to 0.9",
    "seconds of one core",
    "held-out score",
    "in the worst condition",
    "circuit",
    "reference",
)
SEEDS = (1, 2, 3, 4, 5)
BUDGET = {"search.seconds": ["1200.0"]}  # of one core


def main():
    Simulated.analysed = 0  # nobody reads them
    known = [name for name in BUILT_IN if name != "several"]
    names = sys.argv[1:] or known
    if unknown := set(names) - set(known):
        sys.exit(f"there is no task {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    for name in names:
        study(name)
    write([row(name) for name in known if is_study(folder(name)) and evo.open_study(folder(name)).state == "finished"])


def folder(name: str) -> Path:
    """Where the study of a task lies that was made with this version and this spec."""
    return RUNS / f"{name}-{evo.__version__}-{read(ROOT / 'runs' / f'{name}.toml')[0].digest()[:12]}"


def study(name: str) -> evo.Study:
    """The study of a task, run to its end."""
    there = folder(name)
    if is_study(there):
        return evo.resume_study(there, observe=told)
    return evo.run_study([ROOT / "runs" / f"{name}.toml"], there, SEEDS, BUDGET, observe=told)


def row(name: str) -> tuple[str, ...]:
    """The task's row of the table: medians over the seeds; a run that did not get there counts as more than any that did."""
    runs = evo.open_study(folder(name)).runs
    median = sorted(runs, key=lambda run: run.best_held_out)[len(runs) // 2]
    best = evo.open_run(folder(name) / median.run).front[0]
    worst = f"{best.worst:.3f} ({best.condition.name})" if best.condition else ""
    task = BUILT_IN[name]()
    reference = task.evaluate(fitness.reference(name).circuit, task.trials(0, 512)).value
    return (
        name,
        solved(runs),
        *medians(runs),
        f"{best.held_out:.3f}",
        worst,
        f"{best.excitatory} E, {best.inhibitory} I",
        f"{reference:.3f}",
    )


def write(rows: list[tuple[str, ...]], path: Path = TABLE):
    """Write the rows, by task, into the table, a CSV file that the documentation shows; its other rows stay."""
    merge_csv(path, HEAD, rows, 1, lambda row: list(BUILT_IN).index(row[0]))
    print(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
