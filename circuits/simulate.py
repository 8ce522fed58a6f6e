"""Running circuits: `simulate` for people, `simulate_population` for the search. Both end in the same kernel."""

from typing import NamedTuple

import numpy as np

from circuits import kernel
from circuits.circuit import Circuit
from circuits.compiled import compiled
from circuits.errors import UserError
from circuits.raster import Raster, _popcount, lane_masks, pack
from circuits.tables import Tables, from_circuit


def simulate(circuit: Circuit, spikes, duration_ms: float | None = None, dtype="float64") -> Raster:
    """Simulate a circuit from rest and return the spikes of all its neurons.

    spikes       bool [trials, steps, channels] (row k: spikes stamped (k + 1) dt), or nested lists of spike times in ms,
                 spikes[trial][channel] = ascending times on the grid of dt, dt <= time <= duration_ms
    duration_ms  length of a trial; with a bool array it may be left out
    dtype        "float64" (the reference) or "float32" (what the search uses)
    Returns a Raster whose columns are the circuit's neurons. Raises UserError naming the trial and channel of bad input.
    """
    if dtype not in ("float32", "float64", np.float32, np.float64):
        raise UserError(f"dtype: float32 or float64, not {dtype}")
    real = np.dtype(dtype)
    dense = _dense(circuit, spikes, duration_ms)
    tables = from_circuit(circuit, real)
    bits, masks = pack(dense), lane_masks(len(dense))
    scratch = kernel.scratch(tables, dense.shape[1])
    out = np.empty((*bits.shape[:2], len(circuit.neurons)), "u8")
    for block, mask in enumerate(masks):
        scratch.raster[tables.history :, : tables.channels] = bits[block]
        kernel.rest(tables, 0, scratch, tables.short_term, tables.stdp, False)
        kernel.run(tables, 0, scratch, tables.history, len(scratch.raster), tables.short_term, tables.stdp, None, None)
        out[block] = scratch.raster[tables.history :, tables.channels :] & mask
    return Raster(out, len(dense), circuit.dt_ms, tuple(n.id for n in circuit.neurons), tuple(tables.readout[0]))


class Activity(NamedTuple):
    """What a population of `B` circuits did.

    outputs  uint64 [B, blocks, steps, R]: spikes in the output slots
    spikes   int64 [B]: spikes of all neurons over all trials;  events  int64 [B]: synaptic events (spike times synapses it
    travels, those from input channels included)
    """

    outputs: np.ndarray
    spikes: np.ndarray
    events: np.ndarray


def simulate_population(tables: Tables, inputs, trials: int) -> Activity:
    """Simulate many circuits on the same trials; inputs is uint64 [blocks, steps, channels] (`raster.pack`)."""
    batch, (blocks, steps, _) = len(tables.neurons), inputs.shape
    outputs = np.empty((batch, blocks, steps, tables.readout.shape[1]), "u8")
    spikes, events = np.zeros(batch, "i8"), np.zeros(batch, "i8")
    _simulate_all(tables, inputs, lane_masks(trials), outputs, spikes, events, kernel.scratch(tables, steps))
    return Activity(outputs, spikes, events)


@compiled
def _simulate_all(tables, inputs, masks, outputs, spikes, events, scratch):
    blocks, steps, _ = inputs.shape
    channels, history, neurons, readout, raster = (
        tables.channels, tables.history, tables.neurons, tables.readout, scratch.raster
    )  # fmt: skip
    for block in range(blocks):
        raster[history:, :channels] = inputs[block]
        for b in range(len(neurons)):
            kernel.rest(tables, b, scratch, None, None, False)
            kernel.run(tables, b, scratch, history, history + steps, None, None, None, None)
            for source in range(channels + neurons[b]):
                count = 0
                for k in range(history, history + steps):
                    count += _popcount(raster[k, source] & masks[block])
                spikes[b] += count if source >= channels else 0
                events[b] += count * tables.fan_out[b, source]
            for k in range(steps):
                for r in range(readout.shape[1]):
                    outputs[b, block, k, r] = raster[history + k, channels + readout[b, r]] & masks[block]


def _dense(circuit, spikes, duration_ms):
    """The input as bool [trials, steps, channels], or a UserError that names the place."""
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
    dense = np.zeros((len(spikes), steps, channels), bool)
    for t, trial in enumerate(spikes):
        if not _is_list(trial) or len(trial) != channels:
            given = len(trial) if _is_list(trial) else repr(trial)
            raise UserError(f"spikes[{t}]: one list of times per input channel, {channels} in all, not {given}")
        for c, times in enumerate(trial):
            dense[t, _rows(times, dt, steps, f"spikes[{t}][{c}]"), c] = True
    return dense


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
