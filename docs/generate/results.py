"""Tables of benchmarks, from `runs/results/`."""

import csv
import json

import numpy as np
from scipy.stats import false_discovery_control

from evo.inspect.terminal.motif_table import SIGNIFICANT
from generate.markdown import ROOT, page, table
from tests.bench.assembly_report import interval
from tests.bench.assembly_tasks import PRICED, TASKS
from tests.bench.bench_assembly import ARMS, best_choice
from tests.bench.quality_report import NEVER, evaluations, median

RESULTS = ROOT / "runs" / "results"
SEARCHES = {
    "default": "the search",
    "random": "random circuits",
    "weights-only": "weights only, wiring of the founders",
    "no crossover": "no crossover",
    "one island": "one island of 800 instead of four of 200",
    "E only": "excitatory neurons only",
    "unsigned": "no Dale's law",
}
PARTS = {"bench": "the bench", "runs": "1,000 runs", "front": "a front of 1,000 circuits"}  # of what is clocked in the lab
NETWORKS = {
    "evolved to learn": "copies of a motif evolved to learn quickly",
    "random motif": "copies of a random motif, same E, I and degrees",
    "unevolved motif": "copies of a founder of the search",
    "evolved for a task": "copies of a motif evolved for the nearest task",
    "single neuron": "copies of a single neuron",
    "dense, Dale's law": "dense recurrent layer, Dale's law",
    "dense, any sign": "dense recurrent layer, any sign",
}
DATA = {
    "randman": "Randman",
    "itd": "ITD",
    "itd-in-phase": "ITD, ears in phase",
    "yin-yang": "Yin-Yang",
    "digits": "digits",
}


def write():
    runs = lines("quality")
    named = list(dict.fromkeys(row["task"] for row in runs))
    rows = [(SEARCHES[arm], *(solved(evaluations(runs, task, arm)) for task in named)) for arm in SEARCHES]
    page("tables/quality.md", table(("search", *(f"`{task}`" for task in named)), rows))

    networks = lines("assembly")
    tuned = {(task, arm): rows for task in TASKS for arm in ARMS if (rows := judged(networks, task, arm))}
    for price, file in (("", "assembly"), (PRICED, "assembly-priced")):
        columns = {task: name for task, name in DATA.items() if task + price in TASKS}
        rows = [(NETWORKS.get(arm, arm), *(accuracy(tuned.get((task + price, arm))) for task in columns)) for arm in ARMS]
        page(f"tables/{file}.md", table(("network", *columns.values()), [row for row in rows if any(row[1:])]))
    page("tables/lab.md", clocked())
    page("tables/canonical.md", canonical())


def canonical() -> str:
    """The motifs that come back for a task, and the evidence; p corrected over all motifs of all tasks."""
    with open(RESULTS / "canonical.csv", encoding="utf-8", newline="") as file:
        motifs = list(csv.DictReader(file))
    fair = {key: _corrected(motifs, key) for key in ("p", "p of necessity", "p of sufficiency", "p of help")}
    rows = []
    for k, row in enumerate(motifs):
        if not fair["p"][k] < SIGNIFICANT:
            continue
        marks = {key: "*" if values[k] < SIGNIFICANT else "" for key, values in fair.items()}
        cut = f"{row['loss by a cut']} ({row['by cuts of others']}){marks['p of necessity']}" if row["compared in"] else "-"
        cut += ", larger" if row["of circuits"] == "larger" else ""
        alone = begun = "-"
        if row["solved with it alone"]:
            alone = f"{row['circuits with it']} ({row['circuits without it']}){marks['p of sufficiency']}"
            alone += f", {row['solved with it alone']} ({row['solved without it']})"
            begun = f"{row['begun with it']} ({row['begun without it']}){marks['p of help']}"
        share = f"{row['number in a circuit']} ({row['by chance']})*"
        rows.append((f"`{row['task']}`", row["motif"], share, cut, alone, begun))
    solving = "circuits to solve it, solved: with it alone (without)", "circuits when begun with it (without)"
    return table(("task", "motif", "in a circuit (by chance)", "loss by a cut (others)", *solving), rows)


def _corrected(rows, key):
    """The p of rows, corrected for their number by Benjamini and Hochberg; NaN where there is none."""
    p = np.array([float(row[key] or "nan") for row in rows])
    p[~np.isnan(p)] = false_discovery_control(p[~np.isnan(p)])
    return p


def clocked() -> str:
    """Response times of the lab."""
    if not (RESULTS / "lab.csv").exists():
        return "Not measured yet."
    with open(RESULTS / "lab.csv", encoding="utf-8", newline="") as file:
        rows = [(PARTS[row["part"]], row["what"], row["median_ms"], row["worst_ms"]) for row in csv.DictReader(file)]
    return table(("", "", "median, ms", "worst, ms"), rows)


def lines(name: str) -> list[dict]:
    return [json.loads(line) for line in (RESULTS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def solved(tried) -> str:
    """The share of seeds that solved a task, and the median of the circuits evaluated, if so many solved it."""
    middle = median(tried)
    return f"{(tried < NEVER).sum()}/{len(tried)}" + (f", {middle:,.0f}" if middle < NEVER else "")


def judged(networks, task, arm) -> list[dict]:
    """The rows of the seeds that are reported, with the settings that did best on the seeds for tuning."""
    mine = [row for row in networks if (row["task"], row["arm"]) == (task, arm)]
    if not mine:
        return []
    best = best_choice(mine, task, arm, TASKS[task].score)
    return [row for row in mine if row["seed"] > 0 and row["seed"] < 100 and (row["rate"], row["gain"]) == best]


def accuracy(rows) -> str:
    """Accuracy in % with its 95 % confidence interval, and in brackets the spikes of a trial."""
    if not rows:
        return ""
    middle, half = interval([100 * row["accuracy"] for row in rows])
    spikes = [row["spikes"] for row in rows if row["spikes"] is not None]
    return f"{middle:.1f} ± {half:.1f}" + (f" ({sum(spikes) / len(spikes):.0f})" if spikes else "")
