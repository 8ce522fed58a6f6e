"""Sound localisation by ears with many fibres each, as in the COSYNE 2022 tutorial on spiking networks (D. Goodman)."""

import numpy as np

from circuits.data.split import Data, Split, two_splits

DT_MS = 1.0


def itd(
    train: int = 2000,
    test: int = 500,
    seed: int = 0,
    *,
    steps: int = 100,
    fibres: int = 100,
    frequency_hz: float = 20.0,
    rate_hz: float = 600.0,
    classes: int | None = None,
    fibre_lag: float = np.pi / 2,
) -> Data:
    """Sound localisation by ears with many fibres each.

    As in the COSYNE 2022 tutorial on spiking networks (D. Goodman): a tone of random phase reaches both ears, and the target is
    the phase by which the right ear lags. A fibre fires in each step of 1 ms with probability dt rate_hz (1 + sin(2 pi
    frequency_hz t + phase)) / 2, independent of all others. Over whole periods all fibres are expected to fire equally often
    whatever the target is: only the timing tells.

    Parameters
    ----------
    train, test : int
        Number of trials of each split.
    seed : int
        Seed of both.
    steps : int
        Steps of a trial.
    fibres : int
        Number of fibres of each ear.
    frequency_hz, rate_hz : float
        Frequency of the tone and mean firing rate of a fibre in Hz.
    classes : int, optional
        Number of classes, equal parts of the range of phases; None for the phase itself.
    fibre_lag : float
        The phases of the fibres of an ear lag by 0 to `fibre_lag` (radians). With 0 they fire in phase, and a network that
        compares the ears has to delay one of them itself.

    Returns
    -------
    Data
        Spikes bool [trials, steps, 2 fibres], left ear then right ear; targets are phases in radians between -pi/2 and pi/2
        (float64), or classes (int64).

    Examples
    --------
    >>> from circuits import data
    >>> data.itd(train=8, test=4, classes=4).train.spikes.shape
    (8, 100, 200)
    """
    lags = np.linspace(0, fibre_lag, fibres)
    clock = 2 * np.pi * frequency_hz * np.arange(steps) * DT_MS / 1000

    def make(rng, trials):
        lag = rng.uniform(-np.pi / 2, np.pi / 2, trials)
        left = rng.uniform(0, 2 * np.pi, trials)
        phase = np.concatenate([left[:, None] - lags, (left - lag)[:, None] - lags], axis=1)
        chance = rate_hz * DT_MS / 2000 * (1 + np.sin(clock[:, None] + phase[:, None, :]))
        spikes = rng.random(chance.shape, "f4") < chance
        if classes is None:
            return Split(spikes, lag)
        return Split(spikes, np.minimum((lag / np.pi + 0.5) * classes, classes - 1).astype("i8"))

    return two_splits(make, train, test, seed)
