"""Confidence intervals of scores, 95 %. What they cover is measured: tests/bench/bench_intervals.py.

For a mean of n independent trials, right or wrong and of one class, the interval is that of Agresti and Coull (Am. Stat. 52,
1998), which contains Wilson's: that one covers too little near 0 and 1. But scores weigh classes equally, which differ in how
often they are right; a trial may be right in part; trials of one animal are alike. So n becomes the effective number of trials
(Korn and Graubard, Surv. Methodol. 24, 1998): that of right-or-wrong trials of one class whose mean would vary as much.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Z = 1.959964  # of a 95 % confidence interval
RESAMPLES = 32
GROUPS = 64  # of trials, each counted twice in turn
MISTAKEN = 16  # trials, one after the other, read as those of another class
T = 2.13145  # Student's, 15 degrees of freedom: of an error that is itself estimated from few, and skewed, resamples


def wilson(mean, n, z=Z):
    """Wilson's interval of a mean in 0..1 of n independent trials: two arrays."""
    centre = (mean + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(mean * (1 - mean) / n + z**2 / (4 * n**2))
    return centre - half, centre + half


def agresti_coull(mean, n, z=Z):
    """The same by Agresti and Coull, a little wider near 0 and 1."""
    centre = (mean + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(centre * (1 - centre) / (n + z**2))
    return centre - half, centre + half


def of_mean(trial_scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The interval of the class-balanced mean of independent trials' scores [..., trials]: two arrays [...]."""
    classes, sizes = np.unique(labels, return_counts=True)
    parts = [np.ascontiguousarray(trial_scores[..., labels == label]) for label in classes]
    p = np.stack([part.mean(axis=-1) for part in parts], axis=-1)  # [..., classes]
    squares = np.stack([((part - part.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1) for part in parts], axis=-1)
    flat = p * (1 - p)  # variance of right or wrong; scores in part vary less, by a factor. One trial more might be either
    factor = np.where(flat > 1e-12, np.minimum((squares + flat) / np.maximum(sizes * flat, 1e-12), 1), 1)
    some = 1 / len(classes)  # of a trial more that is right, and of one that is wrong: what has not been seen may come
    likely = (sizes * p + some) / (sizes + 2 * some)
    variance = (factor * likely * (1 - likely) / sizes).mean(axis=-1) / len(classes)
    mean, least = p.mean(axis=-1), len(classes) * sizes.min()
    alike = len(classes) ** 2 / (1 / sizes).sum()  # effective number where all trials vary alike
    n = np.where((mean <= 0) | (mean >= 1), alike, np.maximum(mean * (1 - mean) / variance, least))
    return agresti_coull(mean, n)


def of_clustered_mean(trial_scores: np.ndarray, weights: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same where trials of a cluster, int [trials], are not independent of each other; weights [trials] sum to 1."""
    number, which = np.unique(clusters, return_inverse=True)
    member = np.zeros((len(clusters), len(number)))
    member[np.arange(len(clusters)), which] = 1.0
    mean = (trial_scores * weights).sum(axis=-1)
    share = weights @ member
    alike = 1 / (share**2).sum()
    if len(number) < 2:
        return np.zeros_like(mean), np.ones_like(mean)
    off = (trial_scores * weights) @ member - mean[..., None] * share
    variance = (off**2).sum(axis=-1) * len(number) / (len(number) - 1) + mean * (1 - mean) / len(number) ** 2
    n = np.where((mean <= 0) | (mean >= 1), alike, mean * (1 - mean) / np.maximum(variance, 1e-12))
    return agresti_coull(mean, np.maximum(n, 1.0), student(len(number) - 1))


def student(freedom: int) -> float:
    """Student's t of a 95 % confidence interval."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


class Resampled(NamedTuple):
    """below, above  half widths of the interval on either side of a score"""

    below: np.ndarray
    above: np.ndarray


def by_resampling(
    score: Callable[[np.ndarray, np.ndarray], np.ndarray],
    labels: np.ndarray,
    clusters: np.ndarray | None,
    concentrated: np.ndarray,
    n: float,
    seed: int,
) -> Resampled:
    """The interval of a score that is any function of all trials, smooth or not, by the bootstrap (Efron, Ann. Stat. 7, 1979).

    score         of the trials with these numbers, int [any], and of the readings of the trials with those, int [any]: [...]
    labels        int [trials]: each class is resampled by itself;   clusters  int [trials] or None: so are whole clusters
    concentrated  [...], 0 where all trials have a part in the score's variation, to 1 where few have or none (`concentration`)
    n             effective number of trials
    Resamples of as many trials as there are differ from each other as much as draws do, so that what jumps from draw to draw
    (a rank, a threshold, a share of ordered pairs) jumps among them; on either side of the score their distances count apart.
    Where few trials decide, others that decide as much may not have come yet, and resamples do not know of them: as in Wilson's
    interval, z^2 / n is then added; and where the score itself rests on few of them, the interval also reaches for
    rare and grave errors (`_rare`).
    """
    rng, every = np.random.default_rng((seed, 5)), np.arange(len(labels))
    whole = score(every, every)
    found = np.stack([score(one, one) for one in (_resample(rng, labels, clusters) for _ in range(RESAMPLES))])
    known = np.isfinite(found)
    off = np.where(known, found - whole, 0.0)
    count = np.maximum(known.sum(axis=0), 1)
    error = (off**2).sum(axis=0) / count
    same = (known & (np.abs(off) < 1e-9)).sum(axis=0) / count
    unseen = Z / n * np.maximum(same, concentrated)
    share, ends = _rare(score, whole, labels, clusters, error, n, seed)
    halves = []
    for side, end in ((off < 0, ends[0]), (off > 0, ends[1])):
        apart = np.where(side, off**2, 0).sum(axis=0) / np.maximum(side.sum(axis=0), 1)
        half = T * np.sqrt(np.maximum(error, apart) + unseen**2)
        halves.append(half + share * np.maximum(end - half, 0.0))
    return Resampled(*(np.where(known.any(axis=0), half, 1.0) for half in halves))


def _rare(score, whole, labels, clusters, error, n, seed):
    """How far the variation of a score rests on few trials, 0 to 1 [...], and half widths by Agresti and Coull, two [...].

    The first follows from the scores with one group of trials taken twice: from their kurtosis, above that of a normal
    distribution. A score that falls by rare and grave errors looks better, and more certain, in draws that hold none of the
    gravest. So the variance of the score is increased by that of an error which has not been seen: a trial that is read as one
    of another class, by half. The interval is that for the effective number of trials that follows. This number is at least
    what it would be if all that is missing to 0 or 1 came from one error, and from one trial more.
    """
    rng, every = np.random.default_rng((seed, 6)), np.arange(len(labels))
    units = every if clusters is None else np.unique(clusters, return_inverse=True)[1]
    order = np.argsort(labels, kind="stable") if clusters is None else every
    group = np.empty(len(labels), int)
    group[order] = units % GROUPS  # each class is spread over all groups
    twice = [np.concatenate([every, np.flatnonzero(group == g)]) for g in np.unique(group)]
    moved = _moved(np.stack([score(one, one) for one in twice]), whole)
    moved = moved - moved.mean(axis=0)
    moved = np.where(np.abs(moved) < 1e-9, 0.0, moved) * len(twice)
    two, four = (moved**2).sum(axis=0), (moved**4).sum(axis=0)
    share = np.clip(Z**2 * (four / np.where(two > 0, two**2, 1.0) - 3 / len(twice)), 0.0, 1.0) ** 2
    mistaken = []
    for unit in rng.integers(0, units.max() + 1, MISTAKEN):
        read = every.copy()
        for k in np.flatnonzero(units == unit):
            others = np.flatnonzero(labels != labels[k])
            read[k] = rng.choice(others if len(others) else every)
        mistaken.append(score(every, read))
    variance = error + (_moved(np.stack(mistaken), whole) ** 2).mean(axis=0) / 4
    value = np.clip(np.nan_to_num(whole), 0.0, 1.0)
    effective = value * (1 - value) / np.maximum(variance, 1e-12)
    low, high = agresti_coull(value, np.maximum(effective, 1 / (np.minimum(value, 1 - value) + 1 / n)), T)
    return share, (value - low, high - value)


def _moved(scores, whole):
    """By how much scores [any, ...] differ from the whole, 0 where they are not finite."""
    return np.where(np.isfinite(scores), scores - whole, 0.0)


def concentration(trial_scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """How far the variation of trial scores [..., trials] rests on few trials: z^2 over their effective number, at most 1,
    [...]."""
    off = np.empty_like(trial_scores)
    for label in np.unique(labels):
        mine = labels == label
        part = np.ascontiguousarray(trial_scores[..., mine])
        off[..., mine] = (part - part.mean(axis=-1, keepdims=True)) * weights[mine]
    off = np.where(np.abs(off) < 1e-9, 0.0, off) * len(labels)
    two, four = (off**2).sum(axis=-1), (off**4).sum(axis=-1)
    return np.minimum(1.0, Z**2 * four / np.where(two > 0, two**2, 1.0)) + (two == 0)


def _resample(rng, labels, clusters):
    """As many trials as there are, drawn with replacement from each class; or whole clusters, until every class is there."""
    if clusters is None:
        found = np.empty(len(labels), int)
        for label in np.unique(labels):
            mine = np.flatnonzero(labels == label)
            found[mine] = mine[rng.integers(0, len(mine), len(mine))]
        return found
    members = [np.flatnonzero(clusters == one) for one in np.unique(clusters)]
    classes = len(np.unique(labels))
    for _ in range(100):
        found = np.concatenate([members[k] for k in rng.integers(0, len(members), len(members))])
        if len(np.unique(labels[found])) == classes:
            return found
    return np.arange(len(labels))
