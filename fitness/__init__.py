"""Tasks, which draw trials and score circuits on them:

task = fitness.task("itd", detectors=4)
trials = task.trials(seed=1, count=64)
task.evaluate(circuit, trials).value
"""

from fitness.finite_data import Data, FiniteData
from fitness.measured import Measured
from fitness.reference import reference
from fitness.registry import task
from fitness.score import Score
from fitness.task import Task
from fitness.trials import Trials

__all__ = ["Data", "FiniteData", "Measured", "Score", "Task", "Trials", "reference", "task"]
