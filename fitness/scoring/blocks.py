"""Correlations of predictions with a measured series, compared by the moving-block bootstrap (Kuensch, Ann. Stat. 17, 1989):
stretches of the series are drawn with replacement, the same ones for all predictions, so that what neighbouring bins share,
and what predictions share, stays in. Samples with too few blocks (fewer than 20 or so) give intervals that are too narrow."""

from typing import NamedTuple

import numpy as np

SAMPLES = 2000


class Difference(NamedTuple):
    """A difference with its 95 % confidence interval."""

    value: float
    low: float
    high: float


def correlation(measured: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Pearson's correlation over the last axis, float64 [...]; 0 where one of the two is constant."""
    x, y = (a - a.mean(axis=-1, keepdims=True) for a in (np.asarray(predicted, float), np.asarray(measured, float)))
    size = np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
    return np.where(size > 1e-12, (x * y).sum(axis=-1) / np.where(size > 1e-12, size, 1.0), 0.0)


def resampled(measured: np.ndarray, predicted: np.ndarray, block: int, samples: int = SAMPLES, seed: int = 0) -> np.ndarray:
    """Correlations in bootstrap samples.

    Parameters
    ----------
    measured : ndarray
        The series, [bins].
    predicted : ndarray
        Predictions of it, [predictions, bins].
    block : int
        Length of a stretch in bins.
    samples, seed : int
        Number of samples, and the seed by which their stretches are drawn.

    Returns
    -------
    ndarray
        float64 [samples, predictions].
    """
    bins = len(measured)
    rng = np.random.default_rng(seed)
    first = rng.integers(0, bins - block + 1, (samples, -(-bins // block)))
    at = (first[..., None] + np.arange(block)).reshape(samples, -1)[:, :bins]
    return np.stack([correlation(measured[at], one[at]) for one in np.asarray(predicted)], axis=-1)


def difference(
    measured: np.ndarray, first: np.ndarray, second: np.ndarray, block: int, samples: int = SAMPLES, seed: int = 0
) -> Difference:
    """By how much the first prediction [bins] correlates better with a series [bins] than the second does; arguments as of
    `resampled`."""
    drawn = resampled(measured, np.stack([first, second]), block, samples, seed)
    low, high = np.quantile(drawn[:, 0] - drawn[:, 1], (0.025, 0.975))
    return Difference(float(correlation(measured, first) - correlation(measured, second)), float(low), float(high))
