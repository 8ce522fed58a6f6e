"""Similarity of the spikes of whole populations to the measured spikes, read once from the bit-packed raster, spike by spike.

For a circuit, a window and an output the readings are six numbers: the spikes n; how many of them meet a measured spike within
the precision, each at most once (as `spike_trains.coincidence_factor` counts); and the overlaps with a kernel

    <x, x> = sum over i, j of exp(-|x_i - x_j| / tau),  <x, y> = sum over i, j of exp(-|x_i - y_j| / tau)

with a short and a long tau, where x are the circuit's spikes and y the measured ones, averaged over repeats. exp(-|t| / tau) is
the autocorrelation of the exponential by which van Rossum's distance filters trains: its square is <x, x> + <y, y> - 2 <x, y>.
"""

from typing import NamedTuple

import numpy as np

from circuits.numerics import portable
from circuits.numerics.compiled import compiled
from circuits.simulation.raster import LANES, _trailing_zeros
from fitness.recordings import bins as binned
from fitness.recordings.windows import Windows

N, MET, XX, XY, XX_LONG, XY_LONG = range(6)
READINGS = 6
LONGER = 8.0  # the long time constant over the short one


class Target(NamedTuple):
    """Data of all windows from which readings are computed.

    windows  the recording
    reach    in steps, the largest distance of a coincidence
    kernels  float64 [2, steps + 1]: exp(-d / tau) of a distance d, by tau
    overlap  float32 [windows, outputs, steps, 2]: <a spike in this step, y>
    counts   float64 [windows, outputs]: spikes measured, averaged over repeats
    own      float64 [windows, outputs, 2]: <y, y>
    bins     int64 [2], steps of a short and of a long bin, where both are counted in bins (`fitness.recordings.bins`), or None
    """

    windows: Windows
    reach: int
    kernels: np.ndarray
    overlap: np.ndarray
    counts: np.ndarray
    own: np.ndarray
    bins: np.ndarray | None = None


def target(windows: Windows, outputs: int, dt_ms: float, precision_ms: float, in_bins: bool = False) -> Target:
    """The target that these windows are; `in_bins`: of `precision_ms`, instead of with kernels."""
    count, steps, measured = *windows.spikes.shape[:2], windows.measured
    overlap = np.zeros((count, outputs, steps, 2), "f4")
    reach, kernels, bins = 0, np.zeros((2, 0)), None
    if in_bins:
        width = max(round(precision_ms / dt_ms), 1)
        bins = np.array([width, round(LONGER) * width])
        binned.fill(*measured, windows.start, bins, overlap)
    else:
        distance = np.arange(steps + 1) * dt_ms
        kernels = np.stack([portable.exp(-distance / tau) for tau in (precision_ms, LONGER * precision_ms)])
        _fill(*measured, kernels, overlap)
        reach = int(np.floor(precision_ms / dt_ms * (1 + 1e-9)))
    counts, own = np.zeros((count, outputs)), np.zeros((count, outputs, 2))
    binned.sum_own(*measured, overlap, counts, own)
    return Target(windows, reach, kernels, overlap, counts, own, bins)


def readings(bits: np.ndarray, item: np.ndarray, target: Target) -> np.ndarray:
    """The readings of rasters, uint64 [circuits, blocks, steps, outputs], whose trials are of the windows `item`, int64
    [trials]: float64 [circuits, trials, outputs, 6]."""
    w = target.windows
    out = np.zeros((len(bits), len(item), bits.shape[-1], READINGS))
    if target.bins is not None:
        binned.read(bits, item, w.start, w.stop, target.bins, target.overlap, out)
        return out
    max_repeats = int(w.repeats.max(initial=1))
    _read(bits, item, w.start, w.stop, *w.measured, target.reach, target.kernels, target.overlap, max_repeats, out)
    return out


@compiled
def _fill(step, first, repeat, kernels, overlap):
    windows, outputs, steps, _ = overlap.shape
    for w in range(windows):
        share = 1.0 / (repeat[w + 1] - repeat[w])
        for n in range(outputs):
            for r in range(repeat[w], repeat[w + 1]):
                train = r * outputs + n
                for i in range(first[train], first[train + 1]):
                    for k in range(steps):
                        for tau in range(2):
                            overlap[w, n, k, tau] += share * kernels[tau, abs(k - step[i])]


@compiled
def _read(bits, item, start, stop, step, first, repeat, reach, kernels, overlap, max_repeats, out):
    circuits, blocks, steps, outputs = bits.shape
    trials = len(item)
    last, trace = np.empty(LANES, np.int64), np.empty((LANES, 2))
    next_spike = np.empty((LANES, max_repeats), np.int64)  # of the next measured spike that can be met, by repeat
    for c in range(circuits):
        for b in range(blocks):
            for n in range(outputs):
                last[:] = -1
                for k in range(steps):
                    left = bits[c, b, k, n]
                    while left:
                        lane = np.int64(_trailing_zeros(left))
                        left &= left - np.uint64(1)
                        trial = LANES * b + lane
                        if trial >= trials:
                            continue
                        w = item[trial]
                        if k < start[w] or k >= stop[w]:
                            continue
                        repeats = repeat[w + 1] - repeat[w]
                        if last[lane] < 0:
                            last[lane] = k
                            trace[lane, 0] = trace[lane, 1] = 0.0
                            for r in range(repeats):
                                next_spike[lane, r] = first[(repeat[w] + r) * outputs + n]
                        met = 0
                        for r in range(repeats):
                            i, end = next_spike[lane, r], first[(repeat[w] + r) * outputs + n + 1]
                            while i < end and step[i] < k - reach:
                                i += 1
                            if i < end and step[i] <= k + reach:
                                met, i = met + 1, i + 1
                            next_spike[lane, r] = i
                        gap = k - last[lane]
                        last[lane] = k
                        out[c, trial, n, 0] += 1.0
                        out[c, trial, n, 1] += met / repeats
                        for tau in range(2):
                            before = trace[lane, tau] * kernels[tau, gap]
                            out[c, trial, n, 2 + 2 * tau] += 1.0 + 2.0 * before
                            out[c, trial, n, 3 + 2 * tau] += overlap[w, n, k, tau]
                            trace[lane, tau] = before + 1.0
