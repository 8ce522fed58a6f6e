"""Activity of neurons: rates, irregularity, synchrony and rhythm."""

import numpy as np
from typing_extensions import TypedDict

from circuits.simulation.raster import Raster
from fitness.analysis.numbers import Number, rounded

MIN_INTERVALS = 10
MIN_SPIKES, MIN_MS, MAX_HZ = 10.0, 100.0, 250.0  # per trial, for a spectrum
BINS, BIN_MS = 40, 5.0  # for synchrony: bins of 5 ms, narrower where a trial has fewer than 40


def irregularity(raster: Raster) -> np.ndarray:
    """Coefficient of variation of the intervals between the spikes of each column, all trials together: 0 for a clock, 1 for a
    Poisson train (Softky and Koch, J. Neurosci. 13, 1993). NaN with fewer than 10 intervals. float64 [columns]."""
    column, trial, step = np.nonzero(np.moveaxis(raster.spikes(), 2, 0))
    same_train = (np.diff(column) == 0) & (np.diff(trial) == 0)
    interval, owner = np.diff(step)[same_train], column[1:][same_train]
    cv = np.full(raster.bits.shape[-1], np.nan)
    for c in range(len(cv)):
        intervals = interval[owner == c]
        if len(intervals) >= MIN_INTERVALS:
            cv[c] = intervals.std() / intervals.mean()
    return cv


def synchrony(raster: Raster, bin_ms: float) -> float:
    """Golomb and Rinzel's chi (Physica D 72, 1994): 1 if all neurons do the same, about 1 / sqrt(n) if n are independent.

    The root of the variance over time of the mean activity, divided by the neurons' mean variance. Activity is the spike count
    in bins less its mean in the trial. Neurons that never fire are left out; NaN where fewer than two are left.
    """
    width = max(1, round(bin_ms / raster.dt_ms))
    spikes = raster.spikes()
    bins = spikes.shape[1] // width
    counts = spikes[:, : bins * width].reshape(len(spikes), bins, width, -1).sum(axis=2).astype("f8")
    counts = counts[..., counts.any(axis=(0, 1))]
    if counts.shape[-1] < 2 or (mean_variance := counts.var(axis=1).mean()) == 0:
        return float("nan")
    return float(np.sqrt(counts.mean(axis=-1).var(axis=1).mean() / mean_variance))


def spectrum(raster: Raster) -> tuple[np.ndarray, np.ndarray] | None:
    """Frequencies in Hz, above 0 and up to 250, and the power of the pooled spikes of all columns, mean over the trials,
    relative to that of as many spikes at independent random times.

    None for trials shorter than 100 ms, or with fewer than 10 spikes on average.
    """
    counts = raster.spikes_per_step().astype("f8")
    spikes = counts.sum(axis=-1).mean()
    if raster.duration_ms < MIN_MS or spikes < MIN_SPIKES:
        return None
    hz = np.fft.rfftfreq(raster.steps, raster.dt_ms / 1000)
    power = (np.abs(np.fft.rfft(counts - counts.mean(axis=-1, keepdims=True))) ** 2).mean(axis=0) / spikes
    kept = (hz > 0) & (hz <= MAX_HZ)
    return hz[kept], power[kept]


class Spectrum(TypedDict):
    """Power of the spikes of all neurons together, over that of as many spikes at random times (1: no rhythm)."""

    hz: list[float]
    power: list[float]


class Activity(TypedDict):
    """Activity of the neurons over all trials; lists are in the order of the circuit's neurons.

    neurons    their ids;   rate_hz  mean rates
    cv         coefficient of variation of the intervals between spikes: 0 a clock, 1 a Poisson train; None with fewer than 10
    synchrony  chi, 0 independent to 1 in step (Golomb and Rinzel, Physica D 72, 1994): the standard deviation over time of the
               mean activity, over the root of the neurons' mean variance, activity being spikes in bins of `bin_ms`; None where
               fewer than two neurons fire
    spectrum   None for trials too short or with too few spikes to show a rhythm
    """

    neurons: list[str | int]
    rate_hz: list[float]
    cv: list[Number]
    synchrony: Number
    bin_ms: float
    spectrum: Spectrum | None


def activity(raster: Raster) -> Activity:
    """The part `activity` of an analysis."""
    width = max(1, min(round(BIN_MS / raster.dt_ms), raster.steps // BINS))
    bin_ms = round(width * raster.dt_ms, 9)
    rhythm = spectrum(raster)
    return {
        "neurons": list(raster.names),
        "rate_hz": rounded(raster.rates().mean(axis=0)),
        "cv": rounded(irregularity(raster)),
        "synchrony": rounded([synchrony(raster, bin_ms)])[0],
        "bin_ms": bin_ms,
        "spectrum": None if rhythm is None else {"hz": rounded(rhythm[0]), "power": rounded(rhythm[1])},
    }
