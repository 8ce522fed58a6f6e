"""Which motifs come back for which computation, and the evidence:
python -m tests.bench.canonical [TASK ...] [--seeds N] [--pairs N] [--cuts]

For each task (its hard setting, else its default) many seeds are searched until the task is solved: 0.9 on held-out trials and
0.75 in the worst condition. Asked is of each named motif

- recurs:     is it more frequent in the smallest circuits that do as well as the best than in neutral evolution?
- necessary:  does a cut of one of its connections cost more than one of another connection of the same kind?
- sufficient: does a search that is restricted to random wirings with the motif (their weights, delays and parameters evolve)
              solve the task with fewer circuits than one restricted to wirings of the same sizes without it?
- helps:      does a search that begins with such wirings, and may change them, solve it with fewer circuits?

The last two are asked of motifs that recur (p below 0.05 among all motifs of the task) in half of the circuits, MOST at most.

A motif that is (nearly) all of the smallest circuits has no other connections to be compared with there. A motif about which
the last two are asked, and which can be compared in fewer than COMPARED of the smallest circuits, is therefore cut in larger
ones: as many seeds are searched once more, with score as the only objective, with at least LARGER neurons and 50 circuits on
each island, so that nothing favours small circuits, and the same cuts are made in the best circuit of each seed that solves
the task. All its connections were free to evolve for the same time under the same selection, whether they belong to the motif
or not. --cuts makes these alone, for rows that the table has.

The table is runs/results/canonical.csv; its p are corrected over all its rows when it is shown (docs/concepts/canonical.md).
Studies lie in runs/canonical/ and go on where they were interrupted.
"""

import argparse
import math
from pathlib import Path

import evo
from evo.inspect.terminal.motif_table import significant
from evo.spec.resolve import resolve
from evo.storage.run_folder import Run
from evo.studies.motifs import Winner, motifs
from evo.studies.motifs.necessary import Necessity, necessity
from evo.studies.study.intervals import log_rank
from fitness.judges.simulated import Simulated
from tests.bench.rows import csv_rows, write_csv
from tests.bench.studies import middle, steady, until_solved

ROOT = Path(__file__).parents[2]
RUNS, TABLE = ROOT / "runs" / "canonical", ROOT / "runs" / "results" / "canonical.csv"
EVALUATIONS, FEWER = 40_000, 20_000  # of a run, and of one of the searches with or without a motif
MOST = 3  # motifs of a task about which searches are made
SHARE = 0.5  # of the circuits that have it, for such a motif
COMPARED, LARGER, SPARE = 5, 5, 3  # circuits; neurons at least; and by how many the bound on neurons is raised
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
    "of circuits",
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
    parser.add_argument("--cuts", action="store_true", help="only cut motifs of the table again, in larger circuits")
    parser.add_argument("--workers", default="auto", type=lambda text: text if text == "auto" else int(text))
    chosen = parser.parse_args()
    for task in chosen.tasks:
        new = (
            with_cuts(task, chosen.seeds, chosen.workers)
            if chosen.cuts
            else rows(task, chosen.seeds, chosen.pairs, chosen.workers)
        )
        write(task, new)
    print(TABLE.read_text(encoding="utf-8"))


def rows(task: str, seeds: int, pairs: int, workers) -> list[tuple[str, ...]]:
    """The table's rows of a task."""
    solved = solved_by(searched(task, "default", {}, EVALUATIONS, seeds, workers))
    if len(solved) < 2:
        return []
    common = motifs(solved)
    cut = {row.name: row for row in necessity(common.winners)}
    asked = [f for f in common.named if significant(f) and f.share >= SHARE][:MOST]
    lines = []
    few = [f.name for f in asked if f.name not in cut or cut[f.name].circuits < COMPARED]
    larger = {row.name: row for row in necessity(in_larger(task, seeds, workers))} if few else {}
    for finding in common.named:
        chance, own, of = finding.of_size, cut.get(finding.name), "smallest"
        if finding.name in few and finding.name in larger:
            own, of = larger[finding.name], "larger"
        line = [task, finding.name, str(len(solved)), f"{finding.mean:.2f}", f"{chance.mean:.2f}", f"{chance.ratio:.1f}"]
        line.append("" if math.isnan(chance.p) else f"{chance.p:.5f}")
        if own is None:
            line += [""] * 5
        else:
            line += cells(own, of)
        line += compared(task, finding.name, pairs, workers) if finding in asked else [""] * 8
        lines.append(tuple(line))
    return lines


def solved_by(study: evo.Study) -> list[Run]:
    """The runs of a study that solved its task."""
    return [Run(study.folder / run.run) for run in study.runs if run.reached]


def in_larger(task: str, seeds: int, workers) -> list[Winner]:
    """The best circuits of searches that nothing makes small."""
    fewest, most = resolve(spec_of(task)).spec.circuit.neurons
    neurons = [max(LARGER, fewest), max(LARGER, most) + SPARE]
    settings = {"search.objectives": '["score"]', "circuit.neurons": str(neurons), "search.population": "50"}
    return [Winner.of(run) for run in solved_by(searched(task, "larger", settings, EVALUATIONS, seeds, workers))]


def cells(cut: Necessity, of: str) -> list[str]:
    """What a row says of cuts in circuits of a kind."""
    return [f"{cut.loss:.3f}", f"{cut.others:.3f}", str(cut.circuits), of, f"{cut.p:.5f}"]


def with_cuts(task: str, seeds: int, workers, path: Path = TABLE) -> list[tuple[str, ...]]:
    """The table's rows of a task, those motifs cut again that could be compared in few of the smallest circuits."""
    before = [row for row in csv_rows(path) if row["task"] == task]
    few = {row["motif"] for row in before if row["solved with it alone"] and is_few(row)}
    larger = {row.name: row for row in necessity(in_larger(task, seeds, workers))} if few else {}
    start = HEAD.index("loss by a cut")
    lines = []
    for row in before:
        line = [row[key] for key in HEAD]
        if row["motif"] in few and row["motif"] in larger:
            line[start : start + 5] = cells(larger[row["motif"]], "larger")
        lines.append(tuple(line))
    return lines


def is_few(row: dict[str, str]) -> bool:
    """Is the motif of a row compared in few of the smallest circuits?"""
    return row["of circuits"] == "larger" or int(row["compared in"] or 0) < COMPARED


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
        cells += [middle(*arm) for arm in arms]
        cells.append(f"{log_rank(*arms[0], *arms[1]):.5f}")
    return cells


def searched(task: str, name: str, changes: dict[str, str], most: int, seeds: int, workers) -> evo.Study:
    """The study of a task, run to its end."""
    spec = spec_of(task)
    settings = {
        "search.evaluations": [str(most)],
        "search.generations": ["100000"],
        "search.target": ["1.0"],
        **{key: [value] for key, value in changes.items()},
    }
    return until_solved(spec, RUNS / f"{task}-{name}", settings, seeds, workers)


def spec_of(task: str) -> Path | str:
    """The hard setting of a task, or its default where it has none. Populations of neither grow."""
    hard = ROOT / "runs" / "hard" / f"{task}.toml"
    return hard if hard.exists() else steady(task)


def write(task: str, lines: list[tuple[str, ...]], path: Path = TABLE):
    """Write the rows of a task into the table; those of other tasks stay."""
    before = [tuple(row[key] for key in HEAD) for row in csv_rows(path) if row["task"] != task]
    write_csv(path, HEAD, sorted([*before, *lines], key=lambda row: row[0]))


if __name__ == "__main__":
    main()
