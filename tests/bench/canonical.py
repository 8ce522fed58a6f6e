"""Which motifs come back for which computation, and the evidence: python -m tests.bench.canonical [TASK ...] [--seeds N]

For each task (its hard setting, else its default) many seeds are searched until the task is solved: 0.9 on held-out trials and
0.75 in the worst condition. Asked is of each named motif

- recurs:     is it more frequent in the smallest circuits that do as well as the best than in neutral evolution?
- necessary:  does a cut of one of its connections cost more than one of another connection of the same kind?
- sufficient: does a search that is restricted to random wirings with the motif (their weights, delays and parameters evolve)
              solve the task with fewer circuits than one restricted to wirings of the same sizes without it?
- helps:      does a search that begins with such wirings, and may change them, solve it with fewer circuits?

The last two are asked of motifs that recur (p below 0.05 among all motifs of the task) in MOST circuits. The table is
runs/results/canonical.csv; its p are corrected over all its rows when it is shown (docs/concepts/canonical.md). Studies lie in
runs/canonical/ and go on where they were interrupted.
"""

import argparse
import csv
import json
import math
from hashlib import sha256
from pathlib import Path

import evo
from evo.inspect.motif_table import significant
from evo.spec.run_spec import read
from evo.storage.run_folder import Run
from evo.studies.motifs import motifs
from evo.studies.motifs.necessary import necessity
from evo.studies.study.folder import is_study
from evo.studies.study.intervals import log_rank, median_until
from fitness.judges.simulated import Simulated
from tests.bench.report import told

ROOT = Path(__file__).parents[2]
RUNS, TABLE = ROOT / "runs" / "canonical", ROOT / "runs" / "results" / "canonical.csv"
SCORE, WORST = 0.9, 0.75
EVALUATIONS, FEWER = 40_000, 20_000  # of a run, and of one of the searches with or without a motif
MOST = 3  # motifs of a task about which searches are made
SHARE = 0.5  # of the circuits that have it, for such a motif
HEAD = (
    "task",
    "motif",
    "circuits",
    "number in a circuit",
    "by chance",
    "ratio",
    "p",
    "loss by a cut",
    "by cuts of others",
    "compared in",
    "p of necessity",
    "solved with it alone",
    "solved without it",
    "circuits with it",
    "circuits without it",
    "p of sufficiency",
    "begun with it",
    "begun without it",
    "p of help",
)


def main():
    Simulated.analysed = 0  # nobody reads them
    parser = argparse.ArgumentParser()
    parser.add_argument("tasks", nargs="+", metavar="TASK")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=10, help="seeds of the searches with and without a motif")
    parser.add_argument("--workers", default="auto", type=lambda text: text if text == "auto" else int(text))
    chosen = parser.parse_args()
    for task in chosen.tasks:
        write(task, rows(task, chosen.seeds, chosen.pairs, chosen.workers))
    print(TABLE.read_text(encoding="utf-8"))


def rows(task: str, seeds: int, pairs: int, workers) -> list[tuple[str, ...]]:
    """The table's rows of a task."""
    study = searched(task, "default", {}, EVALUATIONS, seeds, workers)
    solved = [Run(study.folder / run.run) for run in study.runs if run.reached]
    if len(solved) < 2:
        return []
    common = motifs(solved)
    cut = {row.name: row for row in necessity(common.winners)}
    asked = [f for f in common.named if significant(f) and f.share >= SHARE][:MOST]
    lines = []
    for finding in common.named:
        chance, own = finding.of_size, cut.get(finding.name)
        line = [task, finding.name, str(len(solved)), f"{finding.mean:.2f}", f"{chance.mean:.2f}", f"{chance.ratio:.1f}"]
        line.append("" if math.isnan(chance.p) else f"{chance.p:.5f}")
        if own is None:
            line += [""] * 4
        else:
            line += [f"{own.loss:.3f}", f"{own.others:.3f}", str(own.circuits), f"{own.p:.5f}"]
        line += compared(task, finding.name, pairs, workers) if finding in asked else [""] * 8
        lines.append(tuple(line))
    return lines


def compared(task: str, motif: str, seeds: int, workers) -> list[str]:
    """What searches that begin with a motif, and without it, need: restricted to their wirings, and free to change them."""
    cells = []
    for algorithm in ("weights-only", "lexicase-nsga2"):
        arms = []
        for which in ("with", "without"):
            name = f"{algorithm} {which} {motif}".replace(" ", "-")
            settings = {"search.algorithm": f'"{algorithm}"', f"search.founders_{which}": f'"{motif}"'}
            runs = searched(task, name, settings, FEWER, seeds, workers).runs
            arms.append(([run.evaluations_to_target for run in runs], [run.reached for run in runs]))
        if algorithm == "weights-only":
            cells += [f"{sum(reached)}/{len(reached)}" for _, reached in arms]
        cells += [_middle(*arm) for arm in arms]
        cells.append(f"{log_rank(*arms[0], *arms[1]):.5f}")
    return cells


def _middle(evaluations, reached):
    value = median_until(evaluations, reached).value
    return "-" if math.isinf(value) else f"{value:,.0f}"


def searched(task: str, name: str, changes: dict[str, str], most: int, seeds: int, workers) -> evo.Study:
    """The study of a task, run to its end."""
    hard = ROOT / "runs" / "hard" / f"{task}.toml"
    spec = hard if hard.exists() else ROOT / "runs" / f"{task}.toml"
    settings = {
        "search.evaluations": [str(most)],
        "search.generations": ["100000"],
        "search.target": ["1.0"],
        **{key: [value] for key, value in changes.items()},
    }
    what = json.dumps([evo.__version__, read(spec)[0].digest(), settings, seeds])
    there = RUNS / f"{task}-{name}-{sha256(what.encode()).hexdigest()[:12]}"
    if is_study(there):
        return evo.resume_study(there, workers, observe=told)
    return evo.run_study([spec], there, seeds, settings, workers, target=SCORE, worst=WORST, until_target=True, observe=told)


def write(task: str, lines: list[tuple[str, ...]], path: Path = TABLE):
    """Write the rows of a task into the table; those of other tasks stay."""
    before = []
    if path.exists():
        with open(path, newline="", encoding="utf-8") as file:
            before = [tuple(row) for row in list(csv.reader(file))[1:] if row[0] != task]
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([HEAD, *sorted([*before, *lines], key=lambda row: row[0])])


if __name__ == "__main__":
    main()
