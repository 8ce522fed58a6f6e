"""What is tried out on a task of the user's own before a search begins."""

import numpy as np

from circuits.errors import UserError
from circuits.raster import Raster, pack
from fitness.states import sequence_of
from fitness.task import Task
from fitness.tuning import variable_of


def check(task: Task, seed: int, count: int):
    """Make trials and score rasters of all kinds twice. Raises UserError for whatever a search would stumble over later: wrong
    shapes, scores that are not finite, exceptions, and answers that differ between two times."""
    first, second = (task.trials((seed, 0), count) for _ in range(2))
    for what, a, b in (("spikes", first.spikes, second.spikes), ("labels", first.labels, second.labels)):
        _same(task, f"make gives other {what}", a, b)
    for name in first.facts:
        _same(task, f"make gives other facts {name!r}", np.asarray(first.facts[name]), np.asarray(second.facts[name]))
    variable_of(task, first)
    sequence_of(task, first)
    task.grouped(first)
    rng = np.random.default_rng(0)
    shape = count, task.steps, len(task.outputs)
    densities = np.array([0.0, 0.01, 0.3, 1.0])
    spikes = [rng.random(shape) < density for density in densities]
    raster = Raster(
        np.stack([pack(s) for s in spikes]), count, task.dt_ms, tuple(task.outputs), excitatory=np.ones((4, shape[2]), bool)
    )
    scores = [task.score(raster, first) for _ in range(2)]
    for what in ("credit", "grade"):
        a, b = (np.moveaxis(getattr(score, what), -1, 0) for score in scores)
        _same(task, f"{what} gives other values", a, b)
    if (scores[0].value != scores[1].value).any():
        raise UserError(f"task {task.title()}: the score of the same raster is another one the second time")


def _same(task, what, a, b):
    """Equal, trial by trial (the first axis)?"""
    if a.shape != b.shape:
        raise UserError(f"task {task.title()}: {what} the second time with the same seed")
    differs = ~((a == b) | ((a != a) & (b != b))).reshape(len(a), -1).all(axis=1)
    if differs.any():
        trial = int(np.argmax(differs))
        raise UserError(f"task {task.title()}: {what} the second time with the same seed, first in trial {trial}; use only rng")
