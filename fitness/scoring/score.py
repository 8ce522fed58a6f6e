"""Scores of circuits in trials."""

from typing import Any, NamedTuple

import numpy as np


class Score(NamedTuple):
    """Scores of circuits on trials.

    Parameters
    ----------
    value : ndarray
        Score, float64 [...]: 0 is chance, 1 is perfect.
    trial_scores : ndarray
        Each trial right (1), wrong (0) or partly right: float64 [..., trials].
    case_scores : ndarray
        Scores by which selection tells circuits apart: the trial scores, or smoother ones, float64 [..., trials].
    measured : object, optional
        Further values that the task needs to compute an interval.

    Examples
    --------
    >>> import fitness
    >>> task = fitness.task("gate")
    >>> score = task.evaluate(fitness.reference("gate").circuit, task.trials(seed=1, count=64))
    >>> bool(score.value > 0.9), score.trial_scores.shape
    (True, (64,))
    """

    value: np.ndarray
    trial_scores: np.ndarray
    case_scores: np.ndarray
    measured: Any = None

    def of(self, circuit: tuple[int, ...]) -> "Score":
        """The score of one circuit of a population.

        Parameters
        ----------
        circuit : tuple of int
            Index of the circuit in the leading axes.

        Returns
        -------
        Score
            Its score.
        """
        return Score(*(_of(part, circuit) for part in self))


def _of(part, circuit):
    """The entry of a circuit in an array, or in a tuple of arrays or scores."""
    if isinstance(part, Score):
        return part.of(circuit)
    return tuple(_of(x, circuit) for x in part) if isinstance(part, tuple) else part if part is None else part[circuit]


def exact(scores) -> np.ndarray:
    """Scores with the same bits on every machine: in one memory layout, so that sums have one order, and without the last
    digits, in which exponential functions and matrix products differ between machines."""
    return np.round(np.asarray(scores, "f8", order="C"), 9) + 0.0
