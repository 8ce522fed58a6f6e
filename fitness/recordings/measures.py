"""The figures that readings amount to: how well spikes were predicted, by the coincidence factor, by van Rossum's distance, or
by the correlation of rates.

coincidence  Kistler, Gerstner and van Hemmen's factor (Neural Comput. 9, 1997): (N_coinc - <N_coinc>) / (N / 2) / (1 - 2 nu
             precision), of all windows together
van_rossum   1 - D^2 / D_silent^2, where D is van Rossum's distance (Neural Comput. 13, 2001) with tau = precision to the mean
             of the repeats, and D_silent that of silence
rate         Pearson's correlation of the circuit's rate with that of the peristimulus histogram, both filtered by an
             exponential of tau = precision
psth         Pearson's correlation of spike counts in bins as long as precision: those of the circuit, averaged over all trials
             of a window, with those of the peristimulus histogram

Two ends make a score of a figure: 0 is the best answer at a constant rate, 1 what one repeat says of the others.
"""

from typing import NamedTuple

import numpy as np

from circuits.simulation.raster import pack
from fitness.recordings.likeness import MET, XX, XY, N, Target, readings

MEASURES = ("coincidence", "van_rossum", "rate")  # of spike times
PSTH = "psth"  # of counts in bins
RATES = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0)  # times the measured rate, of constant-rate answers
PHASES = 6


class Sums(NamedTuple):
    """Sums over windows, [..., outputs] each: n spikes of the circuit and m measured, met, overlaps; T ms are scored."""

    n: np.ndarray
    m: np.ndarray
    met: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray
    T: float


def sums(readings: np.ndarray, target: Target, item: np.ndarray, dt_ms: float) -> Sums:
    """The sums of readings [..., windows, outputs, 6] over the windows `item`."""
    n, met, xx, xy = (np.ascontiguousarray(np.moveaxis(readings[..., k], -2, 0)).sum(axis=0) for k in (N, MET, XX, XY))
    length = target.windows.lengths[item].sum() * dt_ms
    return Sums(n, target.counts[item].sum(axis=0), met, xx, xy, target.own[item, :, 0].sum(axis=0), float(length))


def figure(measure: str, s: Sums, precision_ms: float) -> np.ndarray:
    """The figure, [..., outputs]: 1 is perfect. Two silent trains give 1, one silent train 0."""
    if measure == "coincidence":
        share = 2 * precision_ms * s.n / s.T
        mean = 0.5 * (s.n + s.m)
        fair = (mean > 0) & (share < 1)
        value = (s.met - share * s.m) / np.where(fair, mean * (1 - share), 1.0)
        return np.where(fair, value, 1.0 * ((s.n == 0) & (s.m == 0)))
    if measure == "van_rossum":
        return 1 - (s.xx + s.yy - 2 * s.xy) / np.where(s.yy > 0, s.yy, 1.0)
    # what constant rates add to the overlaps
    constant = precision_ms / s.T if measure == PSTH else 2 * precision_ms / s.T
    x, y, xy = (a - constant * b * c for a, b, c in ((s.xx, s.n, s.n), (s.yy, s.m, s.m), (s.xy, s.n, s.m)))
    size = np.sqrt(np.maximum(x, 0) * np.maximum(y, 0))
    return np.where(size > 1e-9, xy / np.where(size > 1e-9, size, 1.0), 0.0)


def constant_rate(measure: str, target: Target, item: np.ndarray, dt_ms: float, precision_ms: float) -> np.ndarray:
    """The figure of the best answer at a constant rate, float64 [outputs]: silence or spikes at regular intervals, of the best
    of some rates and phases; at least 0. No rate that is constant correlates with counts in bins."""
    if measure == PSTH:
        return np.zeros(target.counts.shape[1])
    w = target.windows
    length = w.lengths[item].sum()
    best = np.zeros(target.counts.shape[1])
    rows = np.arange(w.spikes.shape[1])
    for n, count in enumerate(target.counts[item].sum(axis=0)):
        for times in RATES if count else ():
            period = max(length / (count * times), 1.0)
            phases = np.arange(PHASES) / PHASES * period
            at = w.origin[item][None, :, None] + rows - phases[:, None, None]  # [phases, windows, steps]
            fires = np.floor(at / period) > np.floor((at - 1) / period)
            bits = np.zeros((PHASES, -(-len(item) // 64), len(rows), len(best)), "u8")
            bits[..., n] = np.stack([pack(one[..., None])[..., 0] for one in fires])
            values = figure(measure, sums(readings(bits, item, target), target, item, dt_ms), precision_ms)
            best[n] = max(best[n], values[:, n].max())
    return best


def between_repeats(measure: str, target: Target, item: np.ndarray, dt_ms: float, precision_ms: float) -> np.ndarray | None:
    """The figure of one repeat as the prediction of the others, over all of those windows that have repeats: float64 [outputs];
    None where there are none. Of `psth` it is the correlation that the true rate would have with the mean of the repeats, whose
    noise is estimated from how they differ (Hsu, Borst and Theunissen, Network 15, 2004)."""
    w = target.windows
    item = item[w.repeats[item] > 1]
    if not len(item):
        return None
    if measure == PSTH:
        return _explainable(target, item)
    outputs, steps = target.counts.shape[1], w.spikes.shape[1]
    per_window = np.zeros((len(item), outputs, 4))
    own = np.zeros((len(item), outputs))
    for k, i in enumerate(item):
        repeats = int(w.repeats[i])
        spikes = np.zeros((repeats, steps, outputs), bool)
        for r in range(repeats):
            for n in range(outputs):
                spikes[r, w.measured.train(i, r, n, outputs), n] = True
        bits = pack(spikes)  # the repeats as trials of one circuit, all of this window
        read = readings(bits[None], np.full(repeats, i), target)[0]  # [repeats, outputs, 6]
        others = repeats - 1  # a repeat meets itself in all its spikes
        met = (read[..., MET] * repeats - read[..., N]) / others
        xy = (read[..., XY] * repeats - read[..., XX]) / others
        per_window[k] = np.stack([read[..., N], met, read[..., XX], xy], axis=-1).mean(axis=0)
        mean = target.own[i, :, 0] * repeats**2 - 2 * repeats * read[..., XY] + read[..., XX]  # of the others, with itself
        own[k] = mean.mean(axis=0) / others**2
    n, met, xx, xy = np.moveaxis(per_window.sum(axis=0), -1, 0)
    length = w.lengths[item].sum() * dt_ms
    return figure(measure, Sums(n, n, met, xx, xy, own.sum(axis=0), float(length)), precision_ms)


def _explainable(target, item):
    """The correlation that noise allows of counts in bins, float64 [outputs]: the root of the share of the mean's variance
    that is not noise."""
    w, width = target.windows, int(target.bins[0])
    ceiling = np.zeros(target.counts.shape[1])
    for n in range(len(ceiling)):
        means, noise = [], 0.0
        for i in item:
            repeats = int(w.repeats[i])
            counts = np.zeros((repeats, -(-int(w.stop[i] - w.start[i]) // width)))
            for r in range(repeats):
                np.add.at(counts[r], (w.measured.train(i, r, n, len(ceiling)) - w.start[i]) // width, 1.0)
            means.append(counts.mean(axis=0))
            noise += counts.var(axis=0, ddof=1).sum() / repeats
        total = np.concatenate(means).var() * sum(map(len, means))
        ceiling[n] = np.sqrt(max(total - noise, 0.0) / total) if total > 0 else 0.0
    return ceiling
