"""Spikes of a model that has a predictor in every step and a memory of its own spikes."""

import numpy as np

from circuits.numerics.compiled import compiled


@compiled
def free_run(eta, after, threshold, draws):
    """Bool [windows, steps]: a spike wherever eta [windows, steps] and what `after` [lags] adds to it for each of its spikes
    before, one step later first, exceed the threshold. With draws, float64 [windows, steps] from 0 to 1, by chance instead:
    with probability 1 - exp(-exp(eta + added))."""
    windows, steps = eta.shape
    spikes, added = np.zeros((windows, steps), np.bool_), np.zeros(steps)
    for w in range(windows):
        added[:] = 0.0
        for k in range(steps):
            level = eta[w, k] + added[k]
            if (level > threshold) if draws is None else (draws[w, k] < 1.0 - np.exp(-np.exp(min(level, 5.0)))):
                spikes[w, k] = True
                for lag in range(min(len(after), steps - k - 1)):
                    added[k + 1 + lag] += after[lag]
    return spikes
