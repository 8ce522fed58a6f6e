"""The coincidence factor: spikes that a model predicts, beyond those that its rate predicts by chance."""

import numpy as np

from circuits.numerics.compiled import compiled
from fitness.spike_trains.trains import SpikeTrains, compared, positive


def coincidence_factor(measured: SpikeTrains, predicted: SpikeTrains, window_ms: float = 2.0) -> np.ndarray:
    """Coincidence factor of each pair of trains.

    Source: Kistler, Gerstner and van Hemmen, Neural Comput. 9, 1997.

        (N_coinc - <N_coinc>) / ((N_measured + N_predicted) / 2) / (1 - 2 nu window)

    N_coinc counts predicted spikes at most `window_ms` from a measured one, each spike at most once. <N_coinc> = 2 nu window
    N_measured is that of a Poisson train of the predicted rate nu. 1: every spike right, 0: no better than chance,
    below 0: worse.

    Parameters
    ----------
    measured : SpikeTrains
        Trains of the shape of `predicted`, or without its leading axes.
    predicted : SpikeTrains
        Trains of any shape.
    window_ms : float
        Largest distance of a coincidence in ms.

    Returns
    -------
    ndarray
        float64 of the shape of `predicted`. Two silent trains give 1, one silent train 0; so does a prediction that fires so
        often that it meets every spike by chance (2 nu window >= 1).

    Raises
    ------
    circuits.errors.UserError
        For trains that cannot be compared, and for a wrong window.

    Examples
    --------
    >>> from fitness.spike_trains import SpikeTrains, coincidence_factor
    >>> measured = SpikeTrains.of([[10.0, 25.0, 40.0]], duration_ms=100)
    >>> predicted = SpikeTrains.of([[11.0, 25.0, 70.0]], duration_ms=100)
    >>> coincidence_factor(measured, predicted, window_ms=2).round(2)
    array([0.62])
    """
    return compared(_factors, measured, predicted, positive("window_ms", window_ms), predicted.duration_ms)


@compiled
def _factors(a, first_a, b, first_b, window, duration, out):
    trains = len(first_a) - 1
    reach = window * (1 + 1e-9)  # spikes on a grid exactly a window apart coincide, whatever their last digits
    for k in range(len(out)):
        i, end_i = first_a[k % trains], first_a[k % trains + 1]
        j, end_j = first_b[k], first_b[k + 1]
        measured, predicted, met = end_i - i, end_j - j, 0
        while i < end_i and j < end_j:
            if abs(a[i] - b[j]) <= reach:
                met, i, j = met + 1, i + 1, j + 1
            elif a[i] < b[j]:
                i += 1
            else:
                j += 1
        share = 2 * window * predicted / duration
        if measured == 0 or predicted == 0 or share >= 1:
            out[k] = 1.0 if measured == predicted == 0 else 0.0
        else:
            out[k] = (met - share * measured) / (0.5 * (measured + predicted)) / (1 - share)
