"""Estimates from few, partly censored runs: Wilson's interval, Kaplan and Meier's median, Holm's correction."""

import math
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import CensoredData, binomtest, ecdf, logrank

SAMPLES = 10_000
ROUNDING = 1e-9


class Estimate(NamedTuple):
    """A value with its 95 % confidence interval; inf if it was not reached."""

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
    """The median cost of reaching a target, by Kaplan and Meier's estimate (J. Am. Stat. Assoc. 53, 1958), with the percentile
    bootstrap interval over runs.

    values   the cost or, of runs that did not reach the target, the cost until their end (censored)

    The median is inf if no more than half of the runs reached the target. If the share is one half over an interval, the median
    is the middle of this interval, as of an even number of values.
    """
    x, events = np.asarray(values, float), np.asarray(reached, bool)
    if not len(x) or np.isnan(x).any():
        return Estimate(math.nan, math.nan, math.nan)
    order = np.lexsort((~events, x))  # of equal values, uncensored ones come first
    x, events = x[order], events[order]
    estimate = float(_medians(x, events, np.ones((1, len(x)), int))[0])
    drawn = np.random.default_rng(0).multinomial(len(x), np.full(len(x), 1 / len(x)), samples)
    low, high = np.quantile(_medians(x, events, drawn), (0.025, 0.975), method="nearest")
    return Estimate(estimate, float(low), float(high))


def _medians(x, events, counts):
    """The medians of bootstrap samples, given the number of times that each run is in each, [samples, runs]."""
    risk = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
    survival = np.cumprod(np.where(events, 1 - counts / np.maximum(risk, 1), 1.0), axis=1)  # share without an event yet
    ends = np.append(x, np.inf)
    first, last = (np.argmax(np.pad(survival, ((0, 0), (0, 1))) <= half, axis=1) for half in (0.5 + ROUNDING, 0.5 - ROUNDING))
    return np.where(first == last, ends[first], (ends[first] + ends[last]) / 2)


def curve(values: Sequence[float], reached: Sequence[bool]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The share that reached the target by Kaplan and Meier's estimate, with its 95 % interval (log-log): the values at which
    it rises, the share from there on, and the ends of the interval, arrays [rises]."""
    x, events = np.asarray(values, float), np.asarray(reached, bool)
    cdf = ecdf(CensoredData.right_censored(x, ~events)).cdf
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no interval if all or none reached the target
        interval = cdf.confidence_interval(0.95, method="log-log")
    low, high = (np.nan_to_num(end.probabilities, nan=fill) for end, fill in ((interval.low, 0.0), (interval.high, 1.0)))
    rises = np.diff(cdf.probabilities, prepend=0.0) > 0
    return cdf.quantiles[rises], cdf.probabilities[rises], low[rises], high[rises]


def log_rank(first: Sequence[float], first_reached, second: Sequence[float], second_reached) -> float:
    """The two-sided p value of the log-rank test (Mantel 1966) that both samples reach the target at the same cost; 1 if no run
    reached it."""
    if not any(first_reached) and not any(second_reached):
        return 1.0
    samples = [
        CensoredData.right_censored(np.asarray(x, float), ~np.asarray(events, bool))
        for x, events in ((first, first_reached), (second, second_reached))
    ]
    with np.errstate(all="ignore"):
        p = float(logrank(*samples).pvalue)
    return 1.0 if math.isnan(p) else p


def holm(p: Sequence[float]) -> list[float]:
    """p values corrected for their number (Holm, Scand. J. Stat. 6, 1979)."""
    order = sorted(range(len(p)), key=lambda k: p[k])
    corrected, so_far = [0.0] * len(p), 0.0
    for rank, k in enumerate(order):
        so_far = max(so_far, min(1.0, (len(p) - rank) * p[k]))
        corrected[k] = so_far
    return corrected
