"""Learning curves, and the result of one training with its score."""

from functools import cache
from typing import NamedTuple

import numpy as np
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from circuits.errors import UserError, one_line
from fitness.learning.settings import Learning


class Curve(TypedDict):
    """Learning curve of a network, on other trials than those of training.

    steps     training steps at each point, the first being 0
    accuracy  balanced accuracy;   spikes  per trial;   lost  number of training steps without usable gradients
    """

    steps: list[int]
    accuracy: list[float]
    spikes: list[float]
    lost: int


class Curves(TypedDict):
    """The learning curves of a circuit.

    search    of its first training in the search
    held_out  of those with fresh trials and initial weights, by which nothing was chosen;   chance  accuracy at chance
    """

    search: Curve
    held_out: list[Curve]
    chance: float


class Learned(NamedTuple):
    """Result of a training.

    curve   so far;   recall  float64 [heads * classes], of each class by each readout at the end
    spikes, events  per trial at the end;   classes  of each readout;   share  of the training steps that were taken
    """

    curve: Curve
    recall: np.ndarray
    spikes: float
    events: float
    classes: int
    share: float

    def unit(self, accuracy: float) -> float:
        """The accuracy on a scale of 0 at chance and 1 when perfect."""
        return (accuracy - 1 / self.classes) / (1 - 1 / self.classes)

    @property
    def accuracy(self) -> float:
        """Balanced accuracy at the end."""
        return self.curve["accuracy"][-1]

    @property
    def area(self) -> float:
        """The mean accuracy over all training steps; the last accuracy counts for steps that were not taken."""
        steps, accuracy = self.curve["steps"], self.curve["accuracy"]
        whole = steps[-1] / self.share if self.share else 1.0
        so_far = float(np.trapezoid(accuracy, steps))
        return (so_far + (whole - steps[-1]) * accuracy[-1]) / whole if whole else accuracy[-1]

    def score(self, settings: Learning) -> float:
        """The score, 0 at chance and 1 when perfect, less the cost of spikes."""
        reached = self.area if settings.scored == "area" else self.accuracy
        return self.unit(reached) - settings.spike_cost * self.spikes


def values(learned: Learned, settings: Learning) -> dict[str, float]:
    """Measures of a training by their names as objectives."""
    return {
        "score": learned.score(settings),
        "accuracy": learned.accuracy,
        "area": learned.area,
        "spikes": learned.spikes,
        "energy": learned.spikes + learned.events,
    }


def from_text(text: str | bytes, where: str) -> Curves:
    """The curves in a JSON text, checked. Raises UserError, which begins with `where`."""
    try:
        curves = _adapter().validate_json(text, strict=True)
    except (ValueError, RecursionError) as error:
        why = one_line(error) if isinstance(error, ValidationError) else str(error)
        raise UserError(f"{where}: is damaged (learning curves: {why}); restore the folder from a copy") from None
    for curve in (curves["search"], *curves["held_out"]):
        numbers = np.array([*curve["steps"], *curve["accuracy"], *curve["spikes"], curves["chance"]])
        if {len(curve["accuracy"]), len(curve["spikes"])} != {len(curve["steps"])} or not np.isfinite(numbers).all():
            raise UserError(f"{where}: is damaged (learning curves of several lengths); restore the folder from a copy")
    return curves


@cache
def _adapter():
    return TypeAdapter(Curves)
