"""A finite set of stimuli in three parts that share nothing: whole groups, and whatever is equal, stay together."""

from collections.abc import Sequence

import numpy as np

from circuits.errors import UserError

PARTS = 3
TRIES = 16  # orders in which groups are dealt out, of which the best balanced counts


def split(labels, keys: Sequence, shares: Sequence[float], seed: int, place: str = "data") -> np.ndarray:
    """The part of each item, int [items] of 0, 1 and 2: the same for the same arguments.

    labels  int [items], the class of each
    keys    arrays or lists [items], such as the speaker, the animal, the stimulus itself: items that are equal in any of them
            are in the same part
    shares  three, of the items that each part gets about, of every class alike as far as whole groups allow
    place   what errors begin with
    Every part has items of every class. Raises UserError where that cannot be: too few items, or too few groups of a class.
    """
    labels = np.asarray(labels)
    unit = together(len(labels), keys)
    classes, which = np.unique(labels, return_inverse=True)
    sizes = np.zeros((unit.max(initial=-1) + 1, len(classes)))  # items of each class in each unit
    np.add.at(sizes, (unit, which), 1.0)
    for k, label in enumerate(classes):
        if (units := int((sizes[:, k] > 0).sum())) < PARTS:
            raise UserError(f"{place}: class {label} has {units} separate stimuli or groups; three parts need at least {PARTS}")
    if not len(classes):
        raise UserError(f"{place}: has no items")
    share = np.asarray(shares, float) / np.sum(shares)
    rng = np.random.default_rng((seed, 0))
    best: np.ndarray | None = None
    least = np.inf
    for _ in range(TRIES if (sizes.sum(axis=1) > 1).any() else 1):
        dealt = _dealt(sizes, share, rng)
        found = np.stack([sizes[dealt == part].sum(axis=0) for part in range(PARTS)])
        off = (np.abs(found - share[:, None] * sizes.sum(axis=0)) / sizes.sum(axis=0)).sum() + 1e3 * (found == 0).sum()
        if off < least:
            best, least = dealt, off
    assert best is not None
    if least >= 1e3:
        raise UserError(f"{place}: the groups cannot be split so that each of the three parts has every class")
    return best[unit]


def together(count: int, keys: Sequence) -> np.ndarray:
    """The unit of each of `count` items, int [count]: items that are equal in any of the keys, directly or by way of others,
    are one unit; numbered in the order in which they come."""
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
    """Units dealt out, the largest first, each to the part that its classes lack most: int [units]."""
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order].sum(axis=1), kind="stable")]
    wanted, part = share[:, None] * sizes.sum(axis=0), np.empty(len(sizes), int)
    weight, found = 1 / sizes.sum(axis=0), np.zeros((PARTS, sizes.shape[1]))
    for unit in order:
        # how much nearer the unit brings each part to what it should have, over what that is; empty classes come first
        lacks = (np.where(found == 0, 2.0, (wanted - found) / wanted) * sizes[unit] * weight).sum(axis=1)
        part[unit] = int(np.argmax(lacks))
        found[part[unit]] += sizes[unit]
    return part
