"""How many circuits a search tries until one scores 0.9 on held-out trials: the default search beside others and controls, over
many seeds: python -m tests.bench.bench_quality [--seeds N] [--arms NAME ...] [--tasks NAME ...] [--processes N]

A search has solved its task in the first generation in which the circuit that did best on validation trials scores 0.9 on
held-out ones; counted are all circuits that came up on all islands until then, at most LIMIT. The searches that are missing are
studies in runs/quality/, and go on where they were stopped; finished ones are kept one a line in runs/results/quality.jsonl (or
the file that BENCH_JSON names): delete it to start anew. Prints tables in Markdown and draws runs/results/quality.svg.
"""

import argparse
import json
import os
from itertools import product
from pathlib import Path

import evo
from evo.running.search import free_folder
from fitness.judges.simulated import Simulated
from tests.bench.quality_report import drawn, tables
from tests.bench.report import told
from tests.bench.rows import add_json, json_rows
from tests.bench.studies import steady

ROOT = Path(__file__).parents[2]
RUNS = ROOT / "runs" / "quality"
SOLVED, LIMIT = 0.9, 200_000
TASKS = ("itd", "order", "gate", "coincidence", "xor", "direction")  # at their default settings
# What differs from the default search, by section.
ARMS: dict[str, dict] = {
    "default": {},
    "nsga2": {"search": {"algorithm": "nsga2"}},
    "lexicase": {"search": {"algorithm": "lexicase"}},
    "map-elites": {"search": {"algorithm": "map-elites"}},
    "age protected": {"search": {"protect": "age"}},
    "no crossover": {"search": {"crossover": 0.0}},
    "one island": {"search": {"islands": 1}},
    "unsigned": {"circuit": {"dale": False}},
    "E only": {"circuit": {"excitatory_share": [1.0, 1.0]}},
    "weights-only": {"search": {"algorithm": "weights-only"}},
    "random": {"search": {"algorithm": "random"}},
}


def main():
    Simulated.analysed = 0  # nobody reads them
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--tasks", nargs="+", default=TASKS, choices=TASKS)
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    path = Path(os.environ.get("BENCH_JSON") or ROOT / "runs" / "results" / "quality.jsonl")
    for stopped in sorted(RUNS.glob("study-*")):
        keep(evo.resume_study(stopped, chosen.processes, observe=told), path)
    done = {(found["task"], found["arm"], found["seed"]) for found in json_rows(path)}
    missing: dict[tuple[int, ...], list[tuple[str, str]]] = {}
    for one in product(chosen.tasks, chosen.arms):
        missing.setdefault(tuple(k for k in range(1, chosen.seeds + 1) if (*one, k) not in done), []).append(one)
    for seeds, searches in missing.items():
        if seeds:
            keep(searched(searches, seeds, free_folder("study", RUNS), chosen.processes), path)
    found = [r for r in json_rows(path) if r["task"] in chosen.tasks and r["arm"] in chosen.arms and r["seed"] <= chosen.seeds]
    print("\n" + "\n\n".join(tables(found, chosen.tasks, chosen.arms)))
    drawn(found, chosen.tasks, chosen.arms, LIMIT, ROOT / "runs" / "results" / "quality.svg")


def searched(searches: list[tuple[str, str]], seeds, folder: Path, processes: int) -> evo.Study:
    """The study of these tasks and arms, run until they have solved their tasks or tried LIMIT circuits."""
    specs = {f"{task}: {arm}": spec_of(task, arm, seeds[0]) for task, arm in searches}
    return evo.run_study(specs, folder, seeds, workers=processes, target=SOLVED, until_target=True, observe=told)


def keep(study: evo.Study, path: Path):
    """Add what came of the searches of a study to the file, unless it is there."""
    done = {(found["task"], found["arm"], found["seed"]) for found in json_rows(path)}
    for found in map(result, study.runs):
        if (found["task"], found["arm"], found["seed"]) not in done:
            add_json(path, found)


def result(run) -> dict:
    """What came of a search."""
    task, arm = run.arm.split(": ")
    solved = run.reached and run.evaluations_to_target <= LIMIT
    found = {"task": task, "arm": arm, "seed": run.seed, "best": run.best_held_out, "seconds": run.core_seconds}
    return found | {"to_solve": run.evaluations_to_target if solved else None}


def spec_of(task: str, arm: str, seed: int):
    """The search of version 0.4 for a task with an arm's changes; for any number of islands, as many circuits in all."""
    from evo.spec.resolve import resolve
    from evo.spec.run_spec import RunSpec

    changes = ARMS[arm]
    data = resolve(steady(task), seed=seed).spec.model_dump(mode="json")
    s, circuit, search = data["search"], changes.get("circuit", {}), changes.get("search", {})
    if not circuit.get("dale", True):
        del data["circuit"]["excitatory_share"]
    everyone = s["population"] * s["islands"]
    data["circuit"] |= circuit
    data["search"] |= {"generations": 10**7, "evaluations": LIMIT} | search
    data["search"]["population"] = everyone // data["search"]["islands"]
    return RunSpec.model_validate_json(json.dumps(data))


if __name__ == "__main__":
    main()
