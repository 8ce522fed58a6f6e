"""Scores of a population in which some circuits make a task's own code fail: they get the worst, the others their own."""

import re
from typing import NamedTuple

import numpy as np

from circuits.errors import UserError
from circuits.simulation.raster import Raster
from fitness.base.task import Task
from fitness.base.trials import Trials
from fitness.sandbox.guard import Overtime
from fitness.scoring.score import Score

MANY = 10  # circuits that all fail: the fault is the task's


class Judged(NamedTuple):
    """score    of a population [B];   failed  bool [B]: the task's code raised, or was not finite, for this circuit alone; its
    value, trial_scores and case_scores are 0;   fault   the first message, None if none failed"""

    score: Score
    failed: np.ndarray
    fault: str | None = None


def judge(task: Task, raster: Raster, trials: Trials) -> Judged:
    """`task.score` of a population, in which one circuit never spoils the others.

    Raises UserError where the task fails for any circuit: for silence too, or for all of many circuits; and where it takes too
    long.
    """
    circuits = len(raster.bits)
    try:
        return Judged(task.score(raster, trials), np.zeros(circuits, bool))
    except UserError as error:
        if isinstance(error.__cause__, Overtime):
            raise
        fault = error
    failed = np.zeros(circuits, bool)
    failed[list(_failing(task, raster, trials, np.arange(circuits)))] = True
    if not failed.any():
        raise UserError(f"{fault}; but not for any circuit by itself: the score of one must not depend on the others") from None
    if failed.all() and circuits >= MANY:
        raise fault
    others = raster.bits.copy()
    others[failed] = 0 if failed.all() else raster.bits[np.argmin(failed)]
    try:
        score = task.score(_with(raster, others), trials)
    except UserError:
        raise fault from None
    for part in (score.value, score.trial_scores, score.case_scores):
        part[failed] = 0.0
    return Judged(score, failed, re.sub(r"0x[0-9a-fA-F]+", "0x...", str(fault))[:300])


def _failing(task, raster, trials, rows):
    """Circuits that fail by themselves, by bisection of rows of which some fail."""
    for half in np.array_split(rows, min(2, len(rows))):
        try:
            task.score(_with(raster, raster.bits[half], half), trials)
        except UserError as error:
            if isinstance(error.__cause__, Overtime):
                raise
            if len(half) == 1:
                yield half[0]
            else:
                yield from _failing(task, raster, trials, half)


def _with(raster, bits, rows=slice(None)):
    excitatory = None if raster.excitatory is None else raster.excitatory[rows]
    measured = {name: getattr(raster, name) for name in ("surprise", "off")}
    measured = {name: None if values is None else values[rows] for name, values in measured.items()}
    return Raster(bits, raster.trials, raster.dt_ms, raster.names, raster.readout, excitatory, **measured)
