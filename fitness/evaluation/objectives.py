"""What a search can be asked to optimise, by name."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from circuits.errors import UserError
from fitness.conditions import SEARCHED
from fitness.evaluation.evaluate import Evaluation
from fitness.evaluation.robustness import robustness

WORST = 1e9  # finite: what is stored is checked to be


class Objective(NamedTuple):
    """An objective: `loss(evaluation)` is float64 [B], smaller is better; `show(loss)` is the figure people read."""

    loss: Callable[[Evaluation], np.ndarray]
    sign: int
    unit: str
    text: str

    def show(self, loss):
        return self.sign * loss


class Hardware(NamedTuple):
    """Published energy of neuromorphic hardware, in joules: per synaptic event, and per spike beside its events."""

    event_j: float
    spike_j: float
    source: str


HARDWARE = {
    "loihi": Hardware(23.6e-12, 1.7e-12, "Davies et al., IEEE Micro 38, 2018"),
    "truenorth": Hardware(26e-12, 0.0, "Merolla et al., Science 345, 2014"),
    "odin": Hardware(12.7e-12, 0.0, "Frenkel et al., IEEE Trans. Biomed. Circuits Syst. 13, 2019"),
    "spinnaker": Hardware(8e-9, 0.0, "Sharp et al., J. Neurosci. Methods 210, 2012"),
}


def _joules(hardware: Hardware):
    return lambda e: hardware.event_j * e.events + hardware.spike_j * e.spikes


def _worst(e: Evaluation):
    found = e.task.by_condition(e.scored, e.trials, SEARCHED)
    if not found.names:
        text = f"its {len(e.trials)} trials make no two conditions of {SEARCHED} trials or more"
        raise UserError(f"task {e.task.title()}: {text}; leave worst out of search.objectives, or set search.trials to more")
    return -(found.scores.min(axis=-1) + found.grades.min(axis=-1))


OBJECTIVES = {
    "score": Objective(lambda e: -(e.score + e.climb), -1, "", "right answers (0 chance, 1 perfect) plus their graded form"),
    "worst": Objective(_worst, -1, "", "the same in the worst of the conditions that the task's trials belong to"),
    "energy": Objective(lambda e: e.spikes + e.events, 1, "per trial", "spikes and synaptic events"),
    **{
        f"joules_{name}": Objective(
            _joules(h), 1, "J per trial", f"energy of the events and spikes on this hardware ({h.source})"
        )
        for name, h in HARDWARE.items()
    },
    "wiring": Objective(lambda e: e.synapses.astype("f8"), 1, "", "synapses"),
    "delay": Objective(lambda e: e.delay_ms, 1, "ms", "delays of all synapses together: length of wire"),
    "size": Objective(lambda e: e.neurons.astype("f8"), 1, "", "neurons"),
    "robustness": Objective(
        lambda e: -robustness(e),
        -1,
        "",
        "mean score under input jitter, weight noise, loss of a neuron and half the step (5 to 6 times the work)",
    ),
    "speed": Objective(lambda e: e.answer_ms, 1, "ms", "time of the first output spike in trials answered right"),
}


def losses(names, evaluation: Evaluation) -> np.ndarray:
    """The chosen objectives as float64 [B, objectives], all to be made small; WORST for circuits on which the task fails."""
    found = np.stack([OBJECTIVES[name].loss(evaluation) for name in names], axis=1)
    found[evaluation.failed] = WORST
    return found
