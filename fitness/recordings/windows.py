"""A recording cut into windows: equal stretches on the grid of the simulation, with the spikes measured in them.

A circuit begins every window at rest. The lead-in, the stimulus of the `lead_in_ms` before the window, lets it forget this
before it is scored; a window at the beginning of a trial has none. Trials with the same stimulus are merged, as repeats of
it.
"""

import warnings
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from circuits.errors import UserError
from circuits.simulation.drive import resampled
from circuits.simulation.stimulus import on_grid
from fitness.recordings.recording import Recording


class Measured(NamedTuple):
    """Measured trains of all windows, flat.

    step    int64 [spikes]: the row of each spike in its window, ascending within a train
    first   int64 [repeats x outputs + 1]: train r x outputs + n is step[first[..] : first[.. + 1]]
    repeat  int64 [windows + 1]: window i has the repeats repeat[i] to repeat[i + 1] - 1
    """

    step: np.ndarray
    first: np.ndarray
    repeat: np.ndarray

    def train(self, window: int, repeat: int, output: int, outputs: int) -> np.ndarray:
        """The steps of the spikes of one of so many outputs in a repeat of a window."""
        train = (self.repeat[window] + repeat) * outputs + output
        return self.step[self.first[train] : self.first[train + 1]]


class Windows(NamedTuple):
    """spikes  bool [windows, steps, inputs]: the stimulus;   signals  float64 [windows, steps, signals]: its sampled signals
    start, stop  int64 [windows]: the rows that are scored, start <= row < stop
    origin      int64 [windows]: the row of the trial with which the window begins
    stimulus    int64 [windows]: number of the window's stimulus
    trials      by stimulus, the names of the trials that have it
    measured    the measured spikes
    merged      how many spikes fell into a step with another one of their train
    """

    spikes: np.ndarray
    signals: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    origin: np.ndarray
    stimulus: np.ndarray
    trials: tuple[tuple[str, ...], ...]
    measured: Measured
    merged: int

    @property
    def lengths(self) -> np.ndarray:
        """The number of scored steps of each window, int64 [windows]."""
        return self.stop - self.start

    @property
    def scored(self) -> np.ndarray:
        """Mask of the scored steps, bool [windows, steps]."""
        steps = np.arange(self.spikes.shape[1])
        return (steps >= self.start[:, None]) & (steps < self.stop[:, None])

    @property
    def repeats(self) -> np.ndarray:
        """The number of repeats of each window, int64 [windows]."""
        return np.diff(self.measured.repeat)


class Stimulus(NamedTuple):
    """One stimulus: spikes bool [steps, inputs], signals float64 [steps, signals], names of the trials that have it, and each
    one's outputs, bool [steps, n], and potentials at the ends of steps, float64 [steps, potentials]."""

    spikes: np.ndarray
    signals: np.ndarray
    names: list[str]
    outputs: list[np.ndarray]
    potentials: list[np.ndarray]


def stimuli(recording: Recording, dt_ms: float) -> tuple[list[Stimulus], int]:
    """The different stimuli, on the grid: every time at the nearest step, from halfway between two steps on at the later one,
    and at the first step instead of 0; signals as `circuits.simulation.drive.resampled` says. And how many spikes were lost
    since a step holds one spike of a train."""
    by_stimulus: dict[tuple, Stimulus] = {}
    merged = 0
    for trial in recording.trials:
        end = max(int(np.ceil(trial.duration_ms / dt_ms - 1e-6)), 1) * dt_ms
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            spikes, outputs = (on_grid([list(trains)], dt_ms, end, "nearest")[0] for trains in (trial.inputs, trial.outputs))
        merged += sum(map(len, (*trial.inputs, *trial.outputs))) - int(spikes.sum()) - int(outputs.sum())
        signals = _signals(recording, trial, dt_ms, len(spikes))
        key = spikes.shape, np.packbits(spikes).tobytes(), signals.tobytes()
        one = by_stimulus.setdefault(key, Stimulus(spikes, signals, [], [], []))
        one.names.append(trial.name)
        one.outputs.append(outputs)
        measured = [recording.potential_mv(trial, name) for name in recording.potentials]
        ends = (np.arange(len(spikes)) + 1) * dt_ms
        at = [np.interp(ends, np.arange(len(s.values)) * s.dt_ms, s.values) for s in measured]
        one.potentials.append(np.stack(at, axis=-1) if at else np.zeros((len(spikes), 0)))
    return list(by_stimulus.values()), merged


def _signals(recording, trial, dt_ms, steps):
    values = np.zeros((steps, len(recording.signals)))
    for k, name in enumerate(recording.signals):
        where = f"{recording.source or 'recording'}: trial {trial.name}"
        if name not in trial.signals:
            raise UserError(f"{where}: lacks the signal {name}, which other trials have; leave it out of input_names")
        values[:, k] = resampled(trial.signals[name].values, trial.signals[name].dt_ms, dt_ms, steps, f"{where}: signal {name}")
    return values


def cut(presented: list[Stimulus], edges: list[list[int]], window: int, lead_in: int, merged: int = 0) -> Windows:
    """Windows of all stimuli.

    edges   by stimulus, the steps at which no window reaches over: ascending, from 0 to the stimulus's end
    window, lead_in  in steps; a window at the beginning of a trial, which needs no lead-in, is longer by as much
    """
    pieces = [
        (number, max(begin - lead_in, 0), begin, end)
        for number, cuts in enumerate(edges)
        for first, last in pairwise(cuts)
        for begin, end in _pieces(first, last, window, lead_in)
    ]
    steps = max(end - origin for _, origin, _, end in pieces)
    spikes = np.zeros((len(pieces), steps, presented[0].spikes.shape[1]), bool)
    signals = np.zeros((len(pieces), steps, presented[0].signals.shape[1]))
    rows: list[np.ndarray] = []
    repeat = [0]
    for k, (number, origin, begin, end) in enumerate(pieces):
        spikes[k, : end - origin] = presented[number].spikes[origin:end]
        signals[k, : end - origin] = presented[number].signals[origin:end]
        for outputs in presented[number].outputs:
            rows += [np.flatnonzero(column) + begin - origin for column in outputs[begin:end].T]
        repeat.append(repeat[-1] + len(presented[number].outputs))
    first = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype("i8")
    step = np.concatenate([*rows, np.zeros(0, "i8")]).astype("i8")
    which, origins, begins, ends = np.array(pieces, "i8").T
    measured = Measured(step, first, np.array(repeat, "i8"))
    names = tuple(tuple(one.names) for one in presented)
    return Windows(spikes, signals, begins - origins, ends - origins, origins, which, names, measured, merged)


def measured_spikes(presented: list[Stimulus], windows: Windows) -> np.ndarray:
    """The measured spikes of each window and its lead-in, those of the first repeat: bool [windows, steps, outputs]."""
    return _in_windows([stimulus.outputs[0] for stimulus in presented], windows)


def measured_potentials(presented: list[Stimulus], windows: Windows) -> np.ndarray:
    """The measured potentials of each window and its lead-in, those of the first repeat: float64 [windows, steps,
    potentials]."""
    return _in_windows([stimulus.potentials[0] for stimulus in presented], windows)


def _in_windows(by_stimulus, windows):
    values = np.zeros((*windows.spikes.shape[:2], by_stimulus[0].shape[1]), by_stimulus[0].dtype)
    for k, (number, origin, stop) in enumerate(zip(windows.stimulus, windows.origin, windows.stop, strict=True)):
        values[k, :stop] = by_stimulus[number][origin : origin + stop]
    return values


def _pieces(first, last, window, lead_in):
    """The stretch in equal pieces, none longer than a window; the first of a trial includes its lead-in."""
    length = last - first
    if length <= 0:
        return
    more = lead_in if first == 0 else 0
    count = max(int(np.ceil((length - more) / window)), 1)
    each = (length - more) / count
    cuts = [first, *(first + more + round(each * k) for k in range(1, count)), last]
    yield from pairwise(cuts)
