"""95 % confidence intervals of scores. Their coverage is measured in tests/bench/bench_intervals.py.

For a mean of n independent trials, right or wrong and of one class, the interval is that of Agresti and Coull (Am. Stat. 52,
1998), which contains Wilson's, whose coverage is too low near 0 and 1. But scores weigh classes equally, whose accuracies
differ; a trial may be partly right; trials of one animal are correlated. So n is the effective number of trials (Korn and
Graubard, Surv. Methodol. 24, 1998): the number of right-or-wrong trials of one class whose mean has the same variance.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fitness.scoring import streams
from fitness.scoring.streams import stream

Z = 1.959964  # of a 95 % confidence interval
RESAMPLES = 32
GROUPS = 64  # of trials, each counted twice in turn
MISTAKEN = 16  # trials, each in turn replaced by one of another class
T = 2.13145  # Student's, 15 degrees of freedom: for an error that is estimated from few, and skewed, resamples


def wilson(mean, n, z=Z):
    """Wilson's interval of a mean in 0..1 of n independent trials: two arrays."""
    centre = (mean + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(mean * (1 - mean) / n + z**2 / (4 * n**2))
    return centre - half, centre + half


def agresti_coull(mean, n, z=Z):
    """Agresti and Coull's interval of a mean, a little wider than Wilson's near 0 and 1: two arrays."""
    centre = (mean + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(centre * (1 - centre) / (n + z**2))
    return centre - half, centre + half


def of_mean(trial_scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The interval of the class-balanced mean of independent trials' scores [..., trials]: two arrays [...]."""
    classes, sizes = np.unique(labels, return_counts=True)
    parts = [np.ascontiguousarray(trial_scores[..., labels == label]) for label in classes]
    p = np.stack([part.mean(axis=-1) for part in parts], axis=-1)  # [..., classes]
    squares = np.stack([((part - part.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1) for part in parts], axis=-1)
    flat = p * (1 - p)  # variance of right or wrong; partial scores vary less, by a factor, with one more trial of either kind
    factor = np.where(flat > 1e-12, np.minimum((squares + flat) / np.maximum(sizes * flat, 1e-12), 1), 1)
    pseudo = 1 / len(classes)  # pseudo-counts of right and of wrong trials, for outcomes not yet seen
    smoothed = (sizes * p + pseudo) / (sizes + 2 * pseudo)
    variance = (factor * smoothed * (1 - smoothed) / sizes).mean(axis=-1) / len(classes)
    mean, smallest = p.mean(axis=-1), len(classes) * sizes.min()
    equal = len(classes) ** 2 / (1 / sizes).sum()  # effective number where all trials have the same variance
    n = np.where((mean <= 0) | (mean >= 1), equal, np.maximum(mean * (1 - mean) / variance, smallest))
    return agresti_coull(mean, n)


def of_clustered_mean(trial_scores: np.ndarray, weights: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The interval of the weighted mean where trials of a cluster, int [trials], are dependent; weights [trials] sum to 1."""
    number, cluster_of = np.unique(clusters, return_inverse=True)
    member = np.zeros((len(clusters), len(number)))
    member[np.arange(len(clusters)), cluster_of] = 1.0
    mean = (trial_scores * weights).sum(axis=-1)
    share = weights @ member
    equal = 1 / (share**2).sum()
    if len(number) < 2:
        return np.zeros_like(mean), np.ones_like(mean)
    deviation = (trial_scores * weights) @ member - mean[..., None] * share
    variance = (deviation**2).sum(axis=-1) * len(number) / (len(number) - 1) + mean * (1 - mean) / len(number) ** 2
    n = np.where((mean <= 0) | (mean >= 1), equal, mean * (1 - mean) / np.maximum(variance, 1e-12))
    return agresti_coull(mean, np.maximum(n, 1.0), student(len(number) - 1))


def student(freedom: int) -> float:
    """Student's t of a 95 % confidence interval."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def half_width(values) -> float:
    """Half the width of the 95 % confidence interval of the mean of a few values; NaN for one."""
    n = len(values)
    return student(n - 1) * np.std(values, ddof=1) / np.sqrt(n) if n > 1 else np.nan


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

    score         maps numbers of trials, int [any], and of the trials whose readings they have, int [any], to scores [...]
    labels        int [trials]: classes are resampled separately;   clusters  int [trials] or None: resampled as wholes
    concentrated  [...], from 0 where all trials contribute to the score's variation to 1 where few or none do (`concentration`)
    n             effective number of trials
    Resamples differ from each other as much as draws do, so that a figure that jumps between draws (a rank, a threshold, a
    share of ordered pairs) jumps between resamples too; the two sides of the score are treated separately. Where few trials
    decide, the sample may lack others that decide as much: z^2 / n is then added, as in Wilson's interval, and where the score
    itself rests on few trials, the interval also covers rare and grave errors (`_rare`).
    """
    rng, every = stream(seed, streams.RESAMPLES), np.arange(len(labels))
    whole = score(every, every)
    resampled = np.stack([score(s, s) for s in (_resample(rng, labels, clusters) for _ in range(RESAMPLES))])
    finite = np.isfinite(resampled)
    deviation = np.where(finite, resampled - whole, 0.0)
    count = np.maximum(finite.sum(axis=0), 1)
    error = (deviation**2).sum(axis=0) / count
    same = (finite & (np.abs(deviation) < 1e-9)).sum(axis=0) / count
    unseen = Z / n * np.maximum(same, concentrated)
    share, ends = _rare(score, whole, labels, clusters, error, n, seed)
    halves = []
    for side, end in ((deviation < 0, ends[0]), (deviation > 0, ends[1])):
        one_sided = np.where(side, deviation**2, 0).sum(axis=0) / np.maximum(side.sum(axis=0), 1)
        half = T * np.sqrt(np.maximum(error, one_sided) + unseen**2)
        halves.append(half + share * np.maximum(end - half, 0.0))
    return Resampled(*(np.where(finite.any(axis=0), half, 1.0) for half in halves))


def _rare(score, whole, labels, clusters, error, n, seed):
    """Concentration of the variation of a score on few trials, 0 to 1 [...], and half widths by Agresti and Coull, two [...].

    The first is the excess kurtosis of the scores with one group of trials counted twice. A score that rare and grave errors
    lower looks better, and more certain, in draws without the gravest. So half the variance by an unseen error, a trial that is
    read as one of another class, is added to that of the score, and the interval is that for the resulting effective number of
    trials. This number is at least the one that follows if a single error, and one more trial, explain the distance to 0 or 1.
    """
    rng, every = stream(seed, streams.MISTAKES), np.arange(len(labels))
    units = every if clusters is None else np.unique(clusters, return_inverse=True)[1]
    order = np.argsort(labels, kind="stable") if clusters is None else every
    group = np.empty(len(labels), int)
    group[order] = units % GROUPS  # each class is spread over all groups
    twice = [np.concatenate([every, np.flatnonzero(group == g)]) for g in np.unique(group)]
    moved = _moved(np.stack([score(s, s) for s in twice]), whole)
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
    """Differences of scores [any, ...] from the whole, 0 where they are not finite."""
    return np.where(np.isfinite(scores), scores - whole, 0.0)


def concentration(trial_scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Concentration of the variation of trial scores [..., trials] on few trials: z^2 over their effective number, at most 1,
    [...]."""
    deviation = np.empty_like(trial_scores)
    for label in np.unique(labels):
        members = labels == label
        part = np.ascontiguousarray(trial_scores[..., members])
        deviation[..., members] = (part - part.mean(axis=-1, keepdims=True)) * weights[members]
    deviation = np.where(np.abs(deviation) < 1e-9, 0.0, deviation) * len(labels)
    two, four = (deviation**2).sum(axis=-1), (deviation**4).sum(axis=-1)
    return np.minimum(1.0, Z**2 * four / np.where(two > 0, two**2, 1.0)) + (two == 0)


def _resample(rng, labels, clusters):
    """A bootstrap sample of the trials: drawn with replacement in each class, or in whole clusters such that no class is
    missing."""
    if clusters is None:
        sample = np.empty(len(labels), int)
        for label in np.unique(labels):
            members = np.flatnonzero(labels == label)
            sample[members] = members[rng.integers(0, len(members), len(members))]
        return sample
    units = [np.flatnonzero(clusters == c) for c in np.unique(clusters)]
    classes = len(np.unique(labels))
    for _ in range(100):
        sample = np.concatenate([units[k] for k in rng.integers(0, len(units), len(units))])
        if len(np.unique(labels[sample])) == classes:
            return sample
    return np.arange(len(labels))
