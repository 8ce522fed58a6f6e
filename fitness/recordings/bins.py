"""Spike counts of whole populations in bins: the target and the readings of the measure `psth`.

In bins of two widths, x being the spikes of a circuit, averaged over the trials that are of one window (runs with membrane
noise of their own), and y the measured ones, averaged over repeats, the readings of each trial are

    its spikes n;  <x, x>: its own spikes times x in their bins;  <x, y>: its own spikes times y in their bins

so that sums over the trials of a window are so many times the sums of x, x^2 and x y over its bins. Bins begin with the window.
"""

import numpy as np

from circuits.numerics.compiled import compiled
from circuits.simulation.raster import LANES, _trailing_zeros


def read(bits, item, start, stop, widths, overlap, out):
    """Fill readings, float64 [circuits, trials, outputs, 6], of rasters, see `fitness.recordings.likeness.readings`."""
    _, window = np.unique(item, return_inverse=True)
    _read(bits, np.asarray(item), window, np.bincount(window), start, stop, widths, overlap, out)


@compiled
def fill(step, first, repeat, start, widths, overlap):
    """Fill the overlap, float32 [windows, outputs, steps, 2], of a spike in each step with the measured trains; the first
    arguments are those of `fitness.recordings.windows.Measured`, start int64 [windows], widths int64 [2], of a bin in steps."""
    windows, outputs, steps, _ = overlap.shape
    for w in range(windows):
        share = 1.0 / (repeat[w + 1] - repeat[w])
        for n in range(outputs):
            for r in range(repeat[w], repeat[w + 1]):
                train = r * outputs + n
                for i in range(first[train], first[train + 1]):
                    for size in range(2):
                        begin = start[w] + (step[i] - start[w]) // widths[size] * widths[size]
                        for k in range(max(begin, 0), min(begin + widths[size], steps)):
                            overlap[w, n, k, size] += share


@compiled
def sum_own(step, first, repeat, overlap, counts, own):
    """Add up the spikes and <y, y> of each window and output from the overlap of each measured spike, see `likeness.Target`."""
    windows, outputs, _, _ = overlap.shape
    for w in range(windows):
        share = 1.0 / (repeat[w + 1] - repeat[w])
        for n in range(outputs):
            for r in range(repeat[w], repeat[w + 1]):
                train = r * outputs + n
                counts[w, n] += share * (first[train + 1] - first[train])
                for i in range(first[train], first[train + 1]):
                    for k in range(2):
                        own[w, n, k] += share * overlap[w, n, step[i], k]


@compiled
def _read(bits, item, window, trial_count, start, stop, widths, overlap, out):
    circuits, blocks, steps, outputs = bits.shape
    trials = len(item)
    total = np.zeros((2, len(trial_count), steps + 1))  # spikes of all trials of a window in each of its bins
    for c in range(circuits):
        for n in range(outputs):
            total[:] = 0.0
            for second in range(2):
                for b in range(blocks):
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
                            at = window[trial]
                            short, long = (k - start[w]) // widths[0], (k - start[w]) // widths[1]
                            if second == 0:
                                total[0, at, short] += 1.0
                                total[1, at, long] += 1.0
                                continue
                            out[c, trial, n, 0] += 1.0
                            out[c, trial, n, 2] += total[0, at, short] / trial_count[at]
                            out[c, trial, n, 3] += overlap[w, n, k, 0]
                            out[c, trial, n, 4] += total[1, at, long] / trial_count[at]
                            out[c, trial, n, 5] += overlap[w, n, k, 1]
