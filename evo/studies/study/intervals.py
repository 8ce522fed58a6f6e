"""Estimates from few runs, some of which never got there: Wilson's interval, Kaplan and Meier's median, Holm's correction."""

import math
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import CensoredData, binomtest, ecdf, logrank

SAMPLES = 10_000
ROUNDING = 1e-9


class Estimate(NamedTuple):
    """A value with its 95 % confidence interval; inf where it was not reached."""

    value: float
    low: float
    high: float


def share(hits: int, count: int) -> Estimate:
    """A share, with Wilson's interval (J. Am. Stat. Assoc. 22, 1927)."""
    if not count:
        return Estimate(math.nan, 0.0, 1.0)
    low, high = binomtest(hits, count).proportion_ci(0.95, "wilson")
    return Estimate(hits / count, float(low), float(high))


def median(values: Sequence[float], samples: int = SAMPLES) -> Estimate:
    """The median, with the percentile bootstrap interval; NaN without values, or if one of them is NaN."""
    return median_until(values, [True] * len(values), samples)


def median_until(values: Sequence[float], reached: Sequence[bool], samples: int = SAMPLES) -> Estimate:
    """The median of what it takes to get there, by Kaplan and Meier's estimate (J. Am. Stat. Assoc. 53, 1958), with the
    percentile bootstrap interval over runs.

    values   what it took or, of runs that did not get there, what was spent in vain (censored)

    It is inf where no more than one half got there. Where it is one half for a while, the median is the middle of
    that while, as of an even number of values.
    """
    x, there = np.asarray(values, float), np.asarray(reached, bool)
    if not len(x) or np.isnan(x).any():
        return Estimate(math.nan, math.nan, math.nan)
    order = np.lexsort((~there, x))  # of equal values, those that got there come first
    x, there = x[order], there[order]
    found = float(_medians(x, there, np.ones((1, len(x)), int))[0])
    drawn = np.random.default_rng(0).multinomial(len(x), np.full(len(x), 1 / len(x)), samples)
    low, high = np.quantile(_medians(x, there, drawn), (0.025, 0.975), method="nearest")
    return Estimate(found, float(low), float(high))


def _medians(x, there, times):
    """The medians of samples in which each run comes up so many times, [samples, runs]."""
    risk = np.cumsum(times[:, ::-1], axis=1)[:, ::-1]
    left = np.cumprod(np.where(there, 1 - times / np.maximum(risk, 1), 1.0), axis=1)  # the share that did not get there
    ends = np.append(x, np.inf)
    first, last = (np.argmax(np.pad(left, ((0, 0), (0, 1))) <= half, axis=1) for half in (0.5 + ROUNDING, 0.5 - ROUNDING))
    return np.where(first == last, ends[first], (ends[first] + ends[last]) / 2)


def curve(values: Sequence[float], reached: Sequence[bool]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The share that got there by Kaplan and Meier's estimate, with its 95 % interval (log-log): the values at which it rises,
    the share from there on, and the ends of the interval, arrays [rises]."""
    x, there = np.asarray(values, float), np.asarray(reached, bool)
    found = ecdf(CensoredData.right_censored(x, ~there)).cdf
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # there is none where all got there, or none did
        around = found.confidence_interval(0.95, method="log-log")
    low, high = (np.nan_to_num(end.probabilities, nan=fill) for end, fill in ((around.low, 0.0), (around.high, 1.0)))
    rises = np.diff(found.probabilities, prepend=0.0) > 0
    return found.quantiles[rises], found.probabilities[rises], low[rises], high[rises]


def log_rank(first: Sequence[float], first_reached, second: Sequence[float], second_reached) -> float:
    """The two-sided p value of the log-rank test (Mantel 1966) that both samples got there equally soon; 1 if none did."""
    if not any(first_reached) and not any(second_reached):
        return 1.0
    samples = [
        CensoredData.right_censored(np.asarray(x, float), ~np.asarray(there, bool))
        for x, there in ((first, first_reached), (second, second_reached))
    ]
    with np.errstate(all="ignore"):
        p = float(logrank(*samples).pvalue)
    return 1.0 if math.isnan(p) else p


def holm(p: Sequence[float]) -> list[float]:
    """p values corrected for so many tests (Holm, Scand. J. Stat. 6, 1979)."""
    order = sorted(range(len(p)), key=lambda k: p[k])
    found, so_far = [0.0] * len(p), 0.0
    for rank, k in enumerate(order):
        so_far = max(so_far, min(1.0, (len(p) - rank) * p[k]))
        found[k] = so_far
    return found
