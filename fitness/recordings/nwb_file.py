"""NWB: spike times of units, stimulus events, trials or epochs.

units     named by a column `name` or `unit_name`, otherwise by their ids; a column `role` says input or output, without it all
          are outputs
inputs    beside such units, everything in `stimulus` that has times of its own and no values that vary, and tables of events
signals   sampled series in `stimulus`; in `acquisition` series with the name of a unit, which are its membrane potential
trials    the table of trials; the epochs of given names; without either all of it is one trial, from 0

Times are in seconds, as the format says.
"""

import io

import numpy as np

from circuits.errors import UserError
from circuits.imports.hdf5_heaps import check_heaps
from fitness.recordings.packages import needed
from fitness.recordings.recording import Signal, end_after
from fitness.recordings.table import ROLES

EDGE_S = 1e-9


def trials(content: bytes, name: str, epochs=()):
    """The trials, as `Recording.of` takes them."""
    pynwb, h5py = needed("pynwb", name), needed("h5py", name)
    check_heaps(content, name)
    try:
        with h5py.File(io.BytesIO(content), "r") as file, pynwb.NWBHDF5IO(file=file, mode="r") as opened:
            nwb = opened.read()
            trains = _units(nwb, name)
            signals = _stimulus(nwb, trains, name)
            for key, table in (getattr(nwb, "events", None) or {}).items():
                trains["input"].setdefault(key, np.asarray(table["timestamp"][:], "f8"))
            stretches = _stretches(nwb, name, epochs)
    except (OSError, KeyError, AttributeError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{name}: is no NWB file that can be read: {error}") from None
    if not trains["output"] and not trains["input"]:
        raise UserError(f"{name}: lacks units with spike times; found {_holds(nwb)}")
    if not stretches:
        last = max((float(t.max(initial=0.0)) for role in ROLES for t in trains[role].values()), default=0.0)
        stretches = [("0", 0.0, end_after(1000 * last) / 1000, True)]
    return [
        (
            trial,
            1000 * (stop - start),
            *({key: _within(t, start, stop, closed) for key, t in trains[role].items()} for role in ROLES),
            {key: piece for key, signal in signals.items() if len((piece := _cut(signal, start, stop)).values)},
        )
        for trial, start, stop, closed in stretches
    ]


def _units(nwb, name):
    """Spike times in s by role and name."""
    trains: dict[str, dict[str, np.ndarray]] = {role: {} for role in ROLES}
    units = nwb.units
    if units is None:
        return trains
    if "spike_times" not in units.colnames:
        raise UserError(f"{name}: units: lack spike_times; found {', '.join(units.colnames)}")
    title = next((column for column in ("name", "unit_name") if column in units.colnames), None)
    names = [str(n) for n in (units[title][:] if title else units.id[:])]
    roles = [str(r) for r in units["role"][:]] if "role" in units.colnames else ["output"] * len(names)
    for k, (train, role) in enumerate(zip(names, roles, strict=True)):
        if role not in ROLES:
            raise UserError(f"{name}: units: role of {train} must be input or output, not {role!r}")
        if train in trains[role]:
            raise UserError(f"{name}: units: two {role}s are called {train}")
        trains[role][train] = np.asarray(units["spike_times"][k], "f8")
    return trains


def _stimulus(nwb, trains, name):
    """Add events to `trains`; return the sampled signals, each with its start in s."""
    signals: dict[str, tuple[float, float, np.ndarray, str]] = {}
    for key, series in nwb.stimulus.items():
        data = np.asarray(series.data) if getattr(series, "data", None) is not None else np.zeros(0)
        times = None if getattr(series, "timestamps", None) is None else np.asarray(series.timestamps, "f8")
        if times is not None and (data.dtype.kind not in "fiu" or len(np.unique(data)) < 2):
            if key in trains["input"]:
                raise UserError(f"{name}: two inputs are called {key}")
            trains["input"][key] = times
        elif _is_sampled(data):
            signals[key] = _sampled(series, data, times, f"{name}: stimulus {key}")
    for key, series in nwb.acquisition.items():
        if key in trains["output"]:
            data = np.asarray(series.data)
            times = None if getattr(series, "timestamps", None) is None else np.asarray(series.timestamps, "f8")
            if _is_sampled(data):
                signals[key] = _sampled(series, data, times, f"{name}: acquisition {key}")
    return signals


def _is_sampled(data):
    return data.ndim == 1 and len(data) > 1 and data.dtype.kind in "fiub"


def _sampled(series, data, times, where):
    """(start in s, step in s, values, unit) of a series."""
    even = times is not None and np.allclose(np.diff(times), times[1] - times[0], rtol=1e-3, atol=0)
    if times is not None and not even:
        raise UserError(f"{where}: is sampled at uneven times; give it a rate, or events alone")
    start, step = (times[0], times[1] - times[0]) if even else (series.starting_time or 0.0, 1 / series.rate)
    conversion = getattr(series, "conversion", 1.0) or 1.0
    return float(start), float(step), data.astype("f8") * conversion, str(series.unit)


def _stretches(nwb, name, epochs):
    """(name, start, stop, whether its end belongs to it) of each trial, in s."""
    if epochs:
        table = nwb.epochs
        rows = [] if table is None else table.to_dataframe().to_dict("records")
        tagged = [(row, _tags(row)) for row in rows]
        chosen = [(tags[0], row) for row, tags in tagged if set(tags) & set(epochs)]
        if not chosen:
            known = ", ".join(dict.fromkeys(tag for _, tags in tagged for tag in tags)) or "none"
            raise UserError(f"{name}: has no epochs {', '.join(epochs)}; found {known}"[:300])
        names = [tag for tag, _ in chosen]
        stretches = [(f"{tag}-{k}" if names.count(tag) > 1 else tag, r) for k, (tag, r) in enumerate(chosen)]
    elif nwb.trials is not None and len(nwb.trials):
        frame = nwb.trials.to_dataframe()
        column = next((c for c in ("name", "trial") if c in frame), None)
        named = [str(v) for v in (frame[column] if column else frame.index)]
        stretches = list(zip(named, frame.to_dict("records"), strict=True))
    else:
        return []
    starts = [float(row["start_time"]) for _, row in stretches]
    ends = [(trial, float(row["start_time"]), float(row["stop_time"])) for trial, row in stretches]
    return [(t, start, stop, not np.isclose(starts, stop, rtol=0, atol=EDGE_S).any()) for t, start, stop in ends]


def _tags(row):
    tags = row.get("tags", row.get("label", ()))
    return [str(tag) for tag in ([tags] if isinstance(tags, str) else tags)]


def _within(times, start, stop, closed):
    """The times within a trial, in ms from its start. A spike at the end of a trial that is the start of another one belongs to
    the other."""
    last = times <= stop + EDGE_S if closed else times < stop - EDGE_S
    return np.clip(1000 * (times[(times >= start - EDGE_S) & last] - start), 0, 1000 * (stop - start))


def _cut(signal, start, stop):
    begin, step, values, unit = signal
    first, last = (max(round((t - begin) / step), 0) for t in (start, stop))
    return Signal(1000 * step, values[first:last], unit)


def _holds(nwb):
    parts = {"units": nwb.units, "trials": nwb.trials, "epochs": nwb.epochs}
    return ", ".join([*(k for k, v in parts.items() if v is not None), *nwb.stimulus, *nwb.acquisition]) or "nothing"
