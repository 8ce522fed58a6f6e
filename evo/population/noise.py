"""Noisy scores: what circuits that were judged several times are ranked by.

Each further judgement goes into a circuit's mean; what counts is a bound, the mean less Z standard errors (for what is to be
small: plus), so that one lucky judgement is not enough to stay. The variance is that within circuits, pooled over the
population: two or three judgements of one circuit say next to nothing of it.
"""

import numpy as np

from fitness.evaluation.objectives import WORST

Z = 1.0  # standard errors
MOST = 16  # judgements of a circuit, after which it is not judged again


def begin(outcomes: np.ndarray, whole: np.ndarray | bool = True):
    """Judged once: sets count, mean and spread of individuals [n] from losses and score; the count of those that were given up
    in a race, not judged as a whole, is 0."""
    outcomes["count"], outcomes["spread"] = whole, 0.0
    outcomes["mean"][:, :-1], outcomes["mean"][:, -1] = outcomes["losses"], outcomes["score"]


def again(outcomes: np.ndarray, losses: np.ndarray, score: np.ndarray):
    """One more judgement of each individual [n]: the objectives [n, objectives] and the score [n] that it gave (Welford,
    1962)."""
    count = outcomes["count"] = outcomes["count"] + 1
    off = np.column_stack([losses, score]) - outcomes["mean"]
    outcomes["mean"] += off / count[:, None]
    outcomes["spread"] += off * (off - off / count[:, None])


def deviation(outcomes: np.ndarray) -> np.ndarray:
    """The standard deviation of single judgements of a circuit, of every objective and the score, pooled over those that were
    judged more than once, and never failed: float64 [objectives + 1], 0 where there are none."""
    sound = outcomes[np.abs(outcomes["mean"]).max(axis=1) < WORST / (2 * MOST)]
    freedom = np.maximum(sound["count"] - 1, 0).sum()
    if freedom <= 0:
        return np.zeros(outcomes["mean"].shape[1])
    return np.sqrt(np.add.accumulate(sound["spread"])[-1] / freedom)


def bound(outcomes: np.ndarray, deviation: np.ndarray):
    """Sets losses and score of individuals to the bounds that their judgements allow."""
    error = Z * deviation / np.sqrt(np.maximum(outcomes["count"], 1))[:, None]
    outcomes["losses"] = np.minimum(outcomes["mean"][:, :-1] + error[:, :-1], WORST)
    outcomes["score"] = np.maximum(outcomes["mean"][:, -1] - error[:, -1], -WORST)
