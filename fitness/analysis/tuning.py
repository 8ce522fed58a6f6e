"""Tuning curves: responses of the outputs over the task's variable."""

import numpy as np
from typing_extensions import TypedDict

from circuits.errors import UserError
from circuits.simulation.raster import Raster
from fitness.analysis.numbers import rounded
from fitness.base.task import Task
from fitness.base.trials import Trials
from fitness.scoring.confidence import student

POINTS = 12  # of a curve; a variable with more values is divided into as many bins


def _half_width(counts):
    """Half the width of the 95 % confidence interval of the mean of counts [trials, outputs]; 0 for one trial."""
    n = len(counts)
    return counts.std(axis=0, ddof=1) * (student(n - 1) / np.sqrt(n)) if n > 1 else np.zeros(counts.shape[1])


def variable_of(task: Task, trials: Trials) -> tuple[str, np.ndarray]:
    """The task's variable in these trials, float64 [trials], checked. Raises UserError."""
    named = task._call(task.variable, trials)
    if not (isinstance(named, tuple) and len(named) == 2 and isinstance(named[0], str)):
        raise UserError(f"task {task.title()}: variable must return (name, values)")
    value = np.asarray(named[1])
    if value.shape != (len(trials),) or value.dtype.kind not in "biuf" or not np.isfinite(value).all():
        raise UserError(f"task {task.title()}: variable must return one finite number per trial [{len(trials)}]")
    return named[0], value.astype("f8")


def _parts(value):
    """The trials of each point of the curve: those of one value, or equally many of neighbouring values."""
    values = np.unique(value)
    if len(values) <= POINTS:
        return [np.flatnonzero(value == v) for v in values]
    return [m for m in np.array_split(np.argsort(value, kind="stable"), POINTS) if len(m)]


class Band(TypedDict):
    """Spikes per trial at each x: the mean and its 95 % confidence interval (Student's)."""

    mean: list[float]
    low: list[float]
    high: list[float]


class Tuning(TypedDict):
    """Responses of the outputs over the task's variable.

    variable  its name, with the unit in brackets if it has one: "class", "lag [ms]"
    x         its values, ascending: those that occur, or of a continuous one the means of 12 bins with as many trials each
    trials    their number at each x;   outputs  by port
    """

    variable: str
    x: list[float]
    trials: list[int]
    outputs: dict[str, Band]


def tuning(task: Task, held_out: Trials, raster: Raster) -> Tuning:
    """The part `tuning` of an analysis, from the output spikes of one circuit in the trials."""
    name, value = variable_of(task, held_out)
    counts = raster.outputs.counts()
    members = _parts(value)
    mean = np.stack([counts[m].mean(axis=0) for m in members])
    half = np.stack([_half_width(counts[m]) for m in members])
    low, high = np.maximum(mean - half, 0.0), mean + half
    bands: dict[str, Band] = {
        port: {"mean": rounded(mean[:, k]), "low": rounded(low[:, k]), "high": rounded(high[:, k])}
        for k, port in enumerate(task.outputs)
    }
    x = rounded(value[m].mean() for m in members)
    return {"variable": name, "x": x, "trials": [len(m) for m in members], "outputs": bands}
