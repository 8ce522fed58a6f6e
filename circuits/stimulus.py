"""Input spikes as people give them, checked: spike times in ms, or a bool array."""

import numpy as np

from circuits.circuit import Circuit
from circuits.errors import UserError


def dense(circuit: Circuit, spikes, duration_ms: float | None) -> np.ndarray:
    """The input as bool [trials, steps, channels]. Raises UserError that names the trial and channel of what is wrong."""
    dt, channels = circuit.dt_ms, len(circuit.inputs)
    if duration_ms is not None and not (np.isfinite(duration_ms) and duration_ms >= dt):
        raise UserError(f"duration_ms: at least one step of {dt:g} ms, not {duration_ms}")
    if isinstance(spikes, np.ndarray) and spikes.dtype != object:
        if spikes.dtype != bool or spikes.ndim != 3 or spikes.shape[2] != channels or 0 in spikes.shape[:2]:
            wanted = f"bool [trials, steps, {channels} channels]"
            raise UserError(f"spikes: an array must be {wanted}, not {spikes.dtype} {list(spikes.shape)}")
        if duration_ms is not None and abs(duration_ms / dt - spikes.shape[1]) > 1e-6:
            raise UserError(f"duration_ms: {duration_ms:g} ms is not the array's {spikes.shape[1]} steps of {dt:g} ms")
        return spikes
    if duration_ms is None:
        raise UserError("duration_ms: is needed when spikes are given as times")
    if not _is_list(spikes) or len(spikes) == 0:
        raise UserError("spikes: must be a list of at least one trial")
    if abs(duration_ms / dt - round(duration_ms / dt)) > 1e-6:
        raise UserError(f"duration_ms: {duration_ms:g} ms is no whole number of steps of {dt:g} ms")
    steps = round(duration_ms / dt)
    found = np.zeros((len(spikes), steps, channels), bool)
    for t, trial in enumerate(spikes):
        if not _is_list(trial) or len(trial) != channels:
            given = len(trial) if _is_list(trial) else repr(trial)
            raise UserError(f"spikes[{t}]: one list of times per input channel, {channels} in all, not {given}")
        for c, times in enumerate(trial):
            found[t, _rows(times, dt, steps, f"spikes[{t}][{c}]"), c] = True
    return found


def _is_list(value):
    return isinstance(value, (list, tuple, np.ndarray))


def _rows(times, dt, steps, place):
    try:
        at = np.asarray(times, "f8").reshape(-1) / dt
    except (TypeError, ValueError):
        raise UserError(f"{place}: spike times must be numbers in ms") from None
    if not np.isfinite(at).all():
        raise UserError(f"{place}: {at[~np.isfinite(at)][0]} ms is no time")
    rows = np.rint(at)
    checks = (
        ((rows < 1) | (rows > steps), f"is outside the trial: {dt:g} ms <= time <= {steps * dt:g} ms"),
        (np.abs(at - rows) > 1e-6 * np.maximum(1, np.abs(at)), f"is not on the grid of {dt:g} ms"),
        (np.diff(rows, prepend=0) <= 0, "is not later than the spike before it"),
    )
    for bad, text in checks:
        if bad.any():
            raise UserError(f"{place}: {at[np.argmax(bad)] * dt:g} ms {text}")
    return rows.astype("i8") - 1
