"""Victor and Purpura's distance: the cheapest way to edit one train into the other."""

import numpy as np

from circuits.numerics.compiled import compiled
from fitness.spike_trains.trains import SpikeTrains, compared, positive


def victor_purpura(a: SpikeTrains, b: SpikeTrains, cost_per_ms: float = 0.5) -> np.ndarray:
    """Victor and Purpura's spike-time distance of each pair of trains.

    Source: Victor and Purpura, J. Neurophysiol. 76, 1996. Adding or deleting a spike costs 1, moving one by t costs
    `cost_per_ms` t: spikes further apart than 2 / cost_per_ms are cheaper to replace. 0.5 per ms makes that 4 ms.

    Parameters
    ----------
    a, b : SpikeTrains
        Trains of one shape; `a` may lack leading axes.
    cost_per_ms : float
        Cost of moving a spike by a millisecond.

    Returns
    -------
    ndarray
        float64 of the shape of `b`, 0 for equal trains.

    Raises
    ------
    circuits.errors.UserError
        For trains that cannot be compared, and for a wrong cost.

    Examples
    --------
    >>> from fitness.spike_trains import SpikeTrains, victor_purpura
    >>> victor_purpura(SpikeTrains.of([[10.0]], duration_ms=100), SpikeTrains.of([[11.0]], duration_ms=100))
    array([0.5])
    """
    return compared(_distances, a, b, positive("cost_per_ms", cost_per_ms))


@compiled
def _distances(a, first_a, b, first_b, cost, out):
    """Dynamic programming: row[j] is the distance between the first spikes of a so far and the first j spikes of b."""
    trains, longest = len(first_a) - 1, 0
    for k in range(len(out)):
        longest = max(longest, first_b[k + 1] - first_b[k])
    row = np.empty(longest + 1)
    for k in range(len(out)):
        start, count = first_b[k], first_b[k + 1] - first_b[k]
        for j in range(count + 1):
            row[j] = j
        for i in range(first_a[k % trains], first_a[k % trains + 1]):
            diagonal = row[0]
            row[0] += 1
            for j in range(count):
                moved = diagonal + cost * abs(a[i] - b[start + j])
                diagonal = row[j + 1]
                row[j + 1] = min(moved, min(diagonal, row[j]) + 1)
        out[k] = row[count]
