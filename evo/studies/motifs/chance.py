"""Are counts in some circuits higher than in comparable ones? A permutation test, whatever the distribution of the counts."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import false_discovery_control

DRAWS = 20_000


class Chance(NamedTuple):
    """Distribution of a count by chance.

    mean       of the peers
    ratio      the observed mean to it: inf where chance makes none, NaN where there is nothing at all
    z          how many standard deviations of the mean of so many peers the observed mean is above theirs
    p          the probability of a mean as high or higher, NaN where there is nothing at all
    corrected  for the number of counts tested (Benjamini and Hochberg, J. R. Stat. Soc. B 57, 1995)
    """

    mean: float
    ratio: float
    z: float
    p: float
    corrected: float


def chance(observed: np.ndarray, peers: Sequence[np.ndarray], rng: np.random.Generator) -> list[Chance]:
    """Compare `observed`, int [circuits, counts], with the peers of each circuit, int [its peers, counts]; one Chance a count.

    A permutation test in strata: a circuit that is like its peers could as well have been any of them, so the observed mean is
    ranked among those of groups that are drawn by taking of each circuit and its peers one at random.
    """
    total = observed.sum(0)
    drawn = np.zeros((DRAWS, observed.shape[1]), observed.dtype)
    for own, others in zip(observed, peers, strict=True):
        drawn += np.vstack([own, others])[(rng.random(DRAWS) * (len(others) + 1)).astype(int)]
    mean = np.mean([others.mean(0) for others in peers], axis=0)
    spread = np.sqrt(np.sum([others.var(0) for others in peers], axis=0)) / len(observed)
    there = (total > 0) | (mean > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio, z = observed.mean(0) / mean, (observed.mean(0) - mean) / spread
    p = np.where(there, (1 + (drawn >= total).sum(0)) / (DRAWS + 1), np.nan)
    corrected = np.full(len(p), np.nan)
    corrected[there] = false_discovery_control(p[there])
    return [Chance(*map(float, row)) for row in zip(mean, ratio, z, p, corrected, strict=True)]
