"""Labelled spikes, independent of the file format."""

from typing import NamedTuple

import numpy as np

from circuits.errors import UserError

PARTS = {"train": 0, "search": 0, "validation": 1, "test": 2, "held_out": 2}  # numbers of parts by their names in files


class Events(NamedTuple):
    """Spikes of labelled items.

    item, channel, time_ms  int64, int64, float64 [spikes]: number of the item, channel and time, from 0
    labels    int64 [items];   names  of the classes, in the order of their numbers
    channels  their number
    groups    [items] or None: the speaker, animal, ... of each item; none may be in two parts
    parts     int64 [items] or None: 0 to search on, 1 to validate on, 2 held out, as in the file
    """

    item: np.ndarray
    channel: np.ndarray
    time_ms: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    channels: int
    groups: np.ndarray | None = None
    parts: np.ndarray | None = None


def classes(labels, names=None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels, ints or texts [items], as numbers from 0, and the name of each number."""
    distinct, number = np.unique(np.asarray(labels), return_inverse=True)
    return number.astype("i8"), tuple(str(label) if names is None else str(names[label]) for label in distinct.tolist())


def parts_of(texts, where: str) -> np.ndarray | None:
    """Numbers of parts from their names in a file, None where it names none. Raises UserError for unknown names."""
    texts = [str(text) for text in texts]
    if not any(texts):
        return None
    unknown = sorted(set(texts) - PARTS.keys())
    if unknown:
        raise UserError(f"{where}: part must be one of {', '.join(PARTS)}, not {unknown[0]!r}")
    return np.array([PARTS[text] for text in texts], "i8")


def checked(events: Events, where: str) -> Events:
    """The events unchanged. Raises UserError for impossible times and channels, and for fewer than two classes."""
    if len(events.names) < 2:
        raise UserError(f"{where}: has {len(events.names)} classes; there must be two at least")
    bad = ~(np.isfinite(events.time_ms) & (events.time_ms >= 0))
    if bad.any():
        k = int(np.argmax(bad))
        raise UserError(f"{where}: item {events.item[k]}: {events.time_ms[k]} ms is no spike time; times are 0 or more")
    if len(events.channel) and not (events.channel.min() >= 0 and events.channel.max() < events.channels):
        raise UserError(f"{where}: channels must be 0 to {events.channels - 1}, found {events.channel.max()}")
    return events
