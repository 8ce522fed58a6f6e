"""The baselines of a recording: the regressions of `fitness.recordings.baselines`, and a single neuron fitted by CMA."""

import numpy as np

from evo.studies.baselines.single_neuron import GENERATIONS, fit
from fitness.recordings.baselines import Baseline, fit_all
from fitness.recordings.baselines.fits import score
from fitness.recordings.task import RecordingTask

SINGLE = "single LIF neuron"


def baselines(task: RecordingTask, generations: int | None = None) -> list[Baseline]:
    """The scores of each model on a recording, fitted on its search windows. Deterministic.

    generations  of CMA, by default `single_neuron.GENERATIONS`
    """
    scores = np.array([fit(task, name, GENERATIONS if generations is None else generations) for name in task.outputs])
    held_out = dict(zip(task.outputs, scores[:, 1].tolist(), strict=True))
    single = Baseline(SINGLE, score(task, scores[:, 0]), score(task, scores[:, 1]), held_out)
    return [*fit_all(task), single]
