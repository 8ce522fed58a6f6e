"""Recordings: the spike times of a stimulus and of measured neurons, trial by trial."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import NamedTuple

import numpy as np

from circuits.errors import UserError

DIGITS = 6  # of a time in ms that are kept: a nanosecond
MILLIVOLTS = {"": 1.0, "mV": 1.0, "V": 1e3, "uV": 1e-3, "volts": 1e3, "volt": 1e3, "millivolt": 1.0, "microvolt": 1e-3}
SAMPLE_DIGITS = 9  # of the time in ms between two samples


class Signal(NamedTuple):
    """A sampled signal: values float64 [samples], the first at the start of the trial, one every `dt_ms`; `unit` as the file
    names it."""

    dt_ms: float
    values: np.ndarray
    unit: str = ""


class Trial(NamedTuple):
    """One trial, or one long stretch.

    name         as the file calls it
    duration_ms  from 0 to its end
    inputs, outputs  the spike times of every train in ms, float64 and ascending, in the order of the recording's names
    signals      sampled signals by name; one that has the name of an output is its membrane potential
    """

    name: str
    duration_ms: float
    inputs: tuple[np.ndarray, ...]
    outputs: tuple[np.ndarray, ...]
    signals: Mapping[str, Signal] = {}

    def trains(self, role: str) -> tuple[np.ndarray, ...]:
        """The spike times of all trains of a role, "input" or "output"."""
        return self.inputs if role == "input" else self.outputs


@dataclass(frozen=True, eq=False)
class Recording:
    """Input spikes and measured spikes. Recordings with the same content are equal, from whichever file they come.

    inputs, outputs  names of the input trains and of the measured neurons
    trials           each has all of these trains
    source, sha256   name and digest of the file; empty where there is none
    Names and trials are in the order of their names, numbers within them by value.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    trials: tuple[Trial, ...]
    source: str = ""
    sha256: str = field(default="", repr=False)

    @classmethod
    def of(cls, trials: Iterable[tuple], source: str = "", sha256: str = "") -> "Recording":
        """Make a recording of trials, each `(name, duration_ms, inputs, outputs)` or with `signals` as well; inputs and outputs
        are dicts of spike times in ms by name. A name that a trial lacks is a silent train. Times are kept to a nanosecond.

        Raises UserError, which begins with `source`, for no trial or no output, two trials of one name, and times that are no
        numbers or lie outside 0 to the trial's duration.
        """
        where = source or "recording"
        rows = [(*trial, {})[:5] for trial in trials]
        if not rows:
            raise UserError(f"{where}: holds no trial")
        names = [str(trial[0]) for trial in rows]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise UserError(f"{where}: two trials are called {twice!r}")
        ins, outs = (natural({str(name) for trial in rows for name in trial[k]}) for k in (2, 3))
        if not outs:
            raise UserError(f"{where}: holds no output, which is a measured neuron; found {_listed('input', ins)}")
        accepted = []
        for name, duration, inputs, outputs, signals in rows:
            if not (np.isfinite(duration) and duration > 0):
                raise UserError(f"{where}: trial {name}: lasts {duration} ms; a duration is above 0")
            end = round(float(duration), DIGITS)
            input_trains, output_trains = (
                tuple(_train(by_name.get(one, ()), end, f"{where}: trial {name}, {role} {one}") for one in all_names)
                for role, all_names, by_name in (("input", ins, inputs), ("output", outs, outputs))
            )
            sampled = {
                key: _sampled(signals[key], f"{where}: trial {name}, signal {key}") for key in natural(map(str, signals))
            }
            accepted.append(Trial(str(name), end, input_trains, output_trains, sampled))
        order = {name: k for k, name in enumerate(natural(names))}
        accepted.sort(key=lambda trial: order[trial.name])
        return cls(ins, outs, tuple(accepted), source, sha256)

    def select(self, inputs=(), outputs=(), until_ms: float | None = None) -> "Recording":
        """The recording of some trains and signals alone.

        inputs, outputs  names, or patterns such as "thalamus-*", of trains of either role, inputs of signals as well; () leaves
                         it as it is in the file
        until_ms         cut trials here
        Raises UserError for a pattern that no train has.
        """
        wanted = [self._named(patterns, role) for patterns, role in ((inputs, 0), (outputs, 1))]
        signals = [name for name in self.signals if not inputs or any(fnmatchcase(name, pattern) for pattern in inputs)]
        signals += [name for name in self.potentials if name in {self._names[r][k] for r, k in wanted[1]}]
        trials = []
        for trial in self.trials:
            end = trial.duration_ms if until_ms is None else min(until_ms, trial.duration_ms)
            both = trial.inputs, trial.outputs
            trains = [{self._names[r][k]: both[r][k] for r, k in chosen} for chosen in wanted]
            cut = [{name: times[times <= end] for name, times in one.items()} for one in trains]
            selected = {name: trial.signals[name] for name in signals if name in trial.signals}
            trials.append((trial.name, end, *cut, selected))
        return Recording.of(trials, self.source, self.sha256)

    @property
    def _names(self):
        return self.inputs, self.outputs

    def _named(self, patterns, role):
        every = [(r, k) for r in (role, 1 - role) for k in range(len(self._names[r]))]
        if not patterns:
            return [(r, k) for r, k in every if r == role]
        for pattern in patterns:
            sampled = self.signals if role == 0 else ()
            if not any(fnmatchcase(name, pattern) for name in (*(self._names[r][k] for r, k in every), *sampled)):
                known = ", ".join(dict.fromkeys((*sampled, *(self._names[r][k] for r, k in every))))
                raise UserError(f"{self.source or 'recording'}: has no train {pattern!r}; found {known}"[:300])
        chosen: dict[str, tuple[int, int]] = {}
        for r, k in every:  # of two trains of one name that of this role
            if any(fnmatchcase(self._names[r][k], pattern) for pattern in patterns):
                chosen.setdefault(self._names[r][k], (r, k))
        return list(chosen.values())

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the sampled signals that may drive neurons."""
        return tuple(sorted({name for trial in self.trials for name in trial.signals} - set(self.outputs)))

    @property
    def potentials(self) -> tuple[str, ...]:
        """Names of the outputs whose membrane potential was measured: in every trial a sampled signal has their name."""
        return tuple(name for name in self.outputs if all(name in trial.signals for trial in self.trials))

    def potential_mv(self, trial: Trial, name: str) -> Signal:
        """The membrane potential of an output in mV. Raises UserError for another unit."""
        signal = trial.signals[name]
        if signal.unit not in MILLIVOLTS:
            known = ", ".join(unit for unit in MILLIVOLTS if unit)
            where = f"{self.source or 'recording'}: signal {name}"
            raise UserError(f"{where}: has the name of an output, whose potential it is, in {known}, not in {signal.unit}")
        return Signal(signal.dt_ms, signal.values * MILLIVOLTS[signal.unit], "mV")

    @cached_property
    def content_sha256(self) -> str:
        """Digest of the content, whichever file it came from."""
        digest = hashlib.sha256(repr((self.inputs, self.outputs)).encode())
        for trial in self.trials:
            digest.update(repr((trial.name, trial.duration_ms)).encode())
            for train in (*trial.inputs, *trial.outputs):
                digest.update(len(train).to_bytes(8, "little") + train.astype("<f8").tobytes())
            for name, signal in trial.signals.items():
                digest.update(repr((name, signal.dt_ms, signal.unit, len(signal.values))).encode())
                digest.update(signal.values.astype("<f8").tobytes())
        return digest.hexdigest()

    def __eq__(self, other):
        return isinstance(other, Recording) and self.content_sha256 == other.content_sha256

    def __hash__(self):
        return hash(self.content_sha256)


def natural(names: Iterable[str]) -> tuple[str, ...]:
    """Names in order, numbers within them by value: cell2 before cell10."""
    return tuple(sorted(names, key=lambda name: ([_part(p) for p in re.split(r"(\d+)", name)], name)))


def end_after(last_ms: float) -> float:
    """Duration of trials in ms where the file gives none: until the last spike of any trial, rounded up to 100 ms, or to 10 ms
    if the last spike comes before 100 ms."""
    unit = 100.0 if last_ms > 100 else 10.0
    return max(float(np.ceil(last_ms / unit - 1e-9)) * unit, unit)


def _part(text):
    return (1, int(text), "") if text.isdecimal() else (0, 0, text)


def _train(times, end, where):
    try:
        spikes = np.array(times, "f8").reshape(-1)
    except (TypeError, ValueError):
        raise UserError(f"{where}: spike times must be numbers") from None
    if not np.isfinite(spikes).all():
        raise UserError(f"{where}: {spikes[~np.isfinite(spikes)][0]} is no spike time")
    spikes = np.sort(np.round(spikes, DIGITS)) + 0.0
    outside = (spikes < 0) | (spikes > end)
    if outside.any():
        raise UserError(f"{where}: a spike at {spikes[outside][0]:g} ms lies outside the trial, 0 to {end:g} ms")
    spikes.flags.writeable = False
    return spikes


def _sampled(signal, where):
    dt_ms, values, unit = float(np.round(signal.dt_ms, SAMPLE_DIGITS)), np.array(signal.values, "f8"), str(signal.unit)
    if not (np.isfinite(dt_ms) and dt_ms > 0):
        raise UserError(f"{where}: is sampled every {signal.dt_ms} ms; that is a time above 0")
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise UserError(f"{where}: must be finite numbers, [samples]")
    values.flags.writeable = False
    return Signal(dt_ms, values, unit)


def _listed(what, names):
    return f"{what}s {', '.join(names)}"[:200] if names else f"no {what} either"
