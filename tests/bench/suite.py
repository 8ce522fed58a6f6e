"""Every task's committed search over five seeds, and its table, runs/results/suite.csv: python -m tests.bench.suite [TASK ...]

A run counts as solving its task when its best circuit at the end scores 0.9 on held-out trials, within 10 minutes on two cores.
Runs are stored one by one in runs/suite/, so that an interrupted suite goes on where it was; those of another version or of a
spec that has changed are made anew. The table keeps its rows of tasks for which there is nothing.
"""

import csv
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import evo
import fitness
from evo.spec.run_spec import read
from fitness.tasks import BUILT_IN

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
SOLVED = 0.9
CORES, MINUTES = 2, 10  # each run has one core, for as long as both would work on it


def main():
    known = [name for name in BUILT_IN if name != "several"]
    names = sys.argv[1:] or known
    if unknown := set(names) - set(known):
        sys.exit(f"there is no task {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    RUNS.mkdir(parents=True, exist_ok=True)
    wanted = [(name, seed) for seed in SEEDS for name in names if not stored(name, seed)]
    print(f"{len(wanted)} of {len(SEEDS) * len(names)} searches are to be made", flush=True)
    ended_by_ctrl_c = signal.SIGINT, signal.SIG_DFL  # its processes, without a traceback each
    with ProcessPoolExecutor(CORES, initializer=signal.signal, initargs=ended_by_ctrl_c) as pool:
        try:
            for found in pool.map(search, *zip(*wanted, strict=True)) if wanted else ():
                print(line(found), flush=True)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            sys.exit("stopped; the searches that ended are stored: make suite goes on after them")
    write({name: row(name) for name in known if all(stored(name, seed) for seed in SEEDS)})


def made_by(name: str) -> dict:
    """What must be the same for a stored result to count: the version, and the spec."""
    return {"version": evo.__version__, "spec_sha256": read(ROOT / "runs" / f"{name}.toml")[0].digest()}


def stored(name: str, seed: int) -> dict | None:
    """The result of a search, if it was made with this version and this spec."""
    path = result_file(name, seed)
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found if made_by(name).items() <= found.items() and "worst" in found else None


def search(name: str, seed: int) -> dict:
    """Run one search; what came of it, also stored."""
    begin = time.monotonic()

    class OutOfTimeError(Exception):
        pass

    def observe(_):
        if time.monotonic() - begin > CORES * MINUTES * 60:
            raise OutOfTimeError

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        try:
            run = evo.run(ROOT / "runs" / f"{name}.toml", out=out, workers=0, seed=seed, observe=observe)
        except OutOfTimeError:
            run = evo.open_run(out)
        seconds, best = time.monotonic() - begin, run.front[0]
        found = {"task": name, "seed": seed, "held_out": best.held_out, "e": best.excitatory, "i": best.inhibitory}
        found |= budget(run.epochs) | {"seconds": seconds, "evaluations": run.evaluations}
        found["worst"] = f"{best.worst:.3f} ({best.condition.name})" if best.condition else ""
    part = result_file(name, seed).with_suffix(".part")
    part.write_text(json.dumps(found | made_by(name)) + "\n", encoding="utf-8")
    os.replace(part, result_file(name, seed))
    return found


def budget(epochs) -> dict:
    """Evaluations and seconds of one core until a held-out score of 0.9, None if it was not reached; epochs in their order."""
    evaluations, seconds = 0, 0.0
    for epoch in epochs:
        evaluations, seconds = evaluations + epoch["evaluations"], seconds + epoch["timings"]["total"]
        if epoch["log"][-1]["held_out"] >= SOLVED:
            return {"to_solve": evaluations, "seconds_to_solve": seconds}
    return {"to_solve": None, "seconds_to_solve": None}


def line(found) -> str:
    solved = "not solved" if found["held_out"] < SOLVED else f"solved after {found['to_solve']:,} evaluations"
    return f"{found['task']:14} seed {found['seed']}: held out {found['held_out']:.3f}, {solved}, {found['seconds']:.0f} s"


def row(name: str) -> tuple[str, ...]:
    """The task's row of the table: medians over the seeds; an unsolved run counts as more than any solved one."""
    runs = [found for seed in SEEDS if (found := stored(name, seed))]
    solved = [r for r in runs if r["held_out"] >= SOLVED]
    best = sorted(runs, key=lambda r: r["held_out"])[len(runs) // 2]
    enough = len(solved) > len(runs) / 2
    evaluations, seconds = (
        f"{statistics.median_high([r[key] if r in solved else float('inf') for r in runs]):,.0f}" if enough else "-"
        for key in ("to_solve", "seconds_to_solve")
    )
    task = BUILT_IN[name]()
    reference = task.evaluate(fitness.reference(name).circuit, task.trials(0, 512)).value
    share, counts = f"{len(solved)}/{len(runs)}", f"{best['e']} E, {best['i']} I"
    scores = f"{best['held_out']:.3f}", best["worst"]
    return name, share, evaluations, seconds, *scores, counts, f"{reference:.3f}"


def write(rows: dict[str, tuple[str, ...]], path: Path = TABLE):
    """Write the rows, by task, into the table, a CSV file that the documentation shows; its other rows stay. Where they were
    made before a column was, they are empty."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    before = {old["task"]: tuple(old.get(column, "") for column in HEAD) for old in csv.DictReader(lines)}
    rows = before | rows
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([HEAD, *(rows[name] for name in BUILT_IN if name in rows)])
    print(path.read_text(encoding="utf-8"))


def result_file(name: str, seed: int) -> Path:
    return RUNS / f"{name}-{seed}.json"


if __name__ == "__main__":
    main()
