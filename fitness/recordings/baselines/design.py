"""Stimulus and spike history as features."""

import numpy as np
from scipy.signal import fftconvolve

LONGEST_MS = 100.0  # that a stimulus or a spike is seen back
SHORTEST = 2  # steps of the first peak


def basis(dt_ms: float, count: int) -> np.ndarray:
    """Raised cosines of logarithmic time, float64 [count, steps]: row k is the weight of feature k on the past, one step back
    first. Features that fall between two steps are left out."""
    steps = max(round(LONGEST_MS / dt_ms), 4)
    time = np.log(np.arange(1, steps + 1) + SHORTEST)
    peaks = np.linspace(time[0], np.log(steps * 0.7 + SHORTEST), count)
    width = (peaks[1] - peaks[0]) * 2
    phase = np.clip((time - peaks[:, None]) * 2 * np.pi / width / 2, -np.pi, np.pi)
    filters = 0.5 * (1 + np.cos(phase))
    total = filters.sum(axis=1, keepdims=True)
    return (filters / np.where(total > 0, total, 1.0))[total[:, 0] > 0]


def past(trains: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Output of each filter on trains or signals [windows, steps, n] before every step: [windows, steps, n x filters]."""
    windows, steps, n = trains.shape
    features = np.zeros((windows, steps, n, len(filters)))
    for k, one in enumerate(filters):
        seen = fftconvolve(trains.astype("f8"), one[None, :, None], axes=1)[:, : steps - 1]
        features[:, 1:, :, k] = np.where(np.abs(seen) > 1e-12, seen, 0.0)
    return features.reshape(windows, steps, -1)
