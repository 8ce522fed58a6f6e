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
    """A tone of random phase reaches both ears; the target is the phase by which the right ear lags, in radians, uniform
    between -pi/2 and pi/2. With `classes` it is which of so many equal parts of that range, int64.

    spikes   bool [trials, steps, 2 fibres], steps of 1 ms: left ear, then right ear. A fibre fires in each step with
             probability dt rate_hz (1 + sin(2 pi frequency_hz t + phase)) / 2, independent of all others
    fibres   of an ear; their phases lag one after the other by 0 to `fibre_lag`, the same in both ears. With 0 they fire in
             phase, and who would compare the ears has to delay one of them himself

    Over whole periods all fibres are expected to fire equally often whatever the target: only time tells.
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
