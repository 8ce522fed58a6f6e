"""Activity of circuits in a few trials, as short lists for the page: spikes, potentials, currents. Runs no code of a run."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from circuits.circuit import Circuit
from circuits.motif_file import Motif
from circuits.simulation.raster import Raster
from circuits.simulation.simulate import simulate
from evo.storage.run_folder import Run
from fitness.analysis import MOTIF_TRIALS, task_of, trials_for
from fitness.analysis.activity import irregularity

SHOWN = 12  # trials, of different classes if possible
TRACED = 4  # trials with potentials and currents
POINTS = 400  # of a trace
LEVELS = 250  # of the values of a trace
AT_ONCE = 2**23  # numbers recorded together: 64 MB


class Shown(NamedTuple):
    """Trials to show: spikes bool [trials, steps, channels], the class of each, the environment of a closed loop, and the
    signals of the sampled channels, [trials, steps, sampled channels]."""

    spikes: np.ndarray
    labels: np.ndarray
    environment: Any = None
    noise_seed: int = 0
    signals: np.ndarray | None = None

    @property
    def traced(self) -> list[int]:
        """The trials whose potentials are shown: one of each of the first classes."""
        return sorted(np.unique(self.labels, return_index=True)[1].tolist())[:TRACED]

    @classmethod
    def none(cls) -> "Shown":
        return cls(np.zeros((0, 1, 0), bool), np.zeros(0, int))


def of_run(run: Run) -> Shown:
    """The example trials of a run; those of a closed loop are made anew, with their environment, for our own tasks."""
    if run.examples is None:
        return Shown.none()
    if (task := run.spec.judge_class.closed_loop(run.spec.task)) is not None:
        return _held_out(task, run.spec.search.seed, run.spec.search.held_out)
    trials, signals = chosen(run.examples.labels), run.examples.driven
    signals = None if signals is None else signals[trials]
    return Shown(run.examples.spikes[trials], run.examples.labels[trials], signals=signals)


def of_motif(motif: Motif) -> Shown:
    """Trials of the task that a motif was evolved for, none if the task is not one of ours: a stranger's is never executed."""
    task = task_of(motif)
    return Shown.none() if task is None else _held_out(task, motif.provenance.seed or 1, MOTIF_TRIALS)


def _held_out(task, seed, count):
    trials, _ = trials_for(task, seed, count)
    selected = trials.take(chosen(trials.labels))
    return Shown(selected.spikes, selected.labels, task.environment(selected), selected.noise_seed, selected.signals)


def chosen(labels):
    """The first two trials of each class, or one where there are many classes."""
    classes = np.unique(labels)[:SHOWN]
    per_class = 2 if 2 * len(classes) <= SHOWN else 1
    return np.concatenate([np.flatnonzero(labels == label)[:per_class] for label in classes])


def inputs(shown: Shown) -> list:
    """The input spikes of every trial and channel, as in `activity`."""
    return _trains(shown.spikes)


def activity(circuit: Circuit, shown: Shown, traces: bool = True, of: Sequence[int] | None = None) -> dict:
    """Activity of a circuit in the trials, simulated in float64; of: the neurons with traces, by default all.

    spikes  per trial and neuron the steps with a spike, each as its distance from the one before (the first from 0): row k is
            the time (k + 1) dt;   heard  in a closed loop the same of the input channels, else None
    rate_hz, cv  of every neuron in these trials: mean rate, and coefficient of variation of its intervals (None: too few)
    traces  None, or `trials` (their numbers), `stride` (steps between points, and before the first one) and `v`, `e`, `i` per
            trial and neuron: see `_packed`; None for neurons without traces
    """
    few = traces and of is not None
    ids = [circuit.neurons[k].id for k in of or ()]
    raster = _simulated(circuit, shown, record=ids, record_trials=shown.traced) if few else _simulated(circuit, shown)
    if few:
        traced = _packed_traces(shown, _points(raster, shown), of, len(circuit.neurons))
    else:
        traced = _traces(circuit, shown) if traces else None
    return {
        "spikes": _trains(raster.spikes()),
        "heard": _trains(raster.stimulus.spikes()) if shown.environment and raster.stimulus else None,
        "rate_hz": [float(f"{rate:.5g}") for rate in raster.rates().mean(axis=0)],
        "cv": [None if np.isnan(cv) else float(f"{cv:.4g}") for cv in irregularity(raster)],
        "traces": traced,
    }


def _simulated(circuit: Circuit, shown: Shown, **options) -> Raster:
    stimulus = {"seed": shown.noise_seed, "environment": shown.environment, "signals": shown.signals}
    return simulate(circuit, shown.spikes, **stimulus, **options)


def _traces(circuit, shown):
    steps, ids, parts = shown.spikes.shape[1], [n.id for n in circuit.neurons], []
    per_neuron = steps * len(circuit.model.states) * 64
    at_once = max(1, AT_ONCE // per_neuron)
    for first in range(0, len(ids), at_once):
        recorded = ids[first : first + at_once]
        parts.append(_points(_simulated(circuit, shown, record=recorded, record_trials=shown.traced), shown))
    whole = [np.concatenate(blocks, axis=2) for blocks in zip(*parts, strict=True)]
    return _packed_traces(shown, whole, range(len(ids)), len(ids))


def _points(raster, shown):
    """The recorded traces, thinned out: v, e and i, each [trials, points, neurons]."""
    traces, stride = raster.traces, _stride(shown)
    return [a[:, stride - 1 :: stride] for a in (traces.v_mv, traces.i_e_mv, traces.i_i_mv)]


def _packed_traces(shown, parts, of, count):
    at = {neuron: k for k, neuron in enumerate(of)}
    packed = {
        name: [[_packed(trial[:, at[n]]) if n in at else None for n in range(count)] for trial in part]
        for name, part in zip(("v", "e", "i"), parts, strict=True)
    }
    return {"trials": shown.traced, "stride": _stride(shown), **packed}


def _stride(shown):
    return -(-shown.spikes.shape[1] // POINTS)


def _packed(values):
    """A trace as [minimum, step, differences]: the values are minimum + step * the running sum of the differences."""
    low, high = float(values.min()), float(values.max())
    step = float(f"{(high - low) / LEVELS:.4g}") or 1.0
    levels = np.rint((values - low) / step).astype(int)
    return [float(f"{low:.6g}"), step, np.diff(levels, prepend=0).tolist()]


def _trains(spikes):
    return [[np.diff(np.flatnonzero(column), prepend=0).tolist() for column in trial.T] for trial in spikes]
