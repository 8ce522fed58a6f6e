"""Tasks, which draw trials and score circuits on them:

task = fitness.task("itd", detectors=4)
trials = task.trials(seed=1, count=64)
task.evaluate(circuit, trials).value
"""

from fitness.base.finite_data import Data, FiniteData
from fitness.base.measured import Measured
from fitness.base.task import Task
from fitness.base.trials import Symbols, Trials
from fitness.references import reference
from fitness.registry import task
from fitness.scoring.score import Score

__all__ = ["Data", "FiniteData", "Measured", "Score", "Symbols", "Task", "Trials", "reference", "task"]
