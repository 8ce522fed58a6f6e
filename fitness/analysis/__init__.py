"""Why a circuit works: analysed while the task's own code is at hand, and kept in the store of the run.

An `Analysis` is plain JSON: dicts, lists, texts, numbers, and None for what is undefined. Scores are as everywhere,
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
from fitness.base.task import Task
from fitness.base.trials import Trials
from fitness.evaluation.controls import controls
from fitness.registry import task as task_by_name
from fitness.tasks import BUILT_IN

MOTIF_TRIALS = 256


class Control(TypedDict):
    """The score where it should be chance, or without the connections that the task calls critical; `control` names the
    change."""

    control: str
    score: float


class Analysis(TypedDict):
    """The whole analysis of a circuit.

    base          the whole circuit's score
    lesions       sorted by change, the worst first
    core          None where the score is not clearly above chance: there is nothing to keep
    perturbation  curves by the quantity perturbed: "input jitter [ms]" (standard deviation of each input spike's time), "weight
                  noise [%]", "parameter noise [%]" (standard deviation), "time step [ms]"; in closed loops without the first
                  and last
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

    held_out  trials to score it on;   draw  returns a number of other trials, on which the core is chosen
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
        "controls": [{"control": name, "score": value} for name, value in controls(task, held_out, circuit).items()],
        "energy": energy(task, circuit, held_out),
        "states": states(task, circuit, held_out),
    }


def of_motif(motif: Motif, name: str | None = None) -> Analysis | None:
    """The analysis of a single motif, on trials with the seed of the run that it comes from; None if it names no built-in task.
    Raises UserError for settings that the task does not know, and for a circuit that does not fit the task."""
    task = task_of(motif)
    return None if task is None else analyse(task, motif, *trials_for(task, motif.provenance.seed or 1), name=name)


def task_of(motif: Motif) -> Task | None:
    """The task that a motif was evolved for, if it is built in. Raises UserError for settings that the task does not know."""
    settings = dict(motif.provenance.task or {})
    title = settings.pop("name", None)
    return task_by_name(title, **settings) if isinstance(title, str) and title in BUILT_IN else None


def trials_for(task: Task, seed: int, count: int = MOTIF_TRIALS) -> tuple[Trials, Callable[[int], Trials]]:
    """Arguments of `analyse`: the held-out trials of a run with this seed, and the function that draws trials to choose cores
    on."""
    return task.trials_of("held_out", seed, count), lambda n: task.trials_of("core", seed, n)


def to_text(analysis: Mapping[str, Any]) -> str:
    """The analysis as JSON."""
    return json.dumps(analysis, allow_nan=False, separators=(",", ":"))


def from_text(text: str | bytes, where: str) -> Analysis:
    """The analysis in a JSON text, checked. Raises UserError, which begins with `where`."""
    try:
        analysis = _adapter().validate_json(text, strict=True)
        to_text(analysis)  # NaN and infinity are not JSON
    except (ValueError, RecursionError) as error:
        why = one_line(error) if isinstance(error, ValidationError) else str(error)
        raise UserError(f"{where}: is damaged (an analysis: {why}); restore the folder from a copy") from None
    if not _consistent(analysis):
        raise UserError(f"{where}: is damaged (an analysis: its lists do not fit each other); restore the folder from a copy")
    return analysis


def _consistent(analysis):
    """Do lists that belong together have the same length, and do all numbers of states exist?"""
    curves, machine = analysis["tuning"], analysis["states"]
    groups = [list(curve.values()) for curve in analysis["perturbation"].values()]
    groups += [[curves["x"], curves["trials"], *band.values()] for band in curves["outputs"].values()]
    if machine is not None:
        count = len(machine["states"])
        numbers = [machine["start"], *(t[end] for t in machine["transitions"] for end in ("source", "target"))]
        symbols = {t["symbol"] for t in machine["transitions"]}
        if not all(0 <= k < count for k in numbers) or not symbols <= {*machine["symbols"]}:
            return False
    return all(len({len(part) for part in group}) == 1 for group in groups)


@cache
def _adapter():
    return TypeAdapter(Analysis)
