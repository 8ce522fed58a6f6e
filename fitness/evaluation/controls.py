"""Control scores of a circuit, in conditions where it should not be able to do the task."""

from dataclasses import replace

import numpy as np

from circuits.circuit import Circuit
from circuits.edit.lesion import lesion
from fitness.base.task import Task
from fitness.base.trials import Trials
from fitness.evaluation.evaluate import score_of
from fitness.references import FOLDER, lesioned, reference
from fitness.scoring.streams import OTHER_TRIALS, stream


def controls(task: Task, trials: Trials, circuit: Circuit) -> dict[str, float]:
    """Scores by control: every trial with the input of another trial, scored as if it were its own (not in a closed loop); no
    input at all; the task's reference circuit without the connections that its task calls critical."""
    control_scores = {}
    if task.environment(trials) is None:
        order = stream(trials.noise_seed, OTHER_TRIALS).permutation(len(trials))
        spikes = np.empty_like(trials.spikes)
        spikes[order] = trials.spikes[np.roll(order, 1)]  # a cyclic shift: no trial keeps its own
        shuffled = replace(trials, spikes=spikes)
        if trials.signals is not None:
            signals = np.empty_like(trials.signals)
            signals[order] = trials.signals[np.roll(order, 1)]
            shuffled = replace(shuffled, signals=signals)
        control_scores["input of other trials"] = float(score_of(task, shuffled, circuit).value[0])
    inputs = [(c.name, s.post) for c in circuit.inputs for s in c.synapses]
    control_scores["no input"] = float(score_of(task, trials, lesion(circuit, connections=inputs)).value[0])
    if task.critical_connections and (FOLDER / f"{task.name}.json").exists() and circuit == reference(task.name).circuit:
        cut = "without " + ", ".join(f"{pre} to {post}" for pre, post in task.critical_connections)
        control_scores[cut] = float(score_of(task, trials, lesioned(task)).value[0])
    return control_scores
