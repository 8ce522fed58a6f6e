"""Energy cost of a trial."""

import numpy as np

from circuits.circuit import Circuit
from circuits.simulation.packed import from_circuit
from circuits.simulation.population import Stop
from fitness.base.task import Task
from fitness.base.trials import Trials
from fitness.evaluation.evaluate import run
from fitness.evaluation.objectives import HARDWARE


def energy(task: Task, circuit: Circuit, trials: Trials) -> dict[str, float]:
    """The part `energy` of an analysis."""
    activity, _ = run(task, trials, from_circuit(circuit, np.float32), Stop())
    spikes, events = int(activity.spikes[0]) / len(trials), int(activity.events[0]) / len(trials)
    joules = {f"joules_{name}": h.event_j * events + h.spike_j * spikes for name, h in HARDWARE.items()}
    return {"spikes": spikes, "events": events, **joules}
