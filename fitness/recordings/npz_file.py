"""NPZ: the columns of the CSV file as arrays of equal lengths, written by `numpy.savez`.

trial    [spikes], ints or texts;   role  [spikes], "input" or "output";   name  [spikes], texts
time_ms  [spikes], or time_s or time_us; NaN in a row that only says that the trial has such a train
duration_ms  optional: a number; or one for each trial, together with trial_names, [trials] each
signal_X     optional: float [trials, samples], a sampled signal X of the trials in the order of trial_names, with
             signal_X_dt_ms and perhaps signal_X_unit

No pickle is read: arrays of objects are refused.
"""

import numpy as np

from circuits.errors import UserError
from circuits.files import npz_arrays
from fitness.recordings.recording import Signal
from fitness.recordings.table import COLUMNS, UNITS, as_trials, time_column

MAX_UNPACKED = 1 << 30  # bytes of all arrays


def trials(content: bytes, name: str, epochs=()):
    """The trials, as `Recording.of` takes them."""
    arrays = npz_arrays(content, name, MAX_UNPACKED)
    time = time_column(arrays, name)
    columns = {column: arrays[column] for column in (*COLUMNS, time)}
    sizes = {column: np.shape(array) for column, array in columns.items()}
    if len(set(sizes.values())) > 1 or len(sizes[time]) != 1:
        shapes = ", ".join(f"{column} {list(size)}" for column, size in sizes.items())
        raise UserError(f"{name}: trial, role, name and {time} must be arrays of one length, [spikes]; found {shapes}")
    if columns[time].dtype.kind not in "iuf":
        raise UserError(f"{name}: {time} must hold numbers, not {columns[time].dtype}")
    trial, role, train = (_texts(columns[column], f"{name}: {column}") for column in COLUMNS)
    duration, order = _durations(arrays, name)
    times = (columns[time].astype("f8") * UNITS[time]).tolist()
    trials = as_trials(trial, role, train, times, lambda k: f"{name}: row {k}", duration)
    signals = _signals(arrays, name, order)
    return [(*one, signals.get(one[0], {})) for one in trials]


def _texts(array, where):
    if array.dtype.kind not in "iuUS":
        raise UserError(f"{where} must hold ints or texts, not {array.dtype}")
    if array.dtype.kind == "S":
        return [value.decode("utf-8", "replace") for value in array.tolist()]
    return [str(value) for value in array.tolist()]


def _durations(arrays, name):
    """The duration of all trials, or of each by its name, and the names as `trial_names` has them."""
    order = _texts(np.atleast_1d(arrays["trial_names"]), f"{name}: trial_names") if "trial_names" in arrays else None
    if "duration_ms" not in arrays:
        return None, order
    durations = arrays["duration_ms"]
    if durations.dtype.kind not in "iuf" or durations.ndim > 1:
        shape = list(durations.shape)
        raise UserError(f"{name}: duration_ms must be a number, or one for each trial, not {durations.dtype} {shape}")
    if durations.ndim == 0:
        return (float(durations) if order is None else dict.fromkeys(order, float(durations))), order
    if order is None or len(order) != len(durations):
        raise UserError(f"{name}: duration_ms has {len(durations)} numbers; name their trials in trial_names, as many")
    return dict(zip(order, map(float, durations), strict=True)), order


def _signals(arrays, name, order):
    signals: dict[str, dict[str, Signal]] = {}
    for key, values in arrays.items():
        if not key.startswith("signal_") or key.endswith(("_dt_ms", "_unit")):
            continue
        if f"{key}_dt_ms" not in arrays or order is None or values.ndim != 2 or len(values) != len(order):
            raise UserError(f"{name}: {key} must be [trials, samples], with {key}_dt_ms, and trial_names in their order")
        unit = str(arrays.get(f"{key}_unit", ""))
        for trial, row in zip(order, values, strict=True):
            signal = Signal(float(arrays[f"{key}_dt_ms"]), row.astype("f8"), unit)
            signals.setdefault(trial, {})[key.removeprefix("signal_")] = signal
    return signals
