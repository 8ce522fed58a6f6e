"""Classes that are smooth random manifolds of spike times (Zenke and Vogels, Neural Computation 33, 2021)."""

import numpy as np

from circuits.data.split import WORLD, Data, Split, at_steps, two_splits
from circuits.errors import UserError

HARMONICS = 1000  # higher amplitudes are negligible at any useful smoothness


def randman(
    train: int = 2000,
    test: int = 500,
    seed: int = 0,
    *,
    classes: int = 10,
    channels: int = 20,
    steps: int = 100,
    dimensions: int = 2,
    smoothness: float = 2.0,
    manifolds: int | None = None,
) -> Data:
    """Classes that are smooth random manifolds of spike times.

    Source: Zenke and Vogels, Neural Computation 33, 2021. Every channel fires once in every trial, at a time that is a smooth
    random function of a point drawn from a cube; each class and channel has a function of its own. Spike counts carry no
    information. A function is a product of one series for each dimension, the sum over k of u_k sin(2 pi (k x + v_k)) /
    k^smoothness with u and v uniform between 0 and 1; over all points of a class the values of a channel are stretched to fill
    the steps.

    Parameters
    ----------
    train, test : int
        Number of trials of each split.
    seed : int
        Seed of the points.
    classes, channels, steps : int
        Number of classes, of channels and of steps of 1 ms.
    dimensions : int
        Dimensions of the cube, 1 to 16.
    smoothness : float
        Amplitudes fall with frequency to this power; a smaller value is harder.
    manifolds : int, optional
        Seed of the functions, by default that of the points.

    Returns
    -------
    Data
        Spikes bool [trials, steps, channels]; the target is the class, int64, all equally frequent.

    Raises
    ------
    circuits.errors.UserError
        For dimensions out of range.

    Examples
    --------
    >>> from circuits import data
    >>> train, test = data.randman(train=20, test=10, classes=2)
    >>> train.spikes.sum(axis=1).max()
    np.int64(1)
    """
    if not 1 <= dimensions <= 16:
        raise UserError(f"dimensions: from 1 to 16, not {dimensions!r}")
    world = np.random.default_rng((seed if manifolds is None else manifolds, WORLD))
    k = np.arange(1, min(HARMONICS, steps) + 1)
    amplitude = world.random((classes, channels, dimensions, len(k))) / k**smoothness
    shift = world.random(amplitude.shape)

    def values(label, points):
        """[points, channels], of [points, dimensions]."""
        product = np.ones((len(points), channels))
        for d in range(dimensions):
            angle = points[:, d, None, None] * k + shift[label, :, d]
            product *= np.einsum("pck,ck->pc", np.sin(2 * np.pi * angle), amplitude[label, :, d])
        return product

    reference = world.random((4096, dimensions))
    references = (values(label, reference) for label in range(classes))
    limits = [(times.min(0), times.max(0)) for times in references]

    def make(rng, trials):
        targets = rng.permutation(np.arange(trials) % classes)
        points, time = rng.random((trials, dimensions)), np.empty((trials, channels))
        for label, (low, high) in enumerate(limits):
            time[targets == label] = (values(label, points[targets == label]) - low) / (high - low)
        step = np.clip(np.floor(time * steps), 0, steps - 1).astype("i8")
        return Split(at_steps(step, steps), targets)

    return two_splits(make, train, test, seed)
