"""Van Rossum's distance: trains filtered by an exponential, as a synapse would."""

from math import exp, sqrt

import numpy as np

from circuits.numerics.compiled import compiled
from fitness.spike_trains.trains import SpikeTrains, compared, positive


def van_rossum(a: SpikeTrains, b: SpikeTrains, tau_ms: float = 10.0) -> np.ndarray:
    """Van Rossum's distance of each pair of trains.

    Source: van Rossum, Neural Comput. 13, 2001.

        D^2 = 2 / tau integral over all time of (f_a - f_b)^2,  f(t) = sum over spikes t_i <= t of exp(-(t - t_i) / tau)

    The factor of 2 makes the distance between one spike and none 1 (as in Elephant); the paper's is D / sqrt(2). Computed in
    one pass over both trains (Houghton and Kreuz, Netw. Comput. Neural Syst. 23, 2012).

    Parameters
    ----------
    a, b : SpikeTrains
        Trains of one shape; `a` may lack leading axes.
    tau_ms : float
        Time constant of the filter in ms: with small ones coincidences count, with large ones the numbers of spikes.

    Returns
    -------
    ndarray
        float64 of the shape of `b`, 0 for equal trains.

    Raises
    ------
    circuits.errors.UserError
        For trains that cannot be compared, and for a wrong time constant.

    Examples
    --------
    >>> from fitness.spike_trains import SpikeTrains, van_rossum
    >>> van_rossum(SpikeTrains.of([[10.0]], duration_ms=100), SpikeTrains.of([[]], duration_ms=100))
    array([1.])
    """
    return compared(_distances, a, b, positive("tau_ms", tau_ms))


@compiled
def _distances(a, first_a, b, first_b, tau, out):
    """Between two spikes the filtered difference only decays: its square integrates to (1 - decay^2) tau / 2."""
    trains = len(first_a) - 1
    for k in range(len(out)):
        i, end_i = first_a[k % trains], first_a[k % trains + 1]
        j, end_j = first_b[k], first_b[k + 1]
        level, now, total = 0.0, 0.0, 0.0  # of the filtered difference just after the last spike, and when that was
        while i < end_i or j < end_j:
            is_a = j == end_j or (i < end_i and a[i] <= b[j])
            then = a[i] if is_a else b[j]
            decay = exp(-(then - now) / tau)
            total += level * level * (1.0 - decay * decay)
            level = level * decay + (1.0 if is_a else -1.0)
            now = then
            if is_a:
                i += 1
            else:
                j += 1
        out[k] = sqrt(total + level * level)
