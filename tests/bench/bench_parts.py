"""Do evolved parts pay? Networks of copies of parts beside controls with as many parameters, trained alike:
python -m tests.bench.bench_parts [--seeds N] [--steps N] [--arms NAME ...] [--settings NAME ...] [--seconds N]

The protocol, in this form written down before the runs of which there are rows:

1. Settings (`SETTINGS`): data sets over time, read at every step; spoken digits, each speaker left out in turn, and these with
   1, 5 and 20 examples a class where the inside of copies is frozen (`few-shot`), read once a trial. Time constants are fixed
   at what the part has (5 to 20 ms for membranes); weights inside of copies, biases, projection and readout learn. All arms
   have the same number of parameters, training trials, training steps and trials of a step, and are judged on the same trials,
   which nobody was trained on. `steps` of a setting are as many as an hour of one core allows for those of `SHORT`.
   `flip-flop-clipped` was added after the rows of `flip-flop`: it bounds gradients through time, to see whether what failed
   there failed by exploding gradients alone. Since it did, gradients are bounded in all data over time but the first, for all
   arms with potentials; of these settings there were no rows. `match-frozen` was added when `match` had rows.
2. Arms (`parts_arms.ARMS`): a circuit evolved for learning a smaller form of the setting (`parts_search`): shorter times, other
   speakers; `toggle-2` of the zoo, evolved for the task; the first of these rewired by degree with its own
   weights shuffled within sign, another rewiring for every seed; a random circuit of as many neurons, another for every seed; a
   single neuron; a dense recurrent layer with Dale's law, and one without; adaptive LIF neurons (LSNN), whose thresholds have
   time constants of 0.1 to 1 s as there; snnTorch's RSynaptic, where it is installed; a GRU. Two ablations explain what
   differs: the first arm without the synapses between its neurons, and a single neuron that excites itself. `parity-3` of the
   zoo, which evolved to learn parity, and its rewirings were added for `match`, on which no part had been found: does a part
   pay where it did not evolve?
3. Each arm chooses its learning rate among `RATES`, the same for all, by its accuracy with seed `TUNED_ON` after a quarter of
   the steps (of `match`, which was run last, after all: rates that are best for a quarter are too high for all);
   trials and first weights of this seed are not those of the seeds that count. Nothing else is tuned, for any arm.
4. With seeds 1 to N (trials, first weights and the order of trials differ) each arm is trained at that rate. Reported: balanced
   accuracy before training, after 10, after 75 and after all steps, spikes and synaptic events of a trial, training steps lost
   to gradients that were not finite. No run is left out, and none repeated.
5. Robustness (`ROBUST`): after the training, each number that learned inside of the layer is multiplied by 1 + s times a normal
   number, for each s; and a share of the neurons falls silent. Reported: balanced accuracy, one draw of each.

`tests.bench.parts_loop` tries parts in a closed loop. Every finished training is a row of runs/results/parts.csv (or the file
that BENCH_CSV names): a stopped benchmark goes on where it was; delete the file to start anew. Circuits evolved for learning
are kept in runs/results/parts/; without them their searches are run first.
"""

import argparse
import math
import os
import sys
import time
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from fitness.learning.data import Data, Sets
from fitness.learning.settings import Learning, settings
from tests.bench import spoken
from tests.bench.parts_search import HELD_OUT, SPOKEN, bounds, evolved
from tests.bench.rows import add_csv, csv_rows, markdown
from tests.bench.spoken import SPEAKERS

ROOT = Path(__file__).parents[2]
RATES, TUNED_ON = (0.05, 0.15, 0.4), 100
TUNING = 0.25  # share of the training steps
LONG_TUNING = ("match", "match-frozen")  # settings with all steps
COMMON: dict[str, Any] = {
    "name": "learning", "parameters": 1300, "batch": 16, "examples": 500, "judged": 128, "looks": 10, "steps": 800,
}  # fmt: skip
SHORT = ("flip-flop", "flip-flop-clipped", "route", "few-shot-1", "few-shot-5")
SETTINGS: dict[str, dict[str, Any]] = {
    "flip-flop": {"data": "flip-flop", "settings": {"bits": 3, "fibres": 8, "steps": 600, "hold_ms": [60, 300]}, "steps": 400},
    "flip-flop-clipped": {
        "data": "flip-flop",
        "settings": {"bits": 3, "fibres": 8, "steps": 600, "hold_ms": [60, 300]},
        "steps": 400,
        "clip": 1.0,
    },
    "flip-flop-long": {
        "data": "flip-flop",
        "settings": {"bits": 3, "fibres": 8, "steps": 2400, "hold_ms": [300, 1200]},
        "steps": 300,
        "clip": 1.0,
    },
    "match": {"data": "match", "settings": {"delay_ms": [300, 1200]}, "steps": 400, "clip": 1.0},
    "match-frozen": {"data": "match", "settings": {"delay_ms": [300, 1200]}, "steps": 400, "clip": 1.0, "trainable": []},
    "parity": {"data": "parity", "steps": 400, "clip": 1.0},
    "intervals": {"data": "intervals", "settings": {"interval_ms": [100, 800]}, "steps": 400, "clip": 1.0},
    "order": {"data": "order", "steps": 400, "clip": 1.0},
    "route": {"data": "route", "steps": 200, "clip": 1.0},
    **{f"digits-{speaker}": {"parameters": 4000, "batch": 32, "examples": 1500, "steps": 300} for speaker in SPEAKERS},
    **{f"few-shot-{k}": {"parameters": 4000, "examples": 10 * k, "trainable": [], "steps": 200} for k in (1, 5, 20)},
}
AFTER = (10, 75)
ROBUST = ("noise_10", "noise_25", "noise_50", "loss_10", "loss_25")  # percent
COLUMNS = (
    "setting", "arm", "seed", "rate", "steps", "parameters", "neurons", "before", "after_10", "after_75", "accuracy", "spikes",
    "events", "lost", *ROBUST, "seconds", "curve",
)  # fmt: skip
TEXT = ("setting", "arm", "curve")


def main():
    from tests.bench.parts_arms import ARMS, RIVALS

    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="of training [default: those of each setting]")
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no training after so much processor time")
    parser.add_argument("--arms", nargs="+", default=[*ARMS, *RIVALS], choices=[*ARMS, *RIVALS])
    parser.add_argument("--settings", nargs="+", default=list(SHORT), choices=list(SETTINGS))
    parser.add_argument("--table", action="store_true", help="print the rows there are, and train nothing")
    chosen = parser.parse_args()
    path = Path(os.environ.get("BENCH_CSV") or ROOT / "runs" / "results" / "parts.csv")
    seeds = [] if chosen.table else [TUNED_ON, *range(1, chosen.seeds + 1)]
    steps = {setting: chosen.steps or (COMMON | SETTINGS[setting])["steps"] for setting in chosen.settings}
    for setting, seed, arm in product(chosen.settings, seeds, chosen.arms):
        if (why := absent(setting, arm)) is not None:
            if seed == TUNED_ON:
                print(f"{setting} {arm}: left out: {why}", flush=True)
            continue
        tuning = max(1, round((1.0 if setting in LONG_TUNING else TUNING) * steps[setting]))
        rates = RATES if seed == TUNED_ON else [best_rate(rows(path), setting, arm, tuning)]
        for rate in rates:
            job = {"setting": setting, "arm": arm, "seed": seed, "rate": rate}
            job["steps"] = tuning if seed == TUNED_ON else steps[setting]
            if not done(rows(path), job):
                if time.process_time() > chosen.seconds:
                    sys.exit(f"{chosen.seconds:g} s are over; the same command goes on")
                add(path, job | trained(job))
    print(table([r for r in rows(path) if r["seed"] != TUNED_ON and r["steps"] == steps.get(r["setting"])]))


def absent(setting: str, arm: str) -> str | None:
    """What is missing for an arm in a setting; None for nothing."""
    if setting.startswith(("digits", "few-shot")) and not SPOKEN.exists():
        return "no spoken_digits.npz beside the repository"
    if setting == "parity" and arm.startswith("evolved to learn parity"):
        return "is there as the one that evolved for learning"
    if setting == "flip-flop-clipped" and arm == "GRU":
        return "has no such bounds"
    if arm == "snnTorch" and find_spec("snntorch") is None:
        return "snntorch is not installed"
    return None


def sets_of(setting: str, chosen: Learning, seed: int) -> tuple[Sets, float]:
    """Trials to train on and to judge by, and their time step."""
    kind, _, speaker = setting.partition("-")
    if kind in ("digits", "few"):
        left_out = speaker if kind == "digits" else HELD_OUT
        return spoken.sets(SPOKEN, left_out, chosen.examples, chosen.judged, seed), spoken.DT_MS
    data = Data(chosen.data, chosen.settings, chosen.examples, chosen.judged, seed)
    return data.sets("held_out"), data.dt_ms


def trained(job: dict[str, Any]) -> dict[str, Any]:
    """Train and judge one network."""
    import torch

    from fitness.learning.network import Sizes
    from fitness.learning.training import Training
    from tests.bench.parts_arms import network_of
    from tests.bench.parts_robust import robust

    steps, seed = job["steps"], job["seed"]
    chosen = settings(COMMON | SETTINGS[job["setting"]] | {"rate": job["rate"], "steps": steps})
    (sets, dt_ms), begin = sets_of(job["setting"], chosen, seed), time.process_time()
    torch.manual_seed(seed)
    network = network_of(
        job["arm"], chosen, Sizes.of(sets.train, dt_ms), partial(evolved, job["setting"]), bounds(job["setting"]), seed
    )
    found = Training(network, sets, chosen, seed, ends=AFTER).advance()
    at = dict(zip(found.curve["steps"], found.curve["accuracy"], strict=True))
    return {
        "parameters": network.parameter_count,
        "neurons": network.neurons,
        "before": at[0],
        **{f"after_{step}": at.get(step, float("nan")) for step in AFTER},
        "accuracy": found.accuracy,
        "spikes": found.spikes,
        "events": found.events,
        "lost": found.curve["lost"],
        **robust(network, sets.judged, seed),
        "seconds": time.process_time() - begin,
        "curve": " ".join(f"{step}:{accuracy:.4g}" for step, accuracy in at.items()),
    }


def rows(path: Path) -> list[dict[str, Any]]:
    """Those that are finished."""
    kinds = dict.fromkeys(TEXT, str) | dict.fromkeys(("seed", "steps"), int)
    return [{key: kinds.get(key, float)(value) for key, value in row.items()} for row in csv_rows(path)]


def done(found: list[dict[str, Any]], job: dict[str, Any]) -> bool:
    return any(all(row[key] == value for key, value in job.items()) for row in found)


def add(path: Path, row: dict[str, Any]):
    """One more row at the end of the file."""
    add_csv(path, {column: row[column] for column in COLUMNS})
    print(f"{row['setting']} {row['arm']}, seed {row['seed']}, rate {row['rate']:g}: {row['accuracy']:.3f}", flush=True)


def best_rate(found: list[dict[str, Any]], setting: str, arm: str, steps: int) -> float:
    """The learning rate that did best with the seed that is for that."""
    mine = [r for r in found if (r["setting"], r["arm"], r["seed"], r["steps"]) == (setting, arm, TUNED_ON, steps)]
    return max(mine, key=lambda row: row["accuracy"])["rate"]


def table(found: list[dict[str, Any]]) -> str:
    """Means over seeds, in Markdown, with the accuracies of single seeds."""
    lines: list[tuple] = [
        ("data", "network", "before", "after 10", "after 75", "all", "seeds", "spikes", "events", "parameters")
    ]
    for setting, arm in dict.fromkeys((r["setting"], r["arm"]) for r in found):
        mine = [r for r in found if (r["setting"], r["arm"]) == (setting, arm)]
        cells = [f"{np.mean([r[k] for r in mine]):.3f}" for k in ("before", "after_10", "after_75", "accuracy")]
        cells.append(" ".join(f"{r['accuracy']:.3f}" for r in mine))
        cells += [f"{np.mean([r[k] for r in mine]):,.0f}" for k in ("spikes", "events", "parameters")]
        lines.append((setting, arm, *cells))
    return markdown(lines)


if __name__ == "__main__":
    main()
