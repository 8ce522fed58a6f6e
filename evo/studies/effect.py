"""The effect size between two samples: Vargha and Delaney's A, with its confidence interval."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.stats import mannwhitneyu, norm


class Effect(NamedTuple):
    """The comparison of two samples.

    a          the probability that one drawn from the first is larger than one from the second, ties counted half (Vargha and
               Delaney, J. Educ. Behav. Stat. 25, 2000): 0.5 no difference, 1 always; Cliff's delta is 2 a - 1
    low, high  its 95 % confidence interval, for small samples and near 0 and 1 too (method 5 of Newcombe, Stat. Med. 25, 2006)
    p          of Mann and Whitney's test, two-sided
    """

    a: float
    low: float
    high: float
    p: float


def effect(first: Sequence[float], second: Sequence[float]) -> Effect:
    """Compare two samples of at least two numbers each; inf is a number like others."""
    x, y = np.asarray(first, "f8"), np.asarray(second, "f8")
    a = float((x[:, None] > y).mean() + (x[:, None] == y).mean() / 2)
    z, pairs, more = float(norm.ppf(0.975)), len(x) * len(y), (len(x) + len(y)) / 2 - 1

    def beyond(true):
        """The distance of `a` from a true value, less z standard errors at that value: 0 at the ends of the interval."""
        variance = true * (1 - true) * (1 + more * ((1 - true) / (2 - true) + true / (1 + true))) / pairs
        return abs(a - true) - z * np.sqrt(variance)

    inside = min(max(a, 1e-12), 1 - 1e-12)  # the error is zero at 0 and 1, and large just beside them
    low = brentq(beyond, 0.0, inside) if a > 0 else 0.0
    high = brentq(beyond, inside, 1.0) if a < 1 else 1.0
    same = len(np.unique(np.concatenate([x, y]))) == 1
    return Effect(a, float(low), float(high), 1.0 if same else float(mannwhitneyu(x, y).pvalue))
