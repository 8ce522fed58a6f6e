"""Correlation of spike trains: counted in bins, or smoothed by a Gaussian."""

from math import ceil, exp, sqrt

import numpy as np

from circuits.errors import UserError
from circuits.numerics.compiled import compiled
from fitness.spike_trains.trains import SpikeTrains, compared, positive


def binned_correlation(a: SpikeTrains, b: SpikeTrains, bin_ms: float = 5.0) -> np.ndarray:
    """Pearson's correlation of the spike counts in bins, of each pair of trains.

    Bins are [0, bin_ms), [bin_ms, 2 bin_ms), ...; the last one ends with the trains. A spike at the very end of the trains
    counts in the last bin.

    Parameters
    ----------
    a, b : SpikeTrains
        Trains of one shape; `a` may lack leading axes.
    bin_ms : float
        Width of a bin in ms, at most the duration of the trains.

    Returns
    -------
    ndarray
        float64 of the shape of `b`, -1 to 1; 0 where the counts of a train are the same in all bins.

    Raises
    ------
    circuits.errors.UserError
        For trains that cannot be compared, and for a wrong width.

    Examples
    --------
    >>> from fitness.spike_trains import SpikeTrains, binned_correlation
    >>> a = SpikeTrains.of([[10.0, 25.0, 40.0]], duration_ms=100)
    >>> binned_correlation(a, a, bin_ms=5)
    array([1.])
    """
    if positive("bin_ms", bin_ms) > b.duration_ms:
        raise UserError(f"spike trains: bin_ms {bin_ms:g} is longer than the trains of {b.duration_ms:g} ms")
    return compared(_correlations, a, b, bin_ms, ceil(b.duration_ms / bin_ms - 1e-9))


def schreiber_similarity(a: SpikeTrains, b: SpikeTrains, sigma_ms: float = 3.0) -> np.ndarray:
    """Schreiber et al.'s similarity of each pair of trains.

    Source: Schreiber et al., Neurocomputing 52, 2003. The cosine of the angle between the trains smoothed by a Gaussian,
    computed from the spike times, without bins.

    Parameters
    ----------
    a, b : SpikeTrains
        Trains of one shape; `a` may lack leading axes.
    sigma_ms : float
        Standard deviation of the Gaussian in ms.

    Returns
    -------
    ndarray
        float64 of the shape of `b`, 0 to 1. Two silent trains give 1, one silent train 0.

    Raises
    ------
    circuits.errors.UserError
        For trains that cannot be compared, and for a wrong width.

    Examples
    --------
    >>> from fitness.spike_trains import SpikeTrains, schreiber_similarity
    >>> a = SpikeTrains.of([[10.0, 25.0, 40.0]], duration_ms=100)
    >>> schreiber_similarity(a, a)
    array([1.])
    """
    return compared(_similarities, a, b, positive("sigma_ms", sigma_ms))


@compiled
def _correlations(a, first_a, b, first_b, width, bins, out):
    trains, n = len(first_a) - 1, int(bins)
    x, y = np.empty(n), np.empty(n)
    for k in range(len(out)):
        _count(a[first_a[k % trains] : first_a[k % trains + 1]], width, x)
        _count(b[first_b[k] : first_b[k + 1]], width, y)
        sx = sy = sxx = syy = sxy = 0.0
        for bin in range(n):
            sx, sy = sx + x[bin], sy + y[bin]
            sxx, syy, sxy = sxx + x[bin] * x[bin], syy + y[bin] * y[bin], sxy + x[bin] * y[bin]
        size = (n * sxx - sx * sx) * (n * syy - sy * sy)  # whole numbers: exact
        out[k] = (n * sxy - sx * sy) / sqrt(size) if size > 0 else 0.0


@compiled
def _count(train, width, counts):
    for bin in range(len(counts)):
        counts[bin] = 0.0
    for t in train:
        counts[min(int(t / width + 1e-9), len(counts) - 1)] += 1  # spikes on the edge of a bin whatever their last digits


@compiled
def _similarities(a, first_a, b, first_b, sigma, out):
    trains = len(first_a) - 1
    for k in range(len(out)):
        x = a[first_a[k % trains] : first_a[k % trains + 1]]
        y = b[first_b[k] : first_b[k + 1]]
        if len(x) == 0 or len(y) == 0:
            out[k] = 1.0 if len(x) == len(y) else 0.0
        else:
            out[k] = min(_overlap(x, y, sigma) / sqrt(_overlap(x, x, sigma) * _overlap(y, y, sigma)), 1.0)


@compiled
def _overlap(x, y, sigma):
    """The integral of the product of both smoothed trains, up to a factor. Spikes 13 sigma apart add less than 1e-18."""
    total, start = 0.0, 0
    for t in x:
        while start < len(y) and y[start] < t - 13 * sigma:
            start += 1
        j = start
        while j < len(y) and y[j] <= t + 13 * sigma:
            apart = (y[j] - t) / (2 * sigma)
            total += exp(-apart * apart)
            j += 1
    return total
