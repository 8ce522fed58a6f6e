"""Teacher forcing: what the neurons that are read send on is not what they did but what they should have done.

A circuit that is to do what was measured fails as a whole where one of its neurons errs: what depends on that neuron goes wrong
after it. With the measured spikes in place of its own (Williams and Zipser, Neural Comput. 1, 1989) each neuron that is read
depends on its own parameters and on those of the neurons that are not, and single faults are seen as what they are.
"""

from typing import NamedTuple

import numpy as np

from circuits.simulation.packed import PackedCircuits

_BY_CIRCUIT = ("neurons", "bounds", "table", "n_ref", "fan_out", "readout", "excitatory")


class Forced(NamedTuple):
    """Circuits that a teacher can force.

    rows    int64 [F]: those whose read neurons send something on; in the others nothing would change
    tables  these, with one more input channel for each output slot, after the others: what it sends is what the read neuron
            would have sent
    """

    rows: np.ndarray
    tables: PackedCircuits


def forced(tables: PackedCircuits) -> Forced:
    """The circuits of these tables as a teacher forces them."""
    channels, slots = tables.channels, tables.readout.shape[1]
    sent = np.zeros(tables.readout.shape, "i8")
    there = tables.readout >= 0
    circuit, _ = np.nonzero(there)
    sent[there] = tables.fan_out[circuit, channels + tables.readout[there]]
    rows = np.flatnonzero(sent.any(axis=1))
    some = {name: getattr(tables, name) for name in _BY_CIRCUIT}
    some = {name: None if array is None else array[rows] for name, array in some.items()}
    source = _sources(some["readout"], channels, tables.n_ref.shape[1])
    fan_out = np.zeros((len(rows), source.shape[1] + slots), "i8")
    np.put_along_axis(fan_out, source, some["fan_out"], axis=1)
    lists = {"offset": _moved(tables, tables, rows, source, slots)}
    for name in ("short_term", "stdp"):
        plastic = getattr(tables, name)
        if plastic is not None:
            lists[name] = plastic._replace(bounds=plastic.bounds[rows], offset=_moved(plastic, tables, rows, source, slots))
    if tables.drive is not None:
        lists["drive"] = tables.drive._replace(bounds=tables.drive.bounds[rows])
    return Forced(rows, tables._replace(**some | lists | {"fan_out": fan_out, "channels": channels + slots}))


def _sources(readout, channels, neurons):
    """The column of each source among those of the forced circuits, int64 [F, channels + neurons]."""
    circuits, slots = readout.shape
    found = np.tile(np.arange(channels + neurons), (circuits, 1))
    found[:, channels:] += slots
    for slot in range(slots):
        read = np.flatnonzero(readout[:, slot] >= 0)
        found[read, channels + readout[read, slot]] = channels + slot
    return found


def _moved(lists, tables, rows, source, slots):
    """The offsets of synapses, `column - delay * width`, as they are with more channels; those of other circuits stay."""
    width = tables.channels + tables.n_ref.shape[1]
    first, end = lists.bounds[rows, 0, 0], lists.bounds[rows, :, 2].max(axis=1)
    count = end - first
    place = np.repeat(np.arange(len(rows)), count)
    mine = np.arange(len(place)) + np.repeat(first - np.cumsum(count) + count, count)
    delay, column = -(lists.offset[mine] // width), lists.offset[mine] % width
    offset = lists.offset.copy()
    offset[mine] = source[place, column] - delay * (width + slots)
    return offset
