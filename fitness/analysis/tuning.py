"""What the outputs do over the task's variable."""

from typing_extensions import TypedDict

from circuits.simulation.raster import Raster
from fitness.analysis import curves
from fitness.analysis.numbers import rounded
from fitness.task import Task, Trials


class Band(TypedDict):
    """Spikes per trial at each x: the mean and its 95 % confidence interval."""

    mean: list[float]
    low: list[float]
    high: list[float]


class Tuning(TypedDict):
    """What the outputs do over the task's variable.

    variable  its name, with the unit in brackets if it has one: "class", "lag [ms]"
    x         its values, ascending: those that occur, or of a continuous one the means of 12 bins with as many trials each
    trials    how many there are at each x;   outputs  by port
    """

    variable: str
    x: list[float]
    trials: list[int]
    outputs: dict[str, Band]


def tuning(task: Task, held_out: Trials, raster: Raster) -> Tuning:
    """The part `tuning` of an analysis."""
    found = curves.tuning(task, held_out, raster)
    bands: dict[str, Band] = {
        port: {
            "mean": rounded(found.mean[:, k]),
            "low": rounded(found.low[:, k]),
            "high": rounded(found.high[:, k]),
        }
        for k, port in enumerate(task.outputs)
    }
    return {"variable": found.variable, "x": rounded(found.x), "trials": found.trials.tolist(), "outputs": bands}
