"""The course of a run as lists of numbers for the page, from its log, which is thinned if it is long."""

from collections import Counter

import moocore
import numpy as np

from evo.storage.run_folder import Run
from fitness.evaluation.objectives import objective

POINTS = 300  # of a curve: more cannot be seen


def course(run: Run) -> dict:
    """`islands`: per island the logged generations, evaluations until then, scores, objectives, front size; `hypervolume`, see
    there; `seconds` by phase; `elapsed` of the whole run."""
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
    """The hypervolume of the circuits of the front born within so many evaluations, relative to that of the whole front.

    Every objective is scaled to 0 at its best and 1 at its worst value on the front; the reference point is 1.1, so that the
    worst counts too. None for a front of less than two circuits.
    """
    if run.archive is None or len(run.archive) < 2:
        return None
    objectives, born = run.archive["losses"], run.archive["generation"]
    best, worst = objectives.min(axis=0), objectives.max(axis=0)
    scaled = (objectives - best) / np.where(worst > best, worst - best, 1.0)
    reference = np.full(objectives.shape[1], 1.1)
    whole = moocore.hypervolume(scaled, ref=reference)
    evaluations = _evaluations(logs)
    generations = np.unique(np.append(born, max(evaluations)))
    generations = generations[thinned(len(generations), 100)]
    covered = [moocore.hypervolume(scaled[born <= g], ref=reference) / whole for g in generations]
    return {"evaluations": [evaluations[g] for g in generations.tolist()], "value": [rounded(v) for v in covered]}


def _evaluations(logs):
    """Evaluations of all islands together by each generation."""
    last = max((log[-1]["generation"] for log in logs if log), default=0)
    total = np.zeros(last + 1, int)
    for log in logs:
        for row in log:
            total[row["generation"]] += row["evaluations"]
    return dict(enumerate(np.cumsum(total).tolist()))


def _island(log, objectives):
    shown = thinned(len(log), POINTS)
    evaluations = np.cumsum([row["evaluations"] for row in log], dtype=int)
    rows = [log[n] for n in shown]
    curves = {"generation": [row["generation"] for row in rows], "evaluations": [int(evaluations[n]) for n in shown]}
    for name in ("best", "median", "validation", "held_out", "archive"):
        curves[name] = [rounded(row[name]) for row in rows]
    curves["wirings"] = [row["wirings"] if (row := _counted(log[: n + 1])) else None for n in shown]
    for k, name in enumerate(objectives):
        curves[f"objective {name}"] = [rounded(objective(name).show(row["losses"][k])) for row in rows]
    return curves


def _counted(log):
    """The last row with a number of different wirings, or None."""
    return next((row for row in reversed(log) if "wirings" in row), None)


def _seconds(epochs):
    total: Counter[str] = Counter()
    for epoch in epochs:
        total.update(epoch["timings"])
    whole = total.pop("total", 0.0)
    other = whole - sum(total.values())
    return {name: round(s, 2) for name, s in (*total.items(), ("other", other)) if s > 0.005 * whole}


def thinned(count, limit):
    """At most `limit` of the indices 0 .. count - 1, evenly spaced, the last one among them."""
    return np.unique(np.linspace(0, count - 1, min(count, limit)).round().astype(int)) if count else np.zeros(0, int)


def rounded(value):
    """A number with 5 digits; None if it is missing or not finite."""
    return None if value is None or not np.isfinite(value) else float(f"{value:.5g}")
