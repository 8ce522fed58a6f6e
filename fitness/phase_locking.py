"""Phase-locked firing of two ears: one spike for each cycle of the filtered sound that both of them hear.

A cycle that only one ear hears, because the sound has just become loud enough there or no longer is, would look as if this ear
led that of the next cycle, or lagged that of the one before, by the rest of a period: from the other side.
"""

from typing import NamedTuple

import numpy as np

UNIQUE = 0.48  # of a cycle: onsets that are further apart look as if the other ear led


class HalfWaves(NamedTuple):
    """The positive half-waves of one ear's sound.

    onset  float64 [half-waves], ascending: where each sets in, in samples, by interpolation
    heard  bool [half-waves]: does it make a spike?
    """

    onset: np.ndarray
    heard: np.ndarray


def half_waves(wave, threshold, own) -> HalfWaves:
    """Those of the filtered sound [samples] of an ear; heard are those whose peak exceeds the threshold and whose onset is the
    band's own: own, bool [samples]."""
    before = np.flatnonzero((wave[:-1] <= 0) & (wave[1:] > 0))
    if not len(before):
        return HalfWaves(np.zeros(0), np.zeros(0, bool))
    peak = np.maximum.reduceat(np.maximum(wave, 0), before)
    onset = before - wave[before] / (wave[before + 1] - wave[before])
    return HalfWaves(onset, (peak > threshold) & own[before + 1])


def paired(left: HalfWaves, right: HalfWaves) -> tuple[np.ndarray, np.ndarray]:
    """The onsets of the cycles that both ears hear, float64 [cycles] each: of the half-waves that are each other's nearest, and
    less than half a cycle apart, so that it can be told which came first."""
    to_right, near_right = _nearest(left.onset, right.onset)
    to_left, near_left = _nearest(right.onset, left.onset)
    mine = np.flatnonzero(near_right & left.heard)
    theirs = to_right[mine]
    both = near_left[theirs] & (to_left[theirs] == mine) & right.heard[theirs]
    return left.onset[mine[both]], right.onset[theirs[both]]


def _nearest(onset, others):
    """The other ear's nearest onset for each onset, and whether it is less than half a cycle away: its share of the time
    between the two around it."""
    around = np.concatenate([[-np.inf], others, [np.inf]])
    next_one = np.searchsorted(others, onset) + 1
    before, after = onset - around[next_one - 1], around[next_one] - onset
    nearest = np.where(before <= after, next_one - 2, next_one - 1)
    return nearest, np.minimum(before, after) < UNIQUE * (before + after)
