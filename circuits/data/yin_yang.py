"""The yin-yang data set (Kriener, Göltz and Petrovici, NICE 2022), coded by latency."""

import numpy as np

from circuits.data.split import Data, Split, at_steps, two_splits

RADIUS, DOT = 0.5, 0.1  # of the sign and of its two dots; the sign's centre is (RADIUS, RADIUS)
YIN, YANG, DOTS = range(3)


def yin_yang(train: int = 5000, test: int = 1000, seed: int = 0, *, steps: int = 100, first: int = 5, last: int = 85) -> Data:
    """Points of the yin-yang sign, encoded by latency.

    Source: Kriener, Göltz and Petrovici, NICE 2022.

    Parameters
    ----------
    train, test : int
        Number of trials of each split.
    seed : int
        Seed of both.
    steps : int
        Steps of a trial.
    first, last : int
        Steps in which a channel fires for the values 0 and 1.

    Returns
    -------
    Data
        Spikes bool [trials, steps, 5], one spike per channel: x, y, 1 - x, 1 - y, and one at `first` in all trials. The target
        is the part of the sign in which the point lies, int64: 0 yin, 1 yang, 2 one of the dots, equally frequent.

    Examples
    --------
    >>> from circuits import data
    >>> data.yin_yang(train=9, test=3).train.targets.max()
    np.int64(2)
    """

    def make(rng, trials):
        targets, points = rng.permutation(np.arange(trials) % 3), np.empty((trials, 2))
        missing = np.arange(trials)
        while len(missing):  # rejection sampling
            points[missing] = rng.random((len(missing), 2))
            missing = missing[part(points[missing]) != targets[missing]]
        values = np.concatenate([points, 1 - points, np.zeros((trials, 1))], axis=1)
        step = np.rint(first + values * (last - first)).astype("i8")
        return Split(at_steps(step, steps), targets)

    return two_splits(make, train, test, seed)


def part(points: np.ndarray) -> np.ndarray:
    """Classes of points [n, 2], int64 [n]: YIN, YANG, DOTS, or -1 outside the sign."""
    x, y = points[:, 0], points[:, 1]
    left, right = np.hypot(x - RADIUS / 2, y - RADIUS), np.hypot(x - 3 * RADIUS / 2, y - RADIUS)
    # The line between yin and yang is two half circles: yin bulges below on the left, yang above on the right.
    yin = np.where(y > RADIUS, right > RADIUS / 2, left <= RADIUS / 2)
    classes = np.where(yin, YIN, YANG)
    classes = np.where(np.minimum(left, right) < DOT, DOTS, classes)
    return np.where(np.hypot(x - RADIUS, y - RADIUS) > RADIUS, -1, classes)
