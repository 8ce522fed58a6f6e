"""How the score bears change."""

from typing_extensions import TypedDict

from circuits.circuit import Circuit
from fitness.analysis.numbers import rounded
from fitness.analysis.perturbed import curves
from fitness.task import Task, Trials


class Curve(TypedDict):
    """Score against how much is changed, x[0] being nothing. low and high: of several draws the least and the largest score,
    of a single one its 95 % confidence interval."""

    x: list[float]
    score: list[float]
    low: list[float]
    high: list[float]


def perturbation(task: Task, circuit: Circuit, held_out: Trials) -> dict[str, Curve]:
    """The part `perturbation` of an analysis."""
    return {what: _curve(found) for what, found in curves(task, held_out, circuit).items()}


def _curve(found):
    return {part: rounded(values) for part, values in found._asdict().items()}
