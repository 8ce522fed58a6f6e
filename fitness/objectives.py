"""What a search can be asked to optimise, by name."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fitness.evaluate import Evaluation


class Objective(NamedTuple):
    """An objective: `loss(evaluation)` is float64 [B], smaller is better; `show(loss)` is the figure people read."""

    loss: Callable[[Evaluation], np.ndarray]
    sign: int
    unit: str
    text: str

    def show(self, loss):
        return self.sign * loss


OBJECTIVES = {
    "score": Objective(lambda e: -(e.score + e.climb), -1, "", "right answers (0 chance, 1 perfect) plus their graded form"),
    "energy": Objective(lambda e: e.spikes + e.events, 1, "per trial", "spikes and synaptic events"),
    "wiring": Objective(lambda e: e.synapses.astype("f8"), 1, "", "synapses"),
}


def losses(names, evaluation: Evaluation) -> np.ndarray:
    """The chosen objectives as float64 [B, objectives], all to be made small."""
    return np.stack([OBJECTIVES[name].loss(evaluation) for name in names], axis=1)
