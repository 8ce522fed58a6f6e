"""Reading labelled spikes from CSV, NPZ and the HDF5 layout of the Heidelberg digits."""

import csv
import io
from pathlib import PurePath

import numpy as np

from circuits.errors import UserError
from circuits.files import decoded, npz_arrays
from circuits.imports.hdf5_heaps import check_heaps
from fitness.datasets.events import Events, checked, classes, parts_of
from fitness.recordings.packages import needed
from fitness.recordings.recording import natural
from fitness.recordings.table import UNITS, time_column

COLUMNS = "item", "label", "channel"  # beside the times


def read(name: str, content: bytes) -> Events:
    """The labelled spikes in a file. Raises UserError that names the file, the missing and the present columns; MachineError
    where h5py is missing."""
    name = PurePath(name).name
    ending = PurePath(name).suffix.lower()
    kinds = {".csv": _csv, ".npz": _npz, ".h5": _heidelberg, ".hdf5": _heidelberg}
    if ending not in kinds:
        raise UserError(f"{name}: {ending or 'no ending'} is no format of data sets; known are {', '.join(kinds)}")
    return checked(kinds[ending](name, content), name)


def _csv(name, content):
    rows = [row for row in csv.reader(decoded(content, name).splitlines()) if row and not row[0].startswith("#")]
    if not rows:
        raise UserError(f"{name}: is empty; expected a first line item,label,channel,time_ms and one row per spike")
    header = [column.strip() for column in rows[0]]
    short = next((k for k, row in enumerate(rows) if len(row) < len(header)), None)
    if short is not None:
        raise UserError(f"{name}: row {short}: has {len(rows[short])} columns, the first line names {len(header)}")
    columns = {column: np.array([row[k].strip() for row in rows[1:]]) for k, column in enumerate(header)}
    return _table(name, columns)


def _table(name, columns):
    """Events from columns, arrays [spikes] each."""
    time = time_column(columns, name, COLUMNS)
    if len({np.shape(columns[c]) for c in (*COLUMNS, time)}) > 1 or np.ndim(columns[time]) != 1:
        raise UserError(f"{name}: {', '.join(COLUMNS)} and {time} must be arrays of one length, [spikes]")
    try:
        ms = np.where(columns[time] == "", "nan", columns[time]) if columns[time].dtype.kind == "U" else columns[time]
        ms = ms.astype("f8") * UNITS[time]
    except ValueError as error:
        raise UserError(f"{name}: {time} must hold numbers: {error}") from None
    items = [str(item) for item in columns["item"].tolist()]
    order = {item: k for k, item in enumerate(natural(set(items)))}
    number = np.array([order[item] for item in items], "i8")
    first = np.unique(number, return_index=True)[1]
    for column in ("label", "group", "part"):
        if column in columns and (np.asarray(columns[column])[first][number] != columns[column]).any():
            wrong = items[int(np.argmax(np.asarray(columns[column])[first][number] != columns[column]))]
            raise UserError(f"{name}: item {wrong} has more than one {column}")
    channels = natural({str(c) for c in columns["channel"].tolist() if str(c)})
    numbers = [int(c) if c.isdecimal() else -1 for c in channels]
    channel_of = dict(zip(channels, numbers if min(numbers, default=0) >= 0 else range(len(channels)), strict=True))
    spikes = np.isfinite(ms)
    channel = np.array([channel_of[str(c)] for c in np.asarray(columns["channel"])[spikes].tolist()], "i8")
    labels, names = classes(np.asarray(columns["label"])[first])
    groups = np.asarray(columns["group"])[first] if "group" in columns else None
    parts = parts_of(np.asarray(columns["part"])[first], name) if "part" in columns else None
    count = max([*channel_of.values(), 0]) + 1
    return Events(number[spikes], channel, ms[spikes], labels, names, count, groups, parts)


def _npz(name, content):
    arrays = npz_arrays(content, name)
    if "spikes" not in arrays:
        return _table(name, arrays)
    spikes = arrays["spikes"]
    missing = [key for key in ("labels", "dt_ms") if key not in arrays]
    if missing:
        raise UserError(f"{name}: lacks {' and '.join(missing)} beside spikes; found {', '.join(arrays)}"[:300])
    if spikes.dtype != bool or spikes.ndim != 3 or np.shape(arrays["labels"]) != spikes.shape[:1]:
        shapes = f"{spikes.dtype} {list(spikes.shape)} and {list(np.shape(arrays['labels']))}"
        raise UserError(f"{name}: spikes must be bool [items, steps, channels] and labels [items], not {shapes}")
    for key in ("groups", "parts"):
        if key in arrays and np.shape(arrays[key]) != (len(spikes),):
            raise UserError(f"{name}: {key} must be [items], {len(spikes)}, not {list(np.shape(arrays[key]))}")
    item, step, channel = np.nonzero(spikes)
    labels, names = classes(arrays["labels"])
    parts = parts_of(arrays["parts"].tolist(), name) if "parts" in arrays else None
    times = (step + 1) * float(arrays["dt_ms"])
    return Events(item, channel, times, labels, names, spikes.shape[2], arrays.get("groups"), parts)


def _heidelberg(name, content):
    h5py = needed("h5py", name, "data")
    check_heaps(content, name)
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            missing = [key for key in ("labels", "spikes/times", "spikes/units") if key not in file]
            if missing:
                raise UserError(
                    f"{name}: lacks {' and '.join(missing)} of the Heidelberg layout; found {', '.join(file)}"[:300]
                )
            labels = np.asarray(file["labels"], "i8")
            times, units = file["spikes/times"][:], file["spikes/units"][:]
            speakers = np.asarray(file["extra/speaker"]) if "extra/speaker" in file else None
            keys = file["extra/keys"][:] if "extra/keys" in file else None
    except (OSError, KeyError, AttributeError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{name}: is no HDF5 file of the Heidelberg layout: {error}") from None
    sizes = [len(train) for train in times]
    if not len(labels) == len(times) == len(units) or sizes != [len(train) for train in units]:
        raise UserError(f"{name}: labels, spikes/times and spikes/units do not fit each other")
    if speakers is not None and speakers.shape != labels.shape:
        raise UserError(f"{name}: extra/speaker must be one for each item, {len(labels)}")
    item = np.repeat(np.arange(len(labels)), sizes)
    channel = np.concatenate([*map(np.asarray, units), []]).astype("i8")
    ms = np.concatenate([*map(np.asarray, times), []]).astype("f8") * 1000  # in seconds
    key_names = None if keys is None else [k.decode() if isinstance(k, bytes) else str(k) for k in keys]
    class_of, names = classes(labels, key_names if key_names is not None and len(key_names) > labels.max(initial=0) else None)
    return Events(item, channel, ms, class_of, names, int(channel.max(initial=-1)) + 1, speakers)
