"""The score of the whole circuit, with which all else is compared."""

from typing_extensions import TypedDict

from circuits.circuit import Circuit
from circuits.errors import UserError
from fitness.evaluation.evaluate import scored
from fitness.task import Task, Trials


class Scored(TypedDict):
    """A score with the ends of its 95 % confidence interval, and on how many trials."""

    score: float
    low: float
    high: float
    trials: int


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
