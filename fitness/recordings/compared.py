"""Measured spikes beside those of a circuit in held-out windows of a recording, residuals, interspike intervals."""

from typing import Any

import numpy as np

from circuits.circuit import Circuit
from fitness.recordings.task import HELD_OUT, RecordingTask

RUNS = 16  # of a window, with membrane noise
WINDOWS = 3  # whose spikes are shown
BINS = 40
RESIDUALS = 200  # bins that are shown at most


def compared(task: RecordingTask, circuit: Circuit, seed: int) -> dict[str, Any]:
    """Measured and simulated spikes of every output in the held-out windows, as `outputs`:

    windows   for the first windows: start in the trial in ms, and spikes in ms from there, measured (of the first repeat) and
              the circuit's (of the first run)
    isi       edges in ms, and the shares of intervals between them, measured and the circuit's
    residual  bin in ms, and in each of the first bins the rates in Hz, measured and the circuit's: means over repeats and runs
    """
    items = np.flatnonzero(task.prepared.part == HELD_OUT)
    runs = RUNS if circuit.noise_mv else 1
    trials = task.trials_of("held_out", seed, len(items) * runs)
    spikes = task.simulate(circuit, trials).outputs.spikes()
    return {"outputs": [_output(task, n, name, trials.facts["item"], spikes[..., n]) for n, name in enumerate(task.outputs)]}


def _output(task, n, name, item, spikes):
    w, dt = task.prepared.windows, task.dt_ms
    shown, measured_isi, isi, rates = [], [], [], []
    width = max(round(max(task.precision_ms, 5.0) / dt), 1)
    for i in np.unique(item):
        first, last = int(w.start[i]), int(w.stop[i])
        repeats = [w.measured.train(i, r, n, len(task.outputs)) for r in range(int(w.repeats[i]))]
        simulated = [np.flatnonzero(run[first:last]) + first for run in spikes[item == i]]
        measured_isi += [np.diff(train) * dt for train in repeats]
        isi += [np.diff(train) * dt for train in simulated]
        edges = np.arange(first, last + 1, width)
        per_bin = [sum(np.histogram(t, edges)[0] for t in ts) / len(ts) / (width * dt) * 1000 for ts in (repeats, simulated)]
        rates.append(np.array(per_bin))
        if len(shown) < WINDOWS:
            begin = float((w.origin[i] + first) * dt)
            both = [np.round((train - first + 1) * dt, 3).tolist() for train in (repeats[0], simulated[0])]
            shown.append({"start": begin, "length": (last - first) * dt, "measured": both[0], "circuit": both[1]})
    both_rates = np.concatenate(rates, axis=1)[:, :RESIDUALS]
    residual = {"bin_ms": width * dt, "measured": _rounded(both_rates[0]), "circuit": _rounded(both_rates[1])}
    return {"name": name, "windows": shown, "isi": _intervals(measured_isi, isi), "residual": residual}


def _intervals(measured, simulated):
    measured, simulated = (np.concatenate([*intervals, np.zeros(0)]) for intervals in (measured, simulated))
    longest = max((float(np.percentile(intervals, 99)) for intervals in (measured, simulated) if len(intervals)), default=1.0)
    edges = np.linspace(0, max(longest, 1e-3), BINS + 1)
    shares = [np.histogram(intervals, edges)[0] / max(len(intervals), 1) for intervals in (measured, simulated)]
    return {"edges": np.round(edges, 4).tolist(), "measured": _rounded(shares[0]), "circuit": _rounded(shares[1])}


def _rounded(values):
    return np.round(values, 4).tolist()
