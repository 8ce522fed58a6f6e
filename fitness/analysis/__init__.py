"""Why a circuit works: what is worked out about it while the task's own code is at hand, and kept in the store of the run.

An `Analysis` is plain JSON: dicts, lists, texts, numbers, and None where something could not be said. Scores are as everywhere,
0 chance and 1 perfect, on the run's held-out trials in the search's precision, so that they equal those of the front.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from circuits.errors import UserError, one_line
from circuits.motif_file import Motif
from fitness.analysis.activity import Activity, activity
from fitness.analysis.core import Core, core_of
from fitness.analysis.energy import energy
from fitness.analysis.lesions import Lesion, lesions
from fitness.analysis.perturbation import Curve, perturbation
from fitness.analysis.scored import Scored, whole
from fitness.analysis.states import States, states
from fitness.analysis.tuning import Tuning, tuning
from fitness.evaluation.controls import controls
from fitness.registry import task as task_by_name
from fitness.task import Task
from fitness.tasks import BUILT_IN
from fitness.trials import Trials

MOTIF_TRIALS = 256


class Control(TypedDict):
    """The score where it should be chance, or without the connections that the task calls critical; `control` says what was
    done."""

    control: str
    score: float


class Analysis(TypedDict):
    """All of it.

    base          the whole circuit's score
    lesions       sorted by change, the worst first
    core          None where the score is not clearly above chance: there is nothing to keep
    perturbation  curves by what is changed: "input jitter [ms]" (standard deviation of each input spike's time), "weight noise
                  [%]", "parameter noise [%]" (standard deviation), "time step [ms]"; in closed loops without the first and last
    energy        per trial: "spikes", "events" (synaptic), "joules_NAME" for each hardware of `fitness.evaluation.objectives`
    states        None for tasks that are not over sequences of symbols
    """

    base: Scored
    lesions: list[Lesion]
    core: Core | None
    perturbation: dict[str, Curve]
    tuning: Tuning
    activity: Activity
    controls: list[Control]
    energy: dict[str, float]
    states: States | None


def analyse(task: Task, motif: Motif, held_out: Trials, draw: Callable[[int], Trials], name: str | None = None) -> Analysis:
    """The analysis of a motif's circuit.

    held_out  trials to score it on;   draw  makes so many others, on which the core is chosen
    name      of the circuit, which goes into the provenance of its core as the parent's
    Raises UserError for a circuit that cannot take part in the task, and where the task's own code fails.
    """
    circuit = motif.circuit
    base = whole(task, circuit, held_out)
    raster = task.simulate(circuit, held_out, dtype="float32")
    return {
        "base": base,
        "lesions": lesions(task, circuit, held_out, base["score"]),
        "core": core_of(task, motif, held_out, draw, name),
        "perturbation": perturbation(task, circuit, held_out),
        "tuning": tuning(task, held_out, raster),
        "activity": activity(raster),
        "controls": [{"control": what, "score": value} for what, value in controls(task, held_out, circuit).items()],
        "energy": energy(task, circuit, held_out),
        "states": states(task, circuit, held_out),
    }


def of_motif(motif: Motif, name: str | None = None) -> Analysis | None:
    """The analysis of a single motif, on trials of the seed of the run that it comes from; None where it names no task that
    ships with us. Raises UserError for one whose settings the task does not know, or whose circuit it does not fit."""
    task = task_of(motif)
    return None if task is None else analyse(task, motif, *trials_for(task, motif.provenance.seed or 1), name=name)


def task_of(motif: Motif) -> Task | None:
    """The task that a motif was evolved for, if it ships. Raises UserError for settings that it does not know."""
    settings = dict(motif.provenance.task or {})
    title = settings.pop("name", None)
    return task_by_name(title, **settings) if isinstance(title, str) and title in BUILT_IN else None


def trials_for(task: Task, seed: int, count: int = MOTIF_TRIALS) -> tuple[Trials, Callable[[int], Trials]]:
    """Inputs of `analyse`: the held-out trials of a run with this seed, and what draws those its cores are chosen on."""
    return task.trials_of("held_out", seed, count), lambda some: task.trials_of("core", seed, some)


def to_text(analysis: Mapping[str, Any]) -> str:
    """As JSON."""
    return json.dumps(analysis, allow_nan=False, separators=(",", ":"))


def from_text(text: str | bytes, place: str) -> Analysis:
    """From JSON, checked: UserError names `place`."""
    try:
        found = _adapter().validate_json(text, strict=True)
        to_text(found)  # NaN and infinity are not JSON
    except (ValueError, RecursionError) as error:
        why = one_line(error) if isinstance(error, ValidationError) else str(error)
        raise UserError(f"{place}: is damaged (an analysis: {why}); restore the folder from a copy") from None
    if not _consistent(found):
        raise UserError(f"{place}: is damaged (an analysis: its lists do not fit each other); restore the folder from a copy")
    return found


def _consistent(found):
    """Lists that belong together are as long as each other, and numbers of states are those of states."""
    tuned, read = found["tuning"], found["states"]
    groups = [list(curve.values()) for curve in found["perturbation"].values()]
    groups += [[tuned["x"], tuned["trials"], *band.values()] for band in tuned["outputs"].values()]
    if read is not None:
        count = len(read["states"])
        places = [read["start"], *(t[end] for t in read["transitions"] for end in ("source", "target"))]
        if not all(0 <= k < count for k in places) or any(t["symbol"] not in read["symbols"] for t in read["transitions"]):
            return False
    return all(len({len(part) for part in group}) == 1 for group in groups)


@cache
def _adapter():
    return TypeAdapter(Analysis)
