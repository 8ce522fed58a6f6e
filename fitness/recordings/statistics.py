"""Statistics of a recording before anything is evolved: rates, interspike intervals, reliability, responses to the inputs."""

from typing import NamedTuple

import numpy as np

from fitness.recordings.recording import Recording

LAGS_MS = np.arange(-20.0, 51.0)  # edges of the bins of a cross-correlogram
MAX_LAGS = 200  # of a spike-triggered average


class Train(NamedTuple):
    """One train of a recording, over all trials.

    role, name   of the train;   spikes  how many;   rate_hz  mean over all trials
    isi_ms       median interspike interval;   shortest_ms  the shortest one;   cv  coefficient of variation of the intervals;
                 NaN where there are none
    silent       trials without a spike
    """

    role: str
    name: str
    spikes: int
    rate_hz: float
    isi_ms: float
    shortest_ms: float
    cv: float
    silent: int


def trains(recording: Recording) -> list[Train]:
    """All trains, inputs first."""
    seconds = sum(trial.duration_ms for trial in recording.trials) / 1000
    trains = []
    for role, names in (("input", recording.inputs), ("output", recording.outputs)):
        for k, name in enumerate(names):
            times = [trial.trains(role)[k] for trial in recording.trials]
            spikes, isi = sum(map(len, times)), intervals(recording, role, k)
            numbers = [np.median(isi), isi.min(), isi.std() / isi.mean()] if len(isi) else [np.nan] * 3
            silent = sum(not len(one) for one in times)
            median, shortest, cv = map(float, numbers)
            trains.append(Train(role, name, spikes, spikes / seconds, median, shortest, cv, silent))
    return trains


def intervals(recording: Recording, role: str, k: int) -> np.ndarray:
    """The interspike intervals of a train in ms, float64."""
    return np.concatenate([np.diff(trial.trains(role)[k]) for trial in recording.trials])


def histogram(recording: Recording, k: int, bin_ms: float) -> tuple[np.ndarray, np.ndarray]:
    """The rate of an output over the time of a trial, averaged over all trials that are so long (PSTH): edges in ms and Hz."""
    end = max(trial.duration_ms for trial in recording.trials)
    edges = np.arange(0, end + bin_ms / 2, bin_ms)
    edges = edges if len(edges) > 1 else np.array([0, end])
    counts = sum(np.histogram(trial.outputs[k], edges)[0] for trial in recording.trials)
    trials = sum((edges[1:] <= trial.duration_ms + 1e-6).astype(int) for trial in recording.trials)
    return edges, counts / np.maximum(trials, 1) / np.diff(edges) * 1000


def triggered(recording: Recording, signal: str, output: int) -> tuple[np.ndarray, np.ndarray]:
    """The spike-triggered average of a sampled signal: lags in ms, negative before a spike, and the mean of the signal there
    over the spikes of an output, of all trials that have both. Samples beyond the ends of a trial do not count."""
    step = min(trial.signals[signal].dt_ms for trial in recording.trials if signal in trial.signals)
    step = max(step, (LAGS_MS[-1] - LAGS_MS[0]) / MAX_LAGS)
    lags = -LAGS_MS[-1] + np.arange(int((LAGS_MS[-1] - LAGS_MS[0]) / step) + 1) * step
    total, count = np.zeros(len(lags)), np.zeros(len(lags))
    for trial in recording.trials:
        if signal not in trial.signals or not len(trial.outputs[output]):
            continue
        dt_ms, values, _ = trial.signals[signal]
        sample = np.floor((trial.outputs[output][:, None] + lags) / dt_ms + 1e-6).astype("i8")
        inside = (sample >= 0) & (sample < len(values))
        total += np.where(inside, values[np.clip(sample, 0, len(values) - 1)], 0.0).sum(axis=0)
        count += inside.sum(axis=0)
    return lags, total / np.maximum(count, 1)


def following(recording: Recording, input: int, output: int) -> np.ndarray:
    """The rate of an output in Hz, by the time since each spike of an input: float64 [lags], in the bins of `LAGS_MS`."""
    counts, input_spikes = np.zeros(len(LAGS_MS) - 1), 0
    for trial in recording.trials:
        a, b = trial.inputs[input], trial.outputs[output]
        input_spikes += len(a)
        first, last = np.searchsorted(b, a + LAGS_MS[0]), np.searchsorted(b, a + LAGS_MS[-1])
        lags = np.concatenate([b[i:j] - t for t, i, j in zip(a, first, last, strict=True)] + [np.zeros(0)])
        counts += np.histogram(lags, LAGS_MS)[0]
    return counts / max(input_spikes, 1) / np.diff(LAGS_MS) * 1000
