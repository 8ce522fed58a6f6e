"""How many circuits a search tries until one scores 0.9 on held-out trials: the default search beside others and controls, over
many seeds: python -m tests.bench.bench_quality [--seeds N] [--arms NAME ...] [--tasks NAME ...] [--processes N]

A search solves its task with the first generation in which the circuit that did best on validation trials scores 0.9 on
held-out ones; counted are the circuits tried by all islands up to then, at most LIMIT. Finished searches are kept one a line in
runs/quality.jsonl (or the file that BENCH_JSON names): a stopped benchmark goes on where it was. Prints a table and draws
runs/quality.svg.
"""

import argparse
import json
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import count
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOLVED, LIMIT = 0.9, 200_000
TASKS = {
    "itd": {},
    "order": {},
    "gate": {},
    "coincidence": {},
    "xor": {},
    "direction": {},
}
ARMS = {
    "default": {},
    "nsga2": {"algorithm": "nsga2"},
    "lexicase": {"algorithm": "lexicase"},
    "protect = age": {"protect": "age"},
    "no crossover": {"crossover": 0.0},
    "one island": {"islands": 1},
    "random": {"algorithm": "random"},
    "weights-only": {"algorithm": "weights-only"},
    "E only": {"excitatory_share": (1.0, 1.0)},
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    path = Path(os.environ.get("BENCH_JSON") or ROOT / "runs" / "quality.jsonl")
    done = {(r["task"], r["arm"], r["seed"]) for r in results(path)}
    every = [(task, arm, seed) for seed in range(1, chosen.seeds + 1) for task in chosen.tasks for arm in chosen.arms]
    os.environ["OMP_NUM_THREADS"] = "1"
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(chosen.processes, mp_context=spawn) as pool, open(path, "a", encoding="utf-8") as file:
        for future in as_completed([pool.submit(search, *job) for job in every if job not in done]):
            found = future.result()
            file.write(json.dumps(found) + "\n")
            file.flush()
            print(json.dumps(found), flush=True)


def results(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def spec_of(task, arm, seed):
    from evo.spec import parse

    spec = parse((ROOT / "runs" / f"{task.partition(' ')[0]}.toml").read_text(encoding="utf-8"), seed=seed)
    changes = dict(ARMS[arm])
    circuit = {key: changes.pop(key) for key in ("excitatory_share",) if key in changes}
    if "islands" in changes:
        changes["population"] = spec.search.population * spec.search.islands // changes["islands"]
    return spec.model_copy(
        update={
            "task": spec.task | TASKS[task],
            "circuit": spec.circuit.model_copy(update=circuit),
            "search": spec.search.model_copy(update={"generations": 10**7, **changes}),
        }
    )


def search(task: str, arm: str, seed: int) -> dict:
    """Run one search until it has solved its task or tried LIMIT circuits."""
    from evo.epochs import neighbour
    from evo.island import Setting, run_epoch

    spec, begin = spec_of(task, arm, seed), time.process_time()
    s, setting = spec.search, Setting.of(spec, None)
    states, tried, best, to_solve = [None] * s.islands, 0, -1.0, None
    for epoch in count():
        sent = [state and state.migrants(s.migrants) for state in states]
        guests = [None if (sender := neighbour(spec, k)) is None else sent[sender] for k in range(s.islands)]
        states = [run_epoch(setting, k, epoch, states[k], guests[k]) for k in range(s.islands)]
        for rows in zip(*(state.log for state in states), strict=True):
            tried += sum(row["evaluations"] for row in rows)
            champion = max(rows, key=lambda row: row["validation"])
            best = max(best, champion["held_out"])
            if champion["held_out"] >= SOLVED and tried <= LIMIT:
                to_solve = tried
                break
        if to_solve is not None or tried >= LIMIT:
            break
    found = {"task": task, "arm": arm, "seed": seed, "to_solve": to_solve, "tried": tried, "best": best}
    return found | {"seconds": round(time.process_time() - begin, 1)}


if __name__ == "__main__":
    main()
