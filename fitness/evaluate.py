"""A population of circuits in, how each did out."""

from typing import NamedTuple

import numpy as np

from circuits.population import Stop, simulate_population
from circuits.raster import Raster
from circuits.tables import Tables
from fitness.task import Task, Trials


class Evaluation(NamedTuple):
    """What became of `B` circuits on the same trials.

    score   float64 [B], 0 chance .. 1 perfect;   grades  float32 [B, trials], what a search climbs
    climb   float64 [B]: class-balanced mean of the grades
    spikes  float64 [B] and events float64 [B]: spikes of all neurons and synaptic events, per trial
    synapses  int64 [B];   simulated  float64 [B]: share of the steps that were simulated, below 1 for circuits given up
    """

    score: np.ndarray
    grades: np.ndarray
    climb: np.ndarray
    spikes: np.ndarray
    events: np.ndarray
    synapses: np.ndarray
    simulated: np.ndarray


def evaluate(task: Task, trials: Trials, tables: Tables, stop: Stop = Stop()) -> Evaluation:  # noqa: B008 - immutable
    """Simulate the circuits in `tables` on the trials, giving hopeless ones up by the rule `stop`, and score them all."""
    heard, excitatory = (tables.all_read(), tables.excitatory) if task.listens == "all" else (tables, None)
    world = task.world(trials)
    activity = simulate_population(heard, trials.bits, len(trials), seed=trials.noise_seed, stop=stop, world=world)
    score = task.score(Raster(activity.outputs, len(trials), task.dt_ms, task.outputs, excitatory=excitatory), trials)
    return Evaluation(
        score.value,
        score.grade.astype("f4"),
        (score.grade * trials.weights).sum(axis=-1),
        activity.spikes / len(trials),
        activity.events / len(trials),
        tables.synapses,
        activity.steps / (trials.bits.shape[0] * trials.bits.shape[1]),
    )
