"""Does it pay? Classifiers assembled from evolved motifs beside controls with as many parameters, trained alike:
python -m tests.bench.bench_assembly [--seeds N] [--arms NAME ...] [--tasks NAME ...]

Motifs come first: evolved once on the training splits of seed 0 (`assembly_motifs`) and kept in runs/results/assembly/. Then
every arm finds its own learning rate and strength of recurrence on the validation trials of two seeds, all with the same
choices, and is trained and tested with seeds 1 to N: data (but for the digits, which are always split alike), first weights and
the order of trials differ. Everything finished is kept one a line in runs/results/assembly.jsonl (or the file that BENCH_JSON
names), so that a stopped benchmark goes on where it was; delete it and the motifs, on which its lines depend, to start anew.
snnTorch runs in an environment of its own (make rivals). Prints tables in Markdown and draws runs/results/assembly.svg.
"""

import argparse
import json
import os
import subprocess
from collections import defaultdict
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from fitness.learning.essential import essential
from tests.bench.assembly_motifs import LEARNT_ON, SINGLE, evolved_for, quick_learner, rewired, unevolved
from tests.bench.assembly_networks import Gru, assembled, dense, sizes_of
from tests.bench.assembly_report import drawn, tables
from tests.bench.assembly_tasks import TASKS, Sets, Task, sets_of
from tests.bench.contest import ONE_THREAD, SCRIPTS, AbsentError
from tests.bench.report import skipped
from tests.bench.rivals.classify import learn
from tests.bench.rows import add_json, json_rows

ROOT = Path(__file__).parents[2]
MOTIFS = ROOT / "runs" / "results" / "assembly"
SNNTORCH = "snnTorch RSynaptic"
ARMS = (
    "evolved to learn",
    "random motif",
    "unevolved motif",
    "evolved for a task",
    "single neuron",
    "dense, Dale's law",
    "dense, any sign",
    SNNTORCH,
    "GRU",
)
TUNED_ON = (0, 100)  # seeds
CHOICES = [(0.03, 0.3), (0.1, 0.1), (0.1, 0.3), (0.1, 1.0)]  # of rate and gain, tried by every arm
CHOICES_OF = {  # that have no recurrence, or none that could be scaled
    "single neuron": [(rate, 1.0) for rate in (0.03, 0.1)],
    "GRU": [(rate, 1.0) for rate in (0.01, 0.03, 0.1, 0.3)],
}


def main(tasks=TASKS, choices=CHOICES):
    import torch

    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=ARMS)
    parser.add_argument("--tasks", nargs="+", default=list(tasks), choices=list(tasks))
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    path = Path(os.environ.get("BENCH_JSON") or ROOT / "runs" / "results" / "assembly.jsonl")
    absent: set[str] = set()
    for seed, task, arm in product((*TUNED_ON, *range(1, chosen.seeds + 1)), chosen.tasks, chosen.arms):
        if arm in absent or (arm == "GRU" and tasks[task].price):  # which has no spikes to pay for
            continue
        tried = CHOICES_OF.get(arm, choices)
        wanted = tried if seed in TUNED_ON else [best_choice(json_rows(path), task, arm, tasks[task].score)]
        for rate, gain in wanted:
            job = {"task": task, "arm": arm, "seed": seed, "rate": rate, "gain": gain}
            if any(job.items() <= found.items() for found in json_rows(path)):
                continue
            try:
                found = job | trained(tasks[task], **job)
            except AbsentError as missing:
                skipped(arm, missing)
                absent.add(arm)
                break
            add_json(path, found)
            print(line(found), flush=True)
    found, mine = json_rows(path), []
    for task, arm in product(chosen.tasks, chosen.arms):
        rows = [r for r in found if (r["task"], r["arm"]) == (task, arm)]
        if rows:
            best = best_choice(rows, task, arm, tasks[task].score)
            mine += [r for r in rows if 0 < r["seed"] <= chosen.seeds and (r["rate"], r["gain"]) == best]
    print("\n" + "\n\n".join(tables(mine, chosen.tasks, chosen.arms)))
    drawn(mine, chosen.tasks, chosen.arms, path.with_suffix(".svg"))


def best_choice(found: list[dict], task: str, arm: str, score) -> tuple[float, float]:
    """The learning rate and gain that did best by score(accuracy, spikes) on the validation trials of `TUNED_ON`."""
    scores = defaultdict(list)
    for r in found:
        if (r["task"], r["arm"]) == (task, arm) and r["seed"] in TUNED_ON:
            scores[r["rate"], r["gain"]].append(score(r["validation"], r["spikes"]))
    return max(scores, key=lambda choice: np.mean(scores[choice]))


def line(found: dict) -> str:
    spikes = "" if found["spikes"] is None else f", {found['spikes']:.0f} spikes"
    setting = f"rate {found['rate']:g}, gain {found['gain']:g}"
    judged = f"validation {found['validation']:.3f}, test {found['accuracy']:.3f}"
    return f"{found['task']:9} {found['arm']:19} seed {found['seed']} {setting}: {judged}{spikes}, {found['seconds']:.0f} s"


def trained(setting: Task, task: str, arm: str, seed: int, rate: float, gain: float) -> dict:
    """Train and judge one network. Raises AbsentError if the arm cannot be had here."""
    import torch

    sets = sets_of(setting, seed)
    if arm == SNNTORCH:
        return _in_snntorch(sets, setting, rate, gain, seed)
    torch.manual_seed(seed)
    network = _network(arm, task, sizes_of(setting, sets), seed, gain)
    return learn(network, *sets, setting.steps, rate, seed, setting.price)


def _network(arm, task, sizes, seed, gain):
    if arm == "GRU":
        return Gru(sizes)
    if arm.startswith("dense"):
        return dense(sizes, arm == "dense, Dale's law", seed, gain)
    if arm == "unevolved motif":
        motif = essential(unevolved(seed))
    elif arm == "evolved for a task":
        motif = essential(evolved_for(task, MOTIFS))
    elif arm == "single neuron":
        motif = SINGLE
    else:
        motif = essential(quick_learner(LEARNT_ON[task], MOTIFS))
        motif = rewired(motif, seed) if arm == "random motif" else motif
    return assembled(motif, sizes, gain)


def _in_snntorch(sets: Sets, setting: Task, rate, gain, seed):
    python = ROOT / ".venv-rivals-torch" / "bin" / "python"
    if not python.exists():
        raise AbsentError("there is no .venv-rivals-torch (make rivals)")
    arrays = {f"{name}_{part}": t.numpy() for name, pair in sets._asdict().items() for part, t in zip("xy", pair, strict=True)}
    with TemporaryDirectory() as folder:
        job = Path(folder) / "job.npz"
        settings = {name: value for name, value in setting._asdict().items() if name != "make"}
        np.savez(job, sets=Sets._fields, seed=seed, rate=rate, gain=gain, **settings, **arrays)
        done = subprocess.run(
            [python, SCRIPTS / "snntorch_classify.py", job], capture_output=True, text=True, env=os.environ | ONE_THREAD
        )
    said = done.stdout.strip().splitlines() or [json.dumps({"absent": (done.stderr.strip().splitlines() or ["no answer"])[-1]})]
    answer = json.loads(said[-1])
    if "absent" in answer:
        raise AbsentError(answer["absent"])
    return json.loads(answer["found"])


if __name__ == "__main__":
    main()
