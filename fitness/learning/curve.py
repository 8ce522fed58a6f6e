"""A learning curve, what is known of one training, and its score."""

from functools import cache
from typing import NamedTuple

import numpy as np
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from circuits.errors import UserError, one_line
from fitness.learning.settings import Learning


class Curve(TypedDict):
    """What a network did on trials that it was not trained on.

    steps     of training after which it was looked at, the first being 0
    accuracy  balanced, at each look;   spikes  of a trial, at each look;   lost  training steps without usable gradients
    """

    steps: list[int]
    accuracy: list[float]
    spikes: list[float]
    lost: int


class Curves(TypedDict):
    """The learning curves of a circuit.

    search    of its first training in the search
    held_out  of those with fresh trials and first weights, by which nothing was chosen;   chance  the accuracy that is chance
    """

    search: Curve
    held_out: list[Curve]
    chance: float


class Learned(NamedTuple):
    """What became of a training.

    curve   as far as it went;   recall  float64 [heads * classes], the share of what is of a class that was named so at the end
    spikes, events  of a trial at the end;   classes  that a readout tells apart;   share  of the steps that were taken
    """

    curve: Curve
    recall: np.ndarray
    spikes: float
    events: float
    classes: int
    share: float

    def unit(self, accuracy: float) -> float:
        """0 at chance, 1 when perfect."""
        return (accuracy - 1 / self.classes) / (1 - 1 / self.classes)

    @property
    def accuracy(self) -> float:
        """Balanced, at the end."""
        return self.curve["accuracy"][-1]

    @property
    def area(self) -> float:
        """The mean accuracy over all steps of training; those that were not taken count as the last that was."""
        steps, accuracy = self.curve["steps"], self.curve["accuracy"]
        whole = steps[-1] / self.share if self.share else 1.0
        taken = float(np.trapezoid(accuracy, steps))
        return (taken + (whole - steps[-1]) * accuracy[-1]) / whole if whole else accuracy[-1]

    def score(self, settings: Learning) -> float:
        """0 at chance, 1 when perfect, less what spikes cost."""
        reached = self.area if settings.scored == "area" else self.accuracy
        return self.unit(reached) - settings.spike_cost * self.spikes


def values(found: Learned, settings: Learning) -> dict[str, float]:
    """The figures of a training by the names that objectives know."""
    return {
        "score": found.score(settings),
        "accuracy": found.accuracy,
        "area": found.area,
        "spikes": found.spikes,
        "energy": found.spikes + found.events,
    }


def from_text(text: str | bytes, place: str) -> Curves:
    """Curves from JSON, checked: UserError names `place`."""
    try:
        found = _adapter().validate_json(text, strict=True)
    except (ValueError, RecursionError) as error:
        why = one_line(error) if isinstance(error, ValidationError) else str(error)
        raise UserError(f"{place}: is damaged (learning curves: {why}); restore the folder from a copy") from None
    for curve in (found["search"], *found["held_out"]):
        numbers = np.array([*curve["steps"], *curve["accuracy"], *curve["spikes"], found["chance"]])
        if {len(curve["accuracy"]), len(curve["spikes"])} != {len(curve["steps"])} or not np.isfinite(numbers).all():
            raise UserError(f"{place}: is damaged (learning curves of several lengths); restore the folder from a copy")
    return found


@cache
def _adapter():
    return TypeAdapter(Curves)
