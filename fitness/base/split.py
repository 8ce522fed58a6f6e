"""Split of a finite set of stimuli into three parts that share no group and no equal stimuli."""

from collections.abc import Sequence

import numpy as np

from circuits.errors import UserError

PARTS = 3
TRIES = 16  # random orders of assigning groups, of which the best balanced is used


def split(labels, keys: Sequence, shares: Sequence[float], seed: int, where: str = "data") -> np.ndarray:
    """The part of each item, int [items] of 0, 1 and 2: the same for the same arguments.

    labels  int [items], the class of each
    keys    arrays or lists [items], such as the speaker, the animal, the stimulus itself: items that are equal in any of them
            are in the same part
    shares  three, the approximate share of the items of each class in each part
    where   the beginning of error messages
    Every part has items of every class. Raises UserError where a class has too few items or groups.
    """
    labels = np.asarray(labels)
    unit = unit_of(len(labels), keys)
    classes, class_of = np.unique(labels, return_inverse=True)
    sizes = np.zeros((unit.max(initial=-1) + 1, len(classes)))  # items of each class in each unit
    np.add.at(sizes, (unit, class_of), 1.0)
    for k, label in enumerate(classes):
        if (units := int((sizes[:, k] > 0).sum())) < PARTS:
            raise UserError(f"{where}: class {label} has {units} separate stimuli or groups; three parts need at least {PARTS}")
    if not len(classes):
        raise UserError(f"{where}: has no items")
    share = np.asarray(shares, float) / np.sum(shares)
    rng = np.random.default_rng((seed, 0))
    best: np.ndarray | None = None
    smallest = np.inf
    for _ in range(TRIES if (sizes.sum(axis=1) > 1).any() else 1):
        part_of = _dealt(sizes, share, rng)
        counts = np.stack([sizes[part_of == part].sum(axis=0) for part in range(PARTS)])
        deviation = (np.abs(counts - share[:, None] * sizes.sum(axis=0)) / sizes.sum(axis=0)).sum() + 1e3 * (counts == 0).sum()
        if deviation < smallest:
            best, smallest = part_of, deviation
    assert best is not None
    if smallest >= 1e3:
        raise UserError(f"{where}: the groups cannot be split so that each of the three parts has every class")
    return best[unit]


def unit_of(count: int, keys: Sequence) -> np.ndarray:
    """The unit of each of `count` items, int [count]: items that are equal in any of the keys, directly or through other items,
    are one unit; units are numbered in order of appearance."""
    root = np.arange(count)

    def find(k):
        while root[k] != k:
            root[k] = root[root[k]]
            k = root[k]
        return k

    for key in keys:
        first: dict = {}
        for k, value in enumerate(key):
            a, b = find(k), find(first.setdefault(value, k))
            root[max(a, b)] = min(a, b)
    return np.unique([find(k) for k in range(count)], return_inverse=True)[1].astype(int)


def _dealt(sizes, share, rng):
    """The part of each unit, int [units]: the largest units first, each to the part with the greatest lack of its classes."""
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order].sum(axis=1), kind="stable")]
    target, part = share[:, None] * sizes.sum(axis=0), np.empty(len(sizes), int)
    weight, counts = 1 / sizes.sum(axis=0), np.zeros((PARTS, sizes.shape[1]))
    for unit in order:
        # relative lack of each part in the classes of the unit; empty classes come first
        lack = (np.where(counts == 0, 2.0, (target - counts) / target) * sizes[unit] * weight).sum(axis=1)
        part[unit] = int(np.argmax(lack))
        counts[part[unit]] += sizes[unit]
    return part
