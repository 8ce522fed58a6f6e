"""Splits of a data set."""

from typing import NamedTuple

import numpy as np

from circuits.errors import UserError

TRAIN, TEST, WORLD = range(3)  # second half of seeds: splits are independent, given the random world that they share


class Split(NamedTuple):
    """Spike patterns with their targets.

    Parameters
    ----------
    spikes : ndarray
        bool [trials, steps, channels], with steps of 1 ms unless stated otherwise.
    targets : ndarray
        int64 or float64 [trials].

    Examples
    --------
    >>> from circuits import data
    >>> data.yin_yang(train=9, test=3).test.spikes.shape
    (3, 100, 5)
    """

    spikes: np.ndarray
    targets: np.ndarray


class Data(NamedTuple):
    """A training and a test split.

    Parameters
    ----------
    train, test : Split
        The two splits, drawn independently.

    Examples
    --------
    >>> from circuits import data
    >>> train, test = data.yin_yang(train=9, test=3)
    >>> len(train.targets), len(test.targets)
    (9, 3)
    """

    train: Split
    test: Split


def two_splits(make, train: int, test: int, seed: int) -> Data:
    """Make both splits by `make(rng, trials)` -> Split, with independent generators."""
    for name, trials in (("train", train), ("test", test)):
        if not (isinstance(trials, int) and trials > 0):
            raise UserError(f"{name}: a number of trials from 1, not {trials!r}")
    parts = ((TRAIN, train), (TEST, test))
    return Data(*(make(np.random.default_rng((seed, part)), trials) for part, trials in parts))


def at_steps(step: np.ndarray, steps: int) -> np.ndarray:
    """One spike per channel, bool [trials, steps, channels], in steps int64 [trials, channels]; outside 0 to steps, none."""
    return step[:, None, :] == np.arange(steps)[:, None]
