"""Noisy scores: ranking of circuits that are judged several times.

Each further judgement enters a circuit's mean; circuits are ranked by a bound, the mean less Z standard errors (plus, for
objectives), so that one lucky judgement does not suffice. The variance is that within circuits, pooled over the population,
since two or three judgements of one circuit hardly determine it.
"""

import numpy as np

from fitness.evaluation.objectives import WORST

Z = 1.0  # standard errors
MAX_JUDGEMENTS = 16  # of a circuit


def begin(outcomes: np.ndarray, whole: np.ndarray | bool = True):
    """Set count, mean and spread of individuals [n] after one judgement, from objectives and score; the count of those that
    dropped out of a race is 0."""
    outcomes["count"], outcomes["spread"] = whole, 0.0
    outcomes["mean"][:, :-1], outcomes["mean"][:, -1] = outcomes["losses"], outcomes["score"]


def again(outcomes: np.ndarray, objectives: np.ndarray, score: np.ndarray):
    """Add one more judgement of each individual [n]: objectives [n, objectives] and score [n] (Welford, 1962)."""
    count = outcomes["count"] = outcomes["count"] + 1
    difference = np.column_stack([objectives, score]) - outcomes["mean"]
    outcomes["mean"] += difference / count[:, None]
    outcomes["spread"] += difference * (difference - difference / count[:, None])


def deviation(outcomes: np.ndarray) -> np.ndarray:
    """The standard deviation of single judgements of a circuit, of every objective and the score, pooled over those that were
    judged more than once and never failed: float64 [objectives + 1], 0 where there are none."""
    sound = outcomes[np.abs(outcomes["mean"]).max(axis=1) < WORST / (2 * MAX_JUDGEMENTS)]
    freedom = np.maximum(sound["count"] - 1, 0).sum()
    if freedom <= 0:
        return np.zeros(outcomes["mean"].shape[1])
    return np.sqrt(np.add.accumulate(sound["spread"])[-1] / freedom)


def bound(outcomes: np.ndarray, deviation: np.ndarray):
    """Set objectives and score of individuals to their bounds."""
    error = Z * deviation / np.sqrt(np.maximum(outcomes["count"], 1))[:, None]
    outcomes["losses"] = np.minimum(outcomes["mean"][:, :-1] + error[:, :-1], WORST)
    outcomes["score"] = np.maximum(outcomes["mean"][:, -1] - error[:, -1], -WORST)
