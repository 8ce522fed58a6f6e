"""What every data set consists of."""

from typing import NamedTuple

import numpy as np

from circuits.errors import UserError

TRAIN, TEST, WORLD = range(3)  # second half of a seed: the splits never share a random number, what both have in common is third


class Split(NamedTuple):
    """spikes  bool [trials, steps, channels], one step of 1 ms unless said otherwise;   targets  [trials], int64 classes or reals"""

    spikes: np.ndarray
    targets: np.ndarray


class Data(NamedTuple):
    """What to learn from, and what to judge by."""

    train: Split
    test: Split


def two_splits(make, train: int, test: int, seed: int) -> Data:
    """`make(rng, trials)` -> Split, once for each split, with generators of their own."""
    for name, trials in (("train", train), ("test", test)):
        if not (isinstance(trials, int) and trials > 0):
            raise UserError(f"{name}: a number of trials from 1, not {trials!r}")
    parts = ((TRAIN, train), (TEST, test))
    return Data(*(make(np.random.default_rng((seed, part)), trials) for part, trials in parts))


def at_steps(step: np.ndarray, steps: int) -> np.ndarray:
    """One spike a channel: bool [trials, steps, channels] of int64 [trials, channels]; a step outside 0 to steps - 1 is no spike."""
    return step[:, None, :] == np.arange(steps)[:, None]
