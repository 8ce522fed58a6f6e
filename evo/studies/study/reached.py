"""When a run reached a target: the first generation whose best circuit on validation trials scores it on held-out trials.

The circuit is chosen on other trials than those on which it is scored. What was spent until then is counted over all islands.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple


class Spent(NamedTuple):
    """What a run spent until it reached the target, or until its end where it did not.

    generation    the one that reached it, None where none did
    evaluations   circuits tried by all islands;   core_seconds  seconds of a processor core, as epochs measured themselves
    """

    generation: int | None
    evaluations: int
    core_seconds: float

    @property
    def reached(self) -> bool:
        """Was the target reached?"""
        return self.generation is not None


def reached_in(rows: Iterable[dict[str, Any]], target: float, worst: float | None = None) -> int | None:
    """The first generation that reached the target, by the rows of the logs of all islands; None where none did.

    worst  a score that has to be reached in the worst condition too, where a task has conditions
    """
    champions: dict[int, dict[str, Any]] = {}
    for row in rows:
        known = champions.setdefault(row["generation"], row)
        if row["validation"] > known["validation"]:
            champions[row["generation"]] = row
    there = [
        generation
        for generation, row in champions.items()
        if row["held_out"] >= target and (worst is None or row.get("worst", row["held_out"]) >= worst)
    ]
    return min(there, default=None)


def spent(epochs: list[dict[str, Any]], target: float, worst: float | None = None) -> Spent:
    """What a run with these epochs (`Run.epochs`) spent on the target. An epoch in which it was reached counts in part, by its
    circuits until then."""
    generation = reached_in((row for epoch in epochs for row in epoch["log"]), target, worst)
    evaluations, seconds = 0, 0.0
    for epoch in epochs:
        tried = sum(row["evaluations"] for row in epoch["log"])
        until = sum(row["evaluations"] for row in epoch["log"] if generation is None or row["generation"] <= generation)
        evaluations += until
        seconds += epoch["timings"]["total"] * (until / tried if tried else float(generation is None))
    return Spent(generation, evaluations, seconds)
