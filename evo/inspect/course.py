"""How a run went, as the lists of numbers that the page draws: worked out from its log, thinned where that is long."""

import moocore
import numpy as np

from evo.storage.run_folder import Run
from fitness.evaluation.objectives import objective

POINTS = 300  # of a curve: more cannot be seen


def course(run: Run) -> dict:
    """`islands`: per island the generations logged, the circuits it had tried by then, scores, objectives, front size;
    `hypervolume`, see there; `seconds` by phase; `elapsed` of the whole run."""
    logs = [
        [row for epoch in run.epochs if epoch["island"] == k for row in epoch["log"]] for k in range(run.spec.search.islands)
    ]
    return {
        "islands": [_island(log, run.spec.search.objectives) for log in logs],
        "hypervolume": hypervolume(run, logs),
        "seconds": _seconds(run.epochs),
        "elapsed": run.progress.elapsed,
    }


def hypervolume(run: Run, logs: list[list[dict]]) -> dict | None:
    """How much of the space of the objectives the circuits of the front cover that were there after so many evaluations of the
    run; 1: as much as the whole front. Every objective counts from its best to its worst on the front, and a tenth beyond, so
    that the worst counts too. None for a front of less than two circuits."""
    if run.archive is None or len(run.archive) < 2:
        return None
    losses, born = run.archive["losses"], run.archive["generation"]
    best, worst = losses.min(axis=0), losses.max(axis=0)
    scaled = (losses - best) / np.where(worst > best, worst - best, 1.0)
    reference = np.full(losses.shape[1], 1.1)
    whole = moocore.hypervolume(scaled, ref=reference)
    tried = _tried(logs)
    moments = np.unique(np.append(born, max(tried)))
    moments = moments[_thin(len(moments), 100)]
    covered = [moocore.hypervolume(scaled[born <= g], ref=reference) / whole for g in moments]
    return {"evaluations": [tried[g] for g in moments.tolist()], "value": [_short(v) for v in covered]}


def _tried(logs):
    """Circuits that all islands together had tried by each generation."""
    last = max((log[-1]["generation"] for log in logs if log), default=0)
    total = np.zeros(last + 1, int)
    for log in logs:
        for row in log:
            total[row["generation"]] += row["evaluations"]
    return dict(enumerate(np.cumsum(total).tolist()))


def _island(log, objectives):
    chosen = _thin(len(log), POINTS)
    tried = np.cumsum([row["evaluations"] for row in log], dtype=int)
    rows = [log[k] for k in chosen]
    found = {"generation": [row["generation"] for row in rows], "evaluations": [int(tried[k]) for k in chosen]}
    for name in ("best", "median", "validation", "held_out", "archive"):
        found[name] = [_short(row[name]) for row in rows]
    found["wirings"] = [k["wirings"] if (k := _counted(log[: place + 1])) else None for place in chosen]
    for k, name in enumerate(objectives):
        found[f"objective {name}"] = [_short(objective(name).show(row["losses"][k])) for row in rows]
    return found


def _counted(log):
    """The last row in which different wirings were counted."""
    return next((row for row in reversed(log) if "wirings" in row), None)


def _seconds(epochs):
    total: dict[str, float] = {}
    for epoch in epochs:
        for phase, seconds in epoch["timings"].items():
            total[phase] = total.get(phase, 0.0) + seconds
    whole = total.pop("total", 0.0)
    other = whole - sum(total.values())
    return {name: round(s, 2) for name, s in (*total.items(), ("other", other)) if s > 0.005 * whole}


def _thin(count, most):
    """At most so many of the places 0 .. count - 1, evenly, the last one among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)) if count else np.zeros(0, int)


def _short(value):
    """A number with 5 digits; None for one that is not there."""
    return None if value is None or not np.isfinite(value) else float(f"{value:.5g}")
