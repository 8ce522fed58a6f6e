"""The score of a circuit on held-out trials, as kept in JSON."""

from typing import NotRequired

import numpy as np
from typing_extensions import TypedDict

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.simulation.packed import from_circuit
from fitness.base.task import Task
from fitness.base.trials import Trials
from fitness.evaluation.evaluate import evaluate


class Worst(TypedDict):
    """The condition in which a circuit scores lowest, the score there, and the number of trials that are of it."""

    condition: str
    score: float
    trials: int


class Scored(TypedDict):
    """A score with the ends of its 95 % confidence interval and the number of trials; and the worst condition, where the trials
    have conditions (absent in runs before 0.5)."""

    score: float
    low: float
    high: float
    trials: int
    worst: NotRequired[Worst]


def whole(task: Task, circuit: Circuit, held_out: Trials) -> Scored:
    """The part `base` of an analysis. Raises UserError for a circuit that cannot take part in the task."""
    check_fits(task, circuit)
    return scored(task, circuit, held_out)


def check_fits(task: Task, circuit: Circuit):
    """Raise UserError for a circuit that cannot take part in the task."""
    expected, actual = (list(task.inputs), len(task.outputs)), ([c.name for c in circuit.inputs], len(circuit.outputs))
    if expected != actual or any(len(port.neurons) > 1 for port in circuit.outputs):
        asked = f"inputs {expected[0]} and {expected[1]} outputs of one neuron each"
        raise UserError(f"task {task.title()}: its circuits have {asked}, unlike {circuit!r}")
    if abs(task.dt_ms - circuit.dt_ms) > 1e-12:
        raise UserError(f"task {task.title()}: its step is {task.dt_ms:g} ms, the circuit's {circuit.dt_ms:g} ms")


def scored(task: Task, circuit: Circuit, trials: Trials) -> Scored:
    """The score of a circuit, in the search's precision."""
    e = evaluate(task, trials, from_circuit(circuit, np.float32))
    (low,), (high,) = task.interval(e.scored, trials)
    report: Scored = {"score": float(e.score[0]), "low": float(low), "high": float(high), "trials": len(trials)}
    (score,), (worst,) = e.worst
    if worst >= 0:
        names, members = task.grouped(trials)
        report["worst"] = {"condition": names[worst], "score": float(score), "trials": len(members[worst])}
    return report
