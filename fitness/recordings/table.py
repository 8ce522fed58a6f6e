"""A table with a row for every spike as trials: the form of CSV and NPZ files."""

from collections.abc import Mapping

import numpy as np

from circuits.errors import UserError
from fitness.recordings.recording import end_after

ROLES = ("input", "output")
UNITS = {"time_ms": 1.0, "time_s": 1e3, "time_us": 1e-3}  # columns with a time, and how many ms their unit is
COLUMNS = "trial", "role", "name"  # of recordings, beside the times


def time_column(columns, where: str, required=COLUMNS) -> str:
    """The name of the column with the times; UserError where `required` columns are missing or there are two with times."""
    times = [column for column in UNITS if column in columns]
    missing = [column for column in required if column not in columns] + ([] if times else ["time_ms"])
    names = ", ".join(map(str, columns)) or "none"
    if missing:
        raise UserError(f"{where}: lacks {', '.join(missing)} of {', '.join(required)}, time_ms; found {names}"[:300])
    if len(times) > 1:
        raise UserError(f"{where}: has {' and '.join(times)}; give times once")
    return times[0]


def as_trials(trial, role, name, time_ms, where, duration_ms: float | Mapping[str, float] | None = None):
    """Trials as `Recording.of` takes them.

    trial, role, name  texts [spikes];   time_ms  float64 [spikes], NaN in a row that only says that there is such a train
    where(k)           the row of the file that row k stands in, for errors
    duration_ms        of all trials, or by trial; None: see `end_after`
    """
    trials: dict[str, dict[str, dict[str, list]]] = {}
    for k, (t, r, n, ms) in enumerate(zip(trial, role, name, time_ms, strict=True)):
        if r not in ROLES:
            raise UserError(f"{where(k)}: role must be input or output, not {r!r}")
        train = trials.setdefault(t, {role: {} for role in ROLES})[r].setdefault(n, [])
        if ms == ms:
            train.append(ms)
    if duration_ms is None:
        finite = np.asarray(time_ms, "f8")
        duration_ms = end_after(float(np.nanmax(finite, initial=0.0)))
    if isinstance(duration_ms, Mapping):
        for t in duration_ms:
            trials.setdefault(t, {role: {} for role in ROLES})
    for t, trains in trials.items():
        end = duration_ms.get(t) if isinstance(duration_ms, Mapping) else duration_ms
        if end is None:
            raise UserError(f"{where(-1)}: trial {t}: has no duration")
        yield t, end, trains["input"], trains["output"]
