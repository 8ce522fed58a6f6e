"""Phase-locked firing of two ears: one spike in each ear for each cycle of the filtered sound that both of them hear.

A cycle above threshold in only one ear, at the beginning or the end of a sound, would be paired with the next or the previous
cycle of the other ear: the time difference would have the wrong sign.
"""

from typing import NamedTuple

import numpy as np

UNAMBIGUOUS = 0.48  # of a cycle: for onsets that are further apart the leading ear is ambiguous


class HalfWaves(NamedTuple):
    """The positive half-waves of one ear's sound.

    onset  float64 [half-waves], ascending: upward zero crossings, in samples, by interpolation
    audible  bool [half-waves]: does it make a spike?
    """

    onset: np.ndarray
    audible: np.ndarray


def half_waves(wave, threshold, own) -> HalfWaves:
    """The half-waves of the filtered sound [samples] of an ear. Those are audible whose peak exceeds the threshold and whose
    onset belongs to the band: own, bool [samples]."""
    before = np.flatnonzero((wave[:-1] <= 0) & (wave[1:] > 0))
    if not len(before):
        return HalfWaves(np.zeros(0), np.zeros(0, bool))
    peak = np.maximum.reduceat(np.maximum(wave, 0), before)
    onset = before - wave[before] / (wave[before + 1] - wave[before])
    return HalfWaves(onset, (peak > threshold) & own[before + 1])


def paired(left: HalfWaves, right: HalfWaves) -> tuple[np.ndarray, np.ndarray]:
    """The onsets of the cycles that both ears hear, float64 [cycles] each: half-waves that are each other's nearest and less
    than half a cycle apart, so that their order is unambiguous."""
    to_right, near_right = _nearest(left.onset, right.onset)
    to_left, near_left = _nearest(right.onset, left.onset)
    in_left = np.flatnonzero(near_right & left.audible)
    in_right = to_right[in_left]
    both = near_left[in_right] & (to_left[in_right] == in_left) & right.audible[in_right]
    return left.onset[in_left[both]], right.onset[in_right[both]]


def _nearest(onset, others):
    """The number of the other ear's nearest onset for each onset, and whether it is less than half a cycle away, the cycle
    being the time between the two around it."""
    around = np.concatenate([[-np.inf], others, [np.inf]])
    following = np.searchsorted(others, onset) + 1
    before, after = onset - around[following - 1], around[following] - onset
    nearest = np.where(before <= after, following - 2, following - 1)
    return nearest, np.minimum(before, after) < UNAMBIGUOUS * (before + after)
