"""A permutation test of whether counts in circuits are higher than in comparable ones, for counts of any distribution."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import false_discovery_control

DRAWS = 20_000


class Chance(NamedTuple):
    """Distribution of a count by chance.

    mean       of the peers
    ratio      of the observed mean to it: inf if the peers' is 0, NaN if both are
    z          the observed mean less that of the peers, in standard deviations of the mean of as many peers
    p          the probability of a mean as high or higher, NaN if both are 0
    corrected  p for the number of counts tested (Benjamini and Hochberg, J. R. Stat. Soc. B 57, 1995)
    """

    mean: float
    ratio: float
    z: float
    p: float
    corrected: float


def chance(observed: np.ndarray, peers: Sequence[np.ndarray], rng: np.random.Generator) -> list[Chance]:
    """Compare `observed`, int [circuits, counts], with the peers of each circuit, int [its peers, counts]; one Chance a count.

    A stratified permutation test: under the null hypothesis a circuit and its peers are exchangeable, so the observed mean is
    ranked among the means of groups drawn by taking one at random of each circuit and its peers.
    """
    total = observed.sum(0)
    drawn = np.zeros((DRAWS, observed.shape[1]), observed.dtype)
    for own, others in zip(observed, peers, strict=True):
        drawn += np.vstack([own, others])[(rng.random(DRAWS) * (len(others) + 1)).astype(int)]
    mean = np.mean([others.mean(0) for others in peers], axis=0)
    spread = np.sqrt(np.sum([others.var(0) for others in peers], axis=0)) / len(observed)
    present = (total > 0) | (mean > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio, z = observed.mean(0) / mean, (observed.mean(0) - mean) / spread
    p = np.where(present, (1 + (drawn >= total).sum(0)) / (DRAWS + 1), np.nan)
    corrected = np.full(len(p), np.nan)
    corrected[present] = false_discovery_control(p[present])
    return [Chance(*map(float, row)) for row in zip(mean, ratio, z, p, corrected, strict=True)]
