"""Several runs side by side: how they went, what they found, in what their settings differ, and which wirings they share."""

from typing import Any

import numpy as np

from circuits.errors import UserError
from evo.inspect import comparison, page_data
from evo.inspect.drawing import drawn
from evo.storage.run_folder import Run
from evo.studies.compare import compare_runs
from evo.studies.motifs import Winner, recurring
from evo.web.runs import Runs
from evo.web.sources import identities

MOST = 100  # runs
WIRINGS = 12
POINTS = 300  # of a curve


def compared(runs: Runs, names: Any) -> dict:
    """The runs of these names. Raises UserError."""
    if not isinstance(names, list) or not 1 <= len(names) <= MOST:
        raise UserError(f"choose 1 to {MOST} runs to compare")
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
                "id": one,
                "rank": m.rank,
                "held_out": page_data.number(m.held_out),
                "score": page_data.number(m.score),
                "energy": page_data.number(m.spikes + m.events),
                "neurons": len(m.circuit.neurons),
                "synapses": m.circuit.synapse_count,
            }
            for one, m in zip(ids, run.front, strict=True)
        ],
    }


def _course(run):
    """After each epoch of an island: circuits that all islands had tried, seconds, the best score in the search so far, and the
    held-out score of the circuit that was then best on validation trials."""
    tried, best = 0, -np.inf
    latest: dict[int, dict] = {}
    rows = []
    for epoch in sorted(run.epochs, key=lambda one: (one["elapsed"], one["epoch"], one["island"])):
        tried += epoch["evaluations"]
        last = latest[epoch["island"]] = epoch["log"][-1]
        best = max(best, last["best"])
        by_validation = max(latest.values(), key=lambda row: -np.inf if row["validation"] is None else row["validation"])
        rows.append((tried, epoch["elapsed"], best, by_validation["held_out"]))
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), POINTS)).round().astype(int)) if rows else []
    names = ("evaluations", "seconds", "best", "held_out")
    return {name: [_short(rows[k][j]) for k in chosen] for j, name in enumerate(names)}


def _shared(names, runs):
    """The wirings among the best circuits of the runs, those of most runs first."""
    winners = [Winner.of(run) for run in runs if run.archive is not None and run.front]
    name = {id(run): name for name, run in zip(names, runs, strict=True)}
    return [
        {
            "runs": [name[id(run)] for run in one.runs],
            "run": name[id(one.run)],
            "id": identities(one.run)[one.member.rank],
            "held_out": page_data.number(one.member.held_out),
            "circuit": drawn(one.circuit, motifs=False),
        }
        for one in recurring(winners)[:WIRINGS]
        if len(one.circuit.neurons) <= 24
    ]


def _short(value):
    return None if value is None or not np.isfinite(value) else float(f"{value:.5g}")
