"""Several runs side by side: their courses, fronts, different settings and shared wirings."""

from typing import Any

import numpy as np

from circuits.errors import UserError
from evo.inspect.finite import finite
from evo.inspect.page.course import POINTS, rounded, thinned
from evo.inspect.page.drawing import drawn
from evo.inspect.terminal import comparison
from evo.storage.run_folder import Run
from evo.studies.compare import compare_runs
from evo.studies.motifs import Winner, recurring
from evo.web.runs import Runs
from evo.web.sources import identities

MAX_RUNS = 100
WIRINGS = 12


def compared(runs: Runs, names: Any) -> dict:
    """The runs of these names. Raises UserError."""
    if not isinstance(names, list) or not 1 <= len(names) <= MAX_RUNS:
        raise UserError(f"choose 1 to {MAX_RUNS} runs to compare")
    opened = [runs.open(name).run for name in names]
    return {
        "comparison": comparison.as_json(compare_runs(opened, names)),
        "runs": [_run(name, run) for name, run in zip(names, opened, strict=True)],
        "wirings": _shared(names, opened),
    }


def _run(name, run: Run) -> dict:
    ids = identities(run)
    return {
        "name": name,
        "title": run.name,
        "task": run.spec.judged_by,
        "state": run.state,
        "course": _course(run),
        "front": [
            {
                "id": circuit_id,
                "rank": m.rank,
                "held_out": finite(m.held_out),
                "score": finite(m.score),
                "energy": finite(m.spikes + m.events),
                "neurons": len(m.circuit.neurons),
                "synapses": m.circuit.synapse_count,
            }
            for circuit_id, m in zip(ids, run.front, strict=True)
        ],
    }


def _course(run):
    """After each epoch of an island: evaluations of all islands, seconds, the best score in the search so far, and the held-out
    score of the circuit that was then best on validation trials."""
    evaluations, best = 0, -np.inf
    latest: dict[int, dict] = {}
    rows = []
    for epoch in sorted(run.epochs, key=lambda epoch: (epoch["elapsed"], epoch["epoch"], epoch["island"])):
        evaluations += epoch["evaluations"]
        last = latest[epoch["island"]] = epoch["log"][-1]
        best = max(best, last["best"])
        by_validation = max(latest.values(), key=lambda row: -np.inf if row["validation"] is None else row["validation"])
        rows.append((evaluations, epoch["elapsed"], best, by_validation["held_out"]))
    shown = thinned(len(rows), POINTS)
    names = ("evaluations", "seconds", "best", "held_out")
    return {name: [rounded(rows[k][j]) for k in shown] for j, name in enumerate(names)}


def _shared(names, runs):
    """The wirings of the best circuits of the runs, those of most runs first."""
    winners = [Winner.of(run) for run in runs if run.archive is not None and run.front]
    name = {id(run): name for name, run in zip(names, runs, strict=True)}
    return [
        {
            "runs": [name[id(run)] for run in wiring.runs],
            "run": name[id(wiring.run)],
            "id": identities(wiring.run)[wiring.member.rank],
            "held_out": finite(wiring.member.held_out),
            "circuit": drawn(wiring.circuit, motifs=False),
        }
        for wiring in recurring(winners)[:WIRINGS]
        if len(wiring.circuit.neurons) <= 24
    ]
