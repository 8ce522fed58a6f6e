"""Validation of input spikes: spike times in ms, or a bool array."""

import sys
import warnings

import numpy as np

from circuits.circuit import Circuit
from circuits.errors import UserError

GRIDS = ("exact", "nearest", "up")


def dense(circuit: Circuit, spikes, duration_ms: float | None, grid: str = "exact") -> np.ndarray:
    """The input as bool [trials, steps, channels]; `grid` as in `on_grid`. Raises UserError that names the trial and
    channel."""
    _check_grid(grid)
    dt, channels = circuit.dt_ms, len(circuit.inputs)
    if duration_ms is not None and not (np.isfinite(duration_ms) and duration_ms >= dt):
        raise UserError(f"duration_ms: at least one step of {dt:g} ms, not {duration_ms}")
    if isinstance(spikes, np.ndarray) and spikes.dtype != object:
        if spikes.dtype != bool or spikes.ndim != 3 or spikes.shape[2] != channels or 0 in spikes.shape[:2]:
            expected = f"bool [trials, steps, {channels} channels]"
            raise UserError(f"spikes: an array must be {expected}, not {spikes.dtype} {list(spikes.shape)}")
        if duration_ms is not None and abs(duration_ms / dt - spikes.shape[1]) > 1e-6:
            raise UserError(f"duration_ms: {duration_ms:g} ms is not the array's {spikes.shape[1]} steps of {dt:g} ms")
        return spikes
    return _on_grid(spikes, dt, duration_ms, channels, grid)


def on_grid(spikes, dt_ms: float, duration_ms: float, grid: str = "exact") -> np.ndarray:
    """Put spike times on the grid of a time step.

    The result is the input of `circuits.simulate` and of the modules of `circuits.torch`. Row k holds the spikes stamped
    (k + 1) dt, so that the first time on the grid is dt, not 0. A time that differs from one on the grid by a millionth of
    itself is on the grid.

    Parameters
    ----------
    spikes : nested lists
        Spike times in ms: `spikes[trial][channel]` are ascending times with 0 <= time <= duration_ms.
    dt_ms : float
        Time step in ms.
    duration_ms : float
        Duration of a trial in ms, whole steps of `dt_ms`.
    grid : {"exact", "nearest", "up"}
        The rule for times between two steps, for instance those of a recording. "exact" refuses them, as well as times before
        dt and two spikes in one step. "nearest" rounds them to the nearest step, and times halfway between two steps to the
        later one. "up" rounds them to the next step, so that no spike is early. With "nearest" and "up" a time that would
        become 0 becomes dt, the first step, and spikes of one channel in one step become one spike; a warning states how many
        spikes are lost.

    Returns
    -------
    ndarray
        The spikes, bool [trials, steps, channels].

    Raises
    ------
    circuits.errors.UserError
        With one line that names the trial and the channel of what is wrong.

    Examples
    --------
    >>> import circuits
    >>> circuits.on_grid([[[1.0, 2.4]]], dt_ms=1.0, duration_ms=4.0, grid="nearest")[0, :, 0]
    array([ True,  True, False, False])
    """
    _check_grid(grid)
    if not (np.isfinite(dt_ms) and dt_ms > 0):
        raise UserError(f"dt_ms: a time above 0, not {dt_ms}")
    if not _is_list(spikes) or len(spikes) == 0 or not _is_list(spikes[0]):
        raise UserError("spikes: must be a list of at least one trial, each a list of one list of times per channel")
    return _on_grid(spikes, dt_ms, duration_ms, len(spikes[0]), grid)


def _check_grid(grid):
    if grid not in GRIDS:
        raise UserError(f"grid: one of {', '.join(GRIDS)}, not {grid!r}")


def _on_grid(spikes, dt, duration_ms, channels, grid):
    if duration_ms is None:
        raise UserError("duration_ms: is needed when spikes are given as times")
    if not _is_list(spikes) or len(spikes) == 0:
        raise UserError("spikes: must be a list of at least one trial")
    if not (np.isfinite(duration_ms) and duration_ms >= dt):
        raise UserError(f"duration_ms: at least one step of {dt:g} ms, not {duration_ms}")
    if abs(duration_ms / dt - round(duration_ms / dt)) > 1e-6:
        raise UserError(f"duration_ms: {duration_ms:g} ms is no whole number of steps of {dt:g} ms")
    steps = round(duration_ms / dt)
    raster, total = np.zeros((len(spikes), steps, channels), bool), 0
    for t, trial in enumerate(spikes):
        if not _is_list(trial) or len(trial) != channels:
            actual = len(trial) if _is_list(trial) else repr(trial)
            raise UserError(f"spikes[{t}]: one list of times per input channel, {channels} in all, not {actual}")
        for c, times in enumerate(trial):
            rows = _rows(times, dt, steps, grid, f"spikes[{t}][{c}]")
            raster[t, rows, c] = True
            total += len(rows)
    lost = total - np.count_nonzero(raster)
    if lost:
        text = f'grid="{grid}": {lost} of {total} spikes fell into a step of {dt:g} ms with another one, and are one with it'
        warnings.warn(text, stacklevel=_stack_level())
    return raster


def _stack_level():
    """The stack level of the first caller outside this package, which a warning names."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == "circuits":
        level, frame = level + 1, frame.f_back
    return level


def _is_list(value):
    return isinstance(value, (list, tuple, np.ndarray))


def _rows(times, dt, steps, grid, location):
    """The row of each spike, in their order."""
    try:
        at = np.asarray(times, "f8").reshape(-1) / dt
    except (TypeError, ValueError):
        raise UserError(f"{location}: spike times must be numbers in ms") from None
    if not np.isfinite(at).all():
        raise UserError(f"{location}: {at[~np.isfinite(at)][0]} ms is no time")
    near, tolerance = np.rint(at), np.clip(1e-6 * np.abs(at), 1e-6, 1e-2)  # the precision of times that may be float32
    on_a_step = np.abs(at - near) <= tolerance
    exact = grid == "exact"
    if exact:
        outside, unordered = (near < 1) | (near > steps), np.diff(near, prepend=0) <= 0
    else:
        outside, unordered = (at < -tolerance) | (at > steps + tolerance), np.diff(at, prepend=-np.inf) < 0
    first, after = (f"{dt:g} ms", "later than") if exact else ("0", "in order with")
    checks = (
        (outside, f"is outside the trial: {first} <= time <= {steps * dt:g} ms"),
        (exact & ~on_a_step, f'is not on the grid of {dt:g} ms; grid="nearest" or "up" rounds it'),
        (unordered, f"is not {after} the spike before it"),
    )
    for bad, text in checks:
        if bad.any():
            raise UserError(f"{location}: {at[np.argmax(bad)] * dt:g} ms {text}")
    between = np.ceil(at) if grid == "up" else np.floor(at + 0.5 + tolerance)
    return np.maximum(np.where(on_a_step, near, between), 1).astype("i8") - 1
