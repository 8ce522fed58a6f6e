"""Description of a task in words, for the reader of a finished run: made while the task's code is at hand, and stored."""

import inspect
from typing import Any

import numpy as np

from circuits.simulation.raster import Raster, pack
from fitness.task import Task
from fitness.trials import Trials

LONGEST = 4_000  # characters
EVERY_MS = 5.0  # between the spikes of an output that is tried


def about(task: Task, trials: Trials) -> dict[str, Any]:
    """text    what the task's class says of itself: its docstring
    judged  what its method `trial_scores` says of itself, "" for nothing
    wanted  by class of these trials, as text, which of the outputs tried get a full score: [] where none does
    """
    judged = type(task).trial_scores.__doc__ if type(task).trial_scores is not Task.trial_scores else None
    return {"text": _said(type(task).__doc__), "judged": _said(judged), "wanted": _wanted(task, trials)}


def _said(text):
    text = inspect.cleandoc(text or "")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def _wanted(task, trials):
    """Silence, and each output firing regularly alone, given to the task as if circuits had done it."""
    if task.listens != "outputs" or task.environment(trials) is not None:
        return {}
    tried = ["silence", *task.outputs]
    one = np.zeros((len(tried), len(trials), task.steps, len(task.outputs)), bool)
    every = max(1, round(EVERY_MS / task.dt_ms))
    for k in range(len(task.outputs)):
        one[k + 1, :, every - 1 :: every, k] = True
    stimulus = Raster(np.stack([pack(trials.spikes)] * len(tried)), len(trials), task.dt_ms, tuple(task.inputs))
    places = tuple(range(len(task.outputs)))
    bits = np.stack([pack(spikes) for spikes in one])
    raster = Raster(bits, len(trials), task.dt_ms, tuple(task.outputs), places, stimulus=stimulus)
    try:
        trial_scores = task.score(raster, trials).trial_scores
    except Exception:  # somebody's code, and outputs that no circuit may ever give: then nothing is said
        return {}
    right = {label: (trial_scores[:, trials.labels == label] >= 1).all(axis=1) for label in np.unique(trials.labels).tolist()}
    return {str(label): [name for name, good in zip(tried, which, strict=True) if good] for label, which in right.items()}
