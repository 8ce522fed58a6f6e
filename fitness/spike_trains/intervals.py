"""ISI-distance and SPIKE-distance: how alike the momentary rates and spike times of two trains are, without a time scale.

Both are means over time of a profile that the spikes around every moment give. Before a train's first spike and after its last
one the conventions are those of PySpike (Mulansky and Kreuz, SoftwareX 5, 2016): the interval to the edge counts as one, but at
least as long as the neighbouring interval; a silent train has spikes at both edges.
"""

import numpy as np

from circuits.numerics.compiled import compiled
from fitness.spike_trains.trains import SpikeTrains, compared


def isi_distance(a: SpikeTrains, b: SpikeTrains) -> np.ndarray:
    """ISI-distance of each pair of trains.

    Source: Kreuz et al., J. Neurosci. Methods 165, 2007. The mean over time of abs(x - y) / max(x, y), where x and y are the
    interspike intervals around a moment. 0 means the same rates at all times.

    Parameters
    ----------
    a, b : SpikeTrains
        Trains of one shape; `a` may lack leading axes.

    Returns
    -------
    ndarray
        float64 of the shape of `b`, 0 to 1.

    Raises
    ------
    circuits.errors.UserError
        For trains that cannot be compared.

    Examples
    --------
    >>> from fitness.spike_trains import SpikeTrains, isi_distance
    >>> a = SpikeTrains.of([[10.0, 25.0, 40.0]], duration_ms=100)
    >>> isi_distance(a, a)
    array([0.])
    """
    return compared(_isi_distances, a, b, b.duration_ms)


def spike_distance(a: SpikeTrains, b: SpikeTrains) -> np.ndarray:
    """SPIKE-distance of each pair of trains.

    Source: Kreuz et al., J. Neurophysiol. 109, 2013. The mean over time of

        (s_a x_b + s_b x_a) / (2 m^2),  m = (x_a + x_b) / 2

    where x are the interspike intervals around a moment, and s the distances of the spikes before and after it to the nearest
    spikes of the other train, weighted by how near they are. 0 means the same spikes.

    Parameters
    ----------
    a, b : SpikeTrains
        Trains of one shape; `a` may lack leading axes.

    Returns
    -------
    ndarray
        float64 of the shape of `b`, 0 to 1.

    Raises
    ------
    circuits.errors.UserError
        For trains that cannot be compared.

    Examples
    --------
    >>> from fitness.spike_trains import SpikeTrains, spike_distance
    >>> a = SpikeTrains.of([[10.0, 25.0, 40.0]], duration_ms=100)
    >>> spike_distance(a, a)
    array([0.])
    """
    return compared(_spike_distances, a, b, b.duration_ms)


@compiled
def _isi_distances(a, first_a, b, first_b, duration, out):
    trains, edges = len(first_a) - 1, np.array([0.0, duration])
    for k in range(len(out)):
        one = _or_edges(a[first_a[k % trains] : first_a[k % trains + 1]], edges)
        other = _or_edges(b[first_b[k] : first_b[k + 1]], edges)
        i, j, now, total = _passed(one), _passed(other), 0.0, 0.0
        while now < duration:
            then = min(_after(one, i, duration), _after(other, j, duration))
            x, y = _interval(one, i, duration), _interval(other, j, duration)
            if then > now:
                total += abs(x - y) / max(x, y) * (then - now)
            i, j, now = _past(one, i, then), _past(other, j, then), then
        out[k] = total / duration


@compiled
def _spike_distances(a, first_a, b, first_b, duration, out):
    """The profile is linear between spikes: the mean of its two ends integrates it."""
    trains, edges = len(first_a) - 1, np.array([0.0, duration])
    for k in range(len(out)):
        one = _or_edges(a[first_a[k % trains] : first_a[k % trains + 1]], edges)
        other = _or_edges(b[first_b[k] : first_b[k + 1]], edges)
        i, j, now, total = _passed(one), _passed(other), 0.0, 0.0
        near_i, near_j = 0, 0
        before_a, near_i = _nearest(one, max(i, 0), other, near_i, duration)
        before_b, near_j = _nearest(other, max(j, 0), one, near_j, duration)
        after_a, near_i = _nearest(one, min(i + 1, len(one) - 1), other, near_i, duration)
        after_b, near_j = _nearest(other, min(j + 1, len(other) - 1), one, near_j, duration)
        while now < duration:
            then = min(_after(one, i, duration), _after(other, j, duration))
            if then > now:
                x, y = _interval(one, i, duration), _interval(other, j, duration)
                mean = 0.5 * (x + y)
                for moment in (now, then):
                    s = _weighted(one, i, before_a, after_a, moment)
                    r = _weighted(other, j, before_b, after_b, moment)
                    total += 0.5 * (then - now) * 0.5 * (s * y + r * x) / (mean * mean)
            while i + 1 < len(one) and one[i + 1] <= then:
                i, before_a = i + 1, after_a
                if i + 1 < len(one):
                    after_a, near_i = _nearest(one, i + 1, other, near_i, duration)
            while j + 1 < len(other) and other[j + 1] <= then:
                j, before_b = j + 1, after_b
                if j + 1 < len(other):
                    after_b, near_j = _nearest(other, j + 1, one, near_j, duration)
            now = then
        out[k] = total / duration


@compiled
def _or_edges(train, edges):
    return train if len(train) > 0 else edges


@compiled
def _passed(train):
    """Index of the last spike at time 0, -1 if the first comes later."""
    return _past(train, -1, 0.0)


@compiled
def _past(train, i, now):
    """Index of the last spike up to `now`, from that of an earlier one."""
    while i + 1 < len(train) and train[i + 1] <= now:
        i += 1
    return i


@compiled
def _after(train, i, duration):
    """Time of the spike after the i-th; the end of the train if there is none."""
    return train[i + 1] if i + 1 < len(train) else duration


@compiled
def _interval(train, i, duration):
    """The interspike interval that begins with the i-th spike (-1: before the first one)."""
    n = len(train)
    if 0 <= i < n - 1:
        return train[i + 1] - train[i]
    if i < 0:
        return max(train[0], train[1] - train[0]) if n > 1 else train[0]
    return max(duration - train[n - 1], train[n - 1] - train[n - 2]) if n > 1 else duration - train[n - 1]


@compiled
def _nearest(train, i, other, start, duration):
    """Distance of the i-th spike to the nearest spike of the other train, and that one's index; `start` is the index found for
    an earlier spike. One interval beyond the other's first and last spike stand auxiliary ones, at the edges at the latest."""
    t, n = train[i], len(other)
    low = min(0.0, other[0] - (other[1] - other[0])) if n > 1 else 0.0
    high = max(duration, other[n - 1] + (other[n - 1] - other[n - 2])) if n > 1 else duration
    while start + 1 < n and abs(other[start + 1] - t) <= abs(other[start] - t):
        start += 1
    return min(abs(other[start] - t), min(abs(t - low), abs(high - t))), start


@compiled
def _weighted(train, i, before, after, moment):
    """The distances of the spikes before and after a moment, weighted by how near they are in time."""
    if i < 0:
        return after
    if i + 1 >= len(train):
        return before
    return (before * (train[i + 1] - moment) + after * (moment - train[i])) / (train[i + 1] - train[i])
