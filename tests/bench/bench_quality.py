"""How many circuits a search tries until one scores 0.9 on held-out trials: the default search beside others and controls, over
many seeds: python -m tests.bench.bench_quality [--seeds N] [--arms NAME ...] [--tasks NAME ...] [--processes N]

A search has solved its task in the first generation in which the circuit that did best on validation trials scores 0.9 on
held-out ones; counted are all circuits that came up on all islands until then, at most LIMIT. Finished searches are kept one a
line in runs/results/quality.jsonl (or the file that BENCH_JSON names), so that a stopped benchmark goes on where it was; delete
it to start anew. Prints tables in Markdown and draws runs/results/quality.svg.
"""

import argparse
import json
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import count, product
from pathlib import Path

from tests.bench.quality_report import drawn, tables

ROOT = Path(__file__).parents[2]
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
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--tasks", nargs="+", default=TASKS, choices=TASKS)
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    path = Path(os.environ.get("BENCH_JSON") or ROOT / "runs" / "results" / "quality.jsonl")
    done = {(found["task"], found["arm"], found["seed"]) for found in results(path)}
    every = product(range(1, chosen.seeds + 1), chosen.tasks, chosen.arms)
    missing = [(task, arm, seed) for seed, task, arm in every if (task, arm, seed) not in done]
    os.environ["OMP_NUM_THREADS"] = "1"
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(chosen.processes, mp_context=spawn) as pool, open(path, "a", encoding="utf-8") as file:
        for future in as_completed([pool.submit(search, *job) for job in missing]):
            file.write(json.dumps(future.result()) + "\n")
            file.flush()
            print(line(future.result()), flush=True)
    found = [r for r in results(path) if r["task"] in chosen.tasks and r["arm"] in chosen.arms and r["seed"] <= chosen.seeds]
    print("\n" + "\n\n".join(tables(found, chosen.tasks, chosen.arms)))
    drawn(found, chosen.tasks, chosen.arms, LIMIT, ROOT / "runs" / "results" / "quality.svg")


def results(path: Path) -> list[dict]:
    return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def line(found: dict) -> str:
    solved = f"solved after {found['to_solve']:,}" if found["to_solve"] else f"not solved, best {found['best']:.3f}"
    return f"{found['task']:22} {found['arm']:15} seed {found['seed']:<3} {solved}, {found['seconds']:.0f} s"


def spec_of(task: str, arm: str, seed: int):
    """The committed spec of a task with what the arm changes; whatever the number of islands, as many circuits in all."""
    from evo.spec.run_spec import RunSpec, parse

    changes = ARMS[arm]
    data = parse((ROOT / "runs" / f"{task}.toml").read_text(encoding="utf-8"), seed=seed).model_dump(mode="json")
    s, circuit, search = data["search"], changes.get("circuit", {}), changes.get("search", {})
    if not circuit.get("dale", True):
        del data["circuit"]["excitatory_share"]
    everyone = s["population"] * s["islands"]
    data["circuit"] |= circuit
    data["search"] |= {"generations": 10**7} | search
    data["search"]["population"] = everyone // data["search"]["islands"]
    return RunSpec.model_validate_json(json.dumps(data))


def search(task: str, arm: str, seed: int) -> dict:
    """Run one search until it has solved its task or tried LIMIT circuits; what came of it."""
    from evo.engine.epochs import neighbour, run_epoch
    from evo.engine.problem import Problem

    spec, begin = spec_of(task, arm, seed), time.process_time()
    s, setting = spec.search, Problem.of(spec, None)
    states, tried, best = [None] * s.islands, 0, -1.0
    for epoch in count():
        sent = [state and state.migrants(s.migrants) for state in states]
        guests = [None if (sender := neighbour(spec, k)) is None else sent[sender] for k in range(s.islands)]
        states = [run_epoch(setting, k, epoch, states[k], guests[k]) for k in range(s.islands)]
        for rows in zip(*(state.log for state in states), strict=True):
            tried += sum(row["evaluations"] for row in rows)
            champion = max(rows, key=lambda row: row["validation"])
            best = max(best, champion["held_out"])
            if champion["held_out"] >= SOLVED or tried >= LIMIT:
                found = {"task": task, "arm": arm, "seed": seed, "best": best, "seconds": time.process_time() - begin}
                return found | {"to_solve": tried if champion["held_out"] >= SOLVED and tried <= LIMIT else None}


if __name__ == "__main__":
    main()
