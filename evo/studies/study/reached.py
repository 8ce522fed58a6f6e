"""The time at which a run reached a target: the first generation whose best circuit on validation trials scores it on held-out
trials.

The circuit is selected on other trials than those on which it is scored. The cost until then is summed over all islands.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple


class Cost(NamedTuple):
    """The cost of a run until it reached the target, or until its end if it did not.

    generation    that reached the target, None if none did
    evaluations   of all islands;   core_seconds  seconds of a processor core, as measured by epochs
    """

    generation: int | None
    evaluations: int
    core_seconds: float

    @property
    def reached(self) -> bool:
        """Was the target reached?"""
        return self.generation is not None


def reached_in(rows: Iterable[dict[str, Any]], target: float, worst: float | None = None) -> int | None:
    """The first generation that reached the target, by the rows of the logs of all islands; None if none did.

    worst  a score to be reached in the worst condition, too, if the task has conditions
    """
    champions: dict[int, dict[str, Any]] = {}
    for row in rows:
        best = champions.setdefault(row["generation"], row)
        if row["validation"] > best["validation"]:
            champions[row["generation"]] = row
    generations = [
        generation
        for generation, row in champions.items()
        if row["held_out"] >= target and (worst is None or row.get("worst", row["held_out"]) >= worst)
    ]
    return min(generations, default=None)


def cost_of(epochs: list[dict[str, Any]], target: float, worst: float | None = None) -> Cost:
    """The cost of the target for a run with these epochs (`Run.epochs`). Of the epoch in which it was reached, the share of the
    evaluations until then counts."""
    generation = reached_in((row for epoch in epochs for row in epoch["log"]), target, worst)
    evaluations, seconds = 0, 0.0
    for epoch in epochs:
        total = sum(row["evaluations"] for row in epoch["log"])
        until = sum(row["evaluations"] for row in epoch["log"] if generation is None or row["generation"] <= generation)
        evaluations += until
        seconds += epoch["timings"]["total"] * (until / total if total else float(generation is None))
    return Cost(generation, evaluations, seconds)
