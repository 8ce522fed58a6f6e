"""Description of a task in words, made while the task's code is at hand, and stored for the readers of the run."""

import inspect
from typing import Any

import numpy as np

from circuits.simulation.raster import Raster, pack
from fitness.base.task import Task
from fitness.base.trials import Trials

LONGEST = 4_000  # characters
EVERY_MS = 5.0  # between the spikes of a sample output


def about(task: Task, trials: Trials) -> dict[str, Any]:
    """The description of a task.

    text    the docstring of the task's class
    judged  the docstring of its method `trial_scores`, "" for none
    wanted  by class of these trials, as text: the names of the sample outputs that get a full score, [] where none does
    """
    judged = type(task).trial_scores.__doc__ if type(task).trial_scores is not Task.trial_scores else None
    return {"text": _clean(type(task).__doc__), "judged": _clean(judged), "wanted": _wanted(task, trials)}


def _clean(text):
    text = inspect.cleandoc(text or "")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def _wanted(task, trials):
    """Classes in which silence, or one output firing regularly alone, gets a full score."""
    if task.listens != "outputs" or task.environment(trials) is not None:
        return {}
    outputs = ["silence", *task.outputs]
    spikes = np.zeros((len(outputs), len(trials), task.steps, len(task.outputs)), bool)
    every = max(1, round(EVERY_MS / task.dt_ms))
    for k in range(len(task.outputs)):
        spikes[k + 1, :, every - 1 :: every, k] = True
    stimulus = Raster(np.stack([pack(trials.spikes)] * len(outputs)), len(trials), task.dt_ms, tuple(task.inputs))
    places = tuple(range(len(task.outputs)))
    bits = np.stack([pack(output) for output in spikes])
    raster = Raster(bits, len(trials), task.dt_ms, tuple(task.outputs), places, stimulus=stimulus)
    try:
        trial_scores = task.score(raster, trials).trial_scores
    except Exception:  # the task may be the user's code, and no circuit may ever give such outputs
        return {}
    right = {label: (trial_scores[:, trials.labels == label] >= 1).all(axis=1) for label in np.unique(trials.labels).tolist()}
    return {str(label): [name for name, good in zip(outputs, which, strict=True) if good] for label, which in right.items()}
