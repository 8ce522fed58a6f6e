"""Objectives of a search, by name.

In a spec, `search.objectives` names
    score, energy, size, ...     one of those below
    min:NAME, max:NAME           the judge's figure of this name (`fitness.judges.answers`), minimised or maximised
    mine.py:energy               a function of the user's own that maps an `Evaluation` of B circuits to [B] numbers, minimised;
                                 max:mine.py:energy, maximised
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from circuits.errors import UserError
from fitness.evaluation.evaluate import Evaluation
from fitness.evaluation.robustness import robustness
from fitness.sandbox.code import is_own
from fitness.sandbox.guard import reporting
from fitness.scoring.conditions import SEARCHED

WORST = 1e9  # finite, since the store takes no other numbers


class Objective(NamedTuple):
    """An objective: `loss(evaluation)` is float64 [B], smaller is better; `show(loss)` is the figure for readers.

    key         its name in answers of a judge;   structural  is it known without simulation?
    """

    loss: Callable[[Any], np.ndarray]
    sign: int
    unit: str
    text: str
    key: str = ""
    structural: bool = False

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
    by_condition = e.task.by_condition(e.scored, e.trials, SEARCHED)
    if not by_condition.names:
        text = f"its {len(e.trials)} trials make no two conditions of {SEARCHED} trials or more"
        raise UserError(f"task {e.task.title()}: {text}; leave worst out of search.objectives, or set search.trials to more")
    return -(by_condition.scores.min(axis=-1) + by_condition.case_scores.min(axis=-1))


OBJECTIVES = {
    "score": Objective(
        lambda e: -(e.score + e.smooth_score), -1, "", "right answers (0 chance, 1 perfect), plus a smooth score"
    ),
    "worst": Objective(_worst, -1, "", "the same in the worst of the conditions that the task's trials belong to"),
    "energy": Objective(lambda e: e.spikes + e.events, 1, "per trial", "spikes and synaptic events"),
    **{
        f"joules_{name}": Objective(
            _joules(h), 1, "J per trial", f"energy of the events and spikes on this hardware ({h.source})"
        )
        for name, h in HARDWARE.items()
    },
    "wiring": Objective(lambda e: e.synapses.astype("f8"), 1, "", "synapses", structural=True),
    "delay": Objective(lambda e: e.delay_ms, 1, "ms", "delays of all synapses together: length of wire", structural=True),
    "size": Objective(lambda e: e.neurons.astype("f8"), 1, "", "neurons", structural=True),
    "robustness": Objective(
        lambda e: -robustness(e),
        -1,
        "",
        "mean score under input jitter, weight noise, loss of a neuron and half the step (5 to 6 times the work)",
    ),
    "speed": Objective(lambda e: e.answer_ms, 1, "ms", "time of the first output spike in trials answered right"),
}


OBJECTIVES = {name: objective._replace(key=name) for name, objective in OBJECTIVES.items()}
SIGNS = {"min": 1, "max": -1}


def objective(name: str) -> Objective:
    """The objective that a spec names; without its `loss` if it is the judge's or the user's own. Raises UserError."""
    if name in OBJECTIVES:
        return OBJECTIVES[name]
    direction, colon, key = name.partition(":")
    if colon and direction in SIGNS and key:
        return Objective(_unknown, SIGNS[direction], "", f"the judge's {key}", key)
    if is_own(name) and direction not in SIGNS:
        return Objective(_unknown, 1, "", f"of the user's own: {name}", name)
    raise UserError(
        f"{name!r} is no objective: known are {', '.join(OBJECTIVES)}; min:NAME or max:NAME for a figure of the judge's own; "
        "FILE.py:FUNCTION"
    )


def _unknown(_):
    raise UserError("an objective that is not known by its name alone")


def own_file(name: str) -> str | None:
    """FILE.py:FUNCTION in the name of an objective; None for an objective that is not the user's own."""
    direction, _, rest = name.partition(":")
    rest = rest if direction in SIGNS else name
    return rest if is_own(rest) else None


def own_objective(name: str, function: Callable, seconds: float | None) -> Objective:
    """The objective that a function of the user's own computes, in at most `seconds` a call."""
    known, where = objective(name), f"search.objectives: {name}"

    def loss(evaluation):
        figures = reporting(where, seconds, function.__module__, function, evaluation)
        try:
            figures = np.asarray(figures, "f8")
        except (TypeError, ValueError):
            figures = np.empty((0, 0))
        if figures.shape != evaluation.score.shape:
            raise UserError(f"{where}: must return one number a circuit, [{len(evaluation.score)}], not {list(figures.shape)}")
        return np.where(np.isfinite(figures), np.clip(known.sign * figures, -WORST, WORST), WORST)

    return known._replace(loss=loss)


def values(objectives: Sequence[Objective | str], evaluation: Evaluation) -> np.ndarray:
    """Values of objectives, which may be given by name: float64 [B, objectives], all minimised; WORST for circuits for which
    the task fails."""
    named = (OBJECTIVES[o] if isinstance(o, str) else o for o in objectives)
    columns = np.stack([o.loss(evaluation) for o in named], axis=1)
    columns[evaluation.failed] = WORST
    return columns
