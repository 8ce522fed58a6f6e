"""Why a circuit works: what is worked out about it while the task's own code is at hand, and kept in the store of the run.

An `Analysis` is plain JSON: dicts, lists, texts, numbers, and None where something could not be said. Scores are as everywhere,
0 chance and 1 perfect, on the run's held-out trials in the search's precision, so that they equal those of the front.
"""

import json
import math
from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import numpy as np
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from circuits.activity import irregularity, spectrum, synchrony
from circuits.circuit import Circuit
from circuits.errors import UserError, one_line
from circuits.motif_file import Motif, Parent, digest, dumps
from circuits.population import Stop
from circuits.raster import Raster
from circuits.simulate import simulate
from circuits.tables import from_circuit
from evo.island import CORE_TRIALS, HELD_OUT_TRIALS
from fitness import core, tuning
from fitness.controls import controls
from fitness.evaluate import run, scored
from fitness.lesions import lesion_scores, lesions
from fitness.objectives import HARDWARE
from fitness.perturbation import curves
from fitness.registry import task as task_by_name
from fitness.states import machine
from fitness.task import Task, Trials
from fitness.tasks import BUILT_IN

BINS, BIN_MS = 40, 5.0  # synchrony is measured in bins of 5 ms, in short trials in so many
MOTIF_TRIALS = 256
Number = float | None


class Scored(TypedDict):
    """A score with the ends of its 95 % confidence interval, and on how many trials."""

    score: float
    low: float
    high: float
    trials: int


class Lesion(TypedDict):
    """What is left without a part; `change` is the score less that of the whole circuit.

    kind    neuron   silenced: it stays, but nothing reaches it and it has no drive
            synapse  between two neurons, or
            input    from an input channel to a neuron: the connection is cut
            channel  all connections of an input channel are cut
            class    all of E>E, E>I, I>E, I>I, input>E or input>I
    part    how people read it: "I0", "E0>I1", "left>E0", "left", "I>E"
    source, target  of a synapse or an input, ids as in the motif file (of an input the channel's name), else None
    """

    kind: Literal["neuron", "synapse", "input", "channel", "class"]
    part: str
    source: str | int | None
    target: str | int | None
    score: float
    change: float


class Core(TypedDict):
    """The core: what is left when part after part is removed as long as the score stays within the interval of the whole
    circuit's. No neuron or synapse of it can be removed alone.

    motif           a motif file, its provenance naming the parent
    score, low, high, trials   of the core, on trials that had no part in choosing it (held-out ones)
    confirmed       is that score, too, within the interval of the whole circuit's on the same trials?
    removed         parts as in `Lesion.part`, neurons first, in the order in which they went; synapses of a removed neuron are
                    not named again
    """

    motif: dict[str, Any]
    score: float
    low: float
    high: float
    trials: int
    confirmed: bool
    removed: list[str]


class Curve(TypedDict):
    """Score against how much is changed, x[0] being nothing. low and high: of several draws the least and the largest score,
    of a single one its 95 % confidence interval."""

    x: list[float]
    score: list[float]
    low: list[float]
    high: list[float]


class Band(TypedDict):
    """Spikes per trial at each x: the mean and its 95 % confidence interval."""

    mean: list[float]
    low: list[float]
    high: list[float]


class Tuning(TypedDict):
    """What the outputs do over the task's variable.

    variable  its name, with the unit in brackets if it has one: "class", "lag [ms]"
    x         its values, ascending: those that occur, or of a continuous one the means of 12 bins with as many trials each
    trials    how many there are at each x;   outputs  by port
    """

    variable: str
    x: list[float]
    trials: list[int]
    outputs: dict[str, Band]


class Spectrum(TypedDict):
    """Power of the spikes of all neurons together, over that of as many spikes at random times (1: no rhythm)."""

    hz: list[float]
    power: list[float]


class Activity(TypedDict):
    """How the neurons fire, over all trials; lists are in the order of the circuit's neurons.

    neurons    their ids;   rate_hz  mean rates
    cv         coefficient of variation of the intervals between spikes: 0 a clock, 1 a Poisson train; None with fewer than 10
    synchrony  chi, 0 independent to 1 in step (Golomb and Rinzel, Physica D 72, 1994): the standard deviation over time of the
               mean activity, over the root of the neurons' mean variance, activity being spikes in bins of `bin_ms`; None where
               fewer than two neurons fire
    spectrum   None for trials too short or with too few spikes to show a rhythm
    """

    neurons: list[str | int]
    rate_hz: list[float]
    cv: list[Number]
    synchrony: Number
    bin_ms: float
    spectrum: Spectrum | None


class Control(TypedDict):
    """The score where it should be chance, or what else the task holds to be decisive; `control` says what was done."""

    control: str
    score: float


class State(TypedDict):
    """Something that the circuit holds between symbols; how states are told apart: `fitness.states`.

    holds    what holds in it, by neuron (its id as text) or input channel: "fires", "silent", "current above 3.2 mV",
             "potential up to -70.9 mV", "release above 60 %" (of its depressing or facilitating synapses), several joined by
             " and "; empty if there is but one state
    share    of all moments looked at that it is found in
    """

    name: str
    holds: dict[str, str]
    share: float


class Transition(TypedDict):
    """What a symbol does to a state.

    probability  of ending in `target` when `symbol` comes in `source` (numbers of states);   count  how often that was
    answers      by port: probability that the output fires before the next symbol
    """

    source: int
    symbol: str
    target: int
    probability: float
    count: int
    answers: dict[str, float]


class States(TypedDict):
    """The circuit read as a state machine, in tasks over sequences of symbols.

    symbols  their names;   states  the most frequent first;   start  number of the state before the first symbol
    explained  share of the transitions that are the most probable one of their state and symbol: 1 is deterministic
    """

    symbols: list[str]
    states: list[State]
    start: int
    transitions: list[Transition]
    explained: float


class Analysis(TypedDict):
    """All of it.

    base          the whole circuit's score
    lesions       sorted by change, the worst first
    core          None where the interval of the score includes chance: there is nothing to keep
    perturbation  curves by what is changed: "input jitter [ms]" (standard deviation of each input spike's time), "weight noise
                  [%]", "parameter noise [%]" (standard deviation), "time step [ms]"; in closed loops without the first and last
    energy        per trial: "spikes", "events" (synaptic), "joules_NAME" for each hardware of `fitness.objectives`
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
    score = base["score"]
    raster = simulate(circuit, held_out.spikes, dtype="float32", seed=held_out.noise_seed, world=task.world(held_out))
    which = lesions(circuit)
    rest = lesion_scores(task, held_out, circuit, which)
    order = np.argsort(rest, kind="stable")
    return {
        "base": base,
        "lesions": [_lesion(which[k], float(rest[k]), score) for k in order],
        "core": core_of(task, motif, held_out, draw, name),
        "perturbation": {what: _curve(found) for what, found in curves(task, held_out, circuit).items()},
        "tuning": _tuning(tuning.tuning(task, held_out, raster), task.outputs),
        "activity": _activity(raster),
        "controls": [{"control": what, "score": value} for what, value in controls(task, held_out, circuit).items()],
        "energy": _energy(task, held_out, circuit),
        "states": _states(machine(task, held_out, circuit), task.outputs),
    }


def whole(task: Task, circuit: Circuit, held_out: Trials) -> Scored:
    """The part `base` of an analysis. Raises UserError for a circuit that cannot take part in the task."""
    wanted, has = (list(task.inputs), len(task.outputs)), ([c.name for c in circuit.inputs], len(circuit.outputs))
    if wanted != has or any(len(port.neurons) > 1 for port in circuit.outputs):
        asked = f"inputs {wanted[0]} and {wanted[1]} outputs of one neuron each"
        raise UserError(f"task {task.title()}: its circuits have {asked}, not as {circuit!r}")
    if abs(task.dt_ms - circuit.dt_ms) > 1e-12:
        raise UserError(f"task {task.title()}: its step is {task.dt_ms:g} ms, the circuit's {circuit.dt_ms:g} ms")
    score, low, high = scored(task, held_out, circuit)
    return {"score": score, "low": low, "high": high, "trials": len(held_out)}


def core_of(task: Task, motif: Motif, held_out: Trials, draw: Callable[[int], Trials], name: str | None = None) -> Core | None:
    """The part `core` of an analysis."""
    found = core.core(task, motif.circuit, draw, held_out)
    if found is None:
        return None
    smaller = Motif.of(
        found.circuit,
        **motif.provenance.model_dump(exclude={"scores", "parent"}),
        scores={"held_out": found.score, "low": found.low, "high": found.high},
        parent=Parent(sha256=digest(motif), name=name),
    )
    return {
        "motif": json.loads(dumps(smaller)),
        "score": found.score,
        "low": found.low,
        "high": found.high,
        "trials": len(held_out),
        "confirmed": found.confirmed,
        "removed": [*map(str, found.neurons), *(f"{source}>{target}" for source, target in found.synapses)],
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
    """What `analyse` needs: the held-out trials of a run with this seed, and what draws those its cores are chosen on."""
    return task.trials((seed, HELD_OUT_TRIALS), count), lambda some: task.trials((seed, CORE_TRIALS), some)


def to_text(analysis: Analysis) -> str:
    """As JSON."""
    return json.dumps(analysis, allow_nan=False, separators=(",", ":"))


def from_text(text: str | bytes, place: str) -> Analysis:
    """From JSON, checked: UserError names `place`."""
    try:
        return _adapter().validate_json(text, strict=True)
    except ValidationError as error:
        raise UserError(f"{place}: is damaged (an analysis: {one_line(error)}); restore the folder from a copy") from None


@cache
def _adapter():
    return TypeAdapter(Analysis)


def _lesion(one, score, base):
    source, target = one.connections[0] if one.kind in ("synapse", "input") else (None, None)
    change = round(score - base, 9)
    return {"kind": one.kind, "part": one.part, "source": source, "target": target, "score": score, "change": change}


def _curve(found):
    return {part: _rounded(values) for part, values in found._asdict().items()}


def _tuning(found, outputs):
    bands = {
        port: {part: _rounded(getattr(found, part)[:, k]) for part in ("mean", "low", "high")} for k, port in enumerate(outputs)
    }
    return {"variable": found.variable, "x": _rounded(found.x), "trials": found.trials.tolist(), "outputs": bands}


def _activity(raster: Raster):
    width = max(1, min(round(BIN_MS / raster.dt_ms), raster.steps // BINS))
    bin_ms = round(width * raster.dt_ms, 9)
    together = spectrum(raster)
    return {
        "neurons": list(raster.names),
        "rate_hz": _rounded(raster.rates().mean(axis=0)),
        "cv": _rounded(irregularity(raster)),
        "synchrony": _rounded([synchrony(raster, bin_ms)])[0],
        "bin_ms": bin_ms,
        "spectrum": None if together is None else {"hz": _rounded(together[0]), "power": _rounded(together[1])},
    }


def _energy(task, trials, circuit):
    activity, _ = run(task, trials, from_circuit(circuit, np.float32), Stop())
    spikes, events = int(activity.spikes[0]) / len(trials), int(activity.events[0]) / len(trials)
    joules = {f"joules_{name}": h.event_j * events + h.spike_j * spikes for name, h in HARDWARE.items()}
    return {"spikes": spikes, "events": events, **joules}


def _states(found, outputs):
    if found is None:
        return None
    transitions = []
    for source, symbol, target in zip(*np.nonzero(found.transitions), strict=True):
        count, answers = int(found.transitions[source, symbol, target]), found.answers[source, symbol]
        transitions.append(
            {
                "source": int(source),
                "symbol": found.symbols[symbol],
                "target": int(target),
                "probability": _rounded([count / found.transitions[source, symbol].sum()])[0],
                "count": count,
                "answers": dict(zip(outputs, _rounded(answers), strict=True)),
            }
        )
    return {
        "symbols": list(found.symbols),
        "states": [
            {"name": f"S{k}", "holds": _joined(conditions), "share": _rounded([found.share[k]])[0]}
            for k, conditions in enumerate(found.conditions)
        ],
        "start": found.start,
        "transitions": transitions,
        "explained": found.explained,
    }


def _joined(conditions):
    holds: dict[str, str] = {}
    for c in conditions:
        holds[c.part] = f"{holds[c.part]} and {c}" if c.part in holds else str(c)
    return holds


def _rounded(values):
    """Six digits are enough for a picture; None for what is not a number."""
    return [None if math.isnan(v) else float(f"{v:.6g}") for v in map(float, values)]
