"""Evaluation of a population of circuits on the trials of a task."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import perf_counter
from typing import NamedTuple

import numpy as np

from circuits.circuit import Circuit
from circuits.edit.variants import Variants
from circuits.errors import UserError
from circuits.simulation.packed import PackedCircuits, from_circuit
from circuits.simulation.population import Activity, Stop, simulate_population
from circuits.simulation.raster import Raster
from fitness.base.task import Task
from fitness.base.trials import Trials
from fitness.evaluation.fault_isolation import judge
from fitness.scoring.score import Score

Build = Callable[[int], PackedCircuits]
ALL_STEPS = Stop()  # no early stopping
TRIALS_AT_ONCE = 64_000  # trials of all variants of a circuit that are simulated at once: more do not fit the processor's cache


@dataclass(frozen=True)
class Evaluation:
    """Evaluation of `B` circuits on the same trials. Values that not every search asks for are computed when asked for.

    scored  `Score` of the population, [B] and [B, trials];   activity  spikes, events and steps simulated
    build   makes the circuits' tables at a step n times shorter;   stop  the rule of early stopping
    failed  bool [B]: circuits for which the task's own code fails, scored worst;   fault  the message about the first
    seconds by phase: decode (genomes to tables), simulate, score
    """

    task: Task
    trials: Trials
    build: Build
    stop: Stop
    tables: PackedCircuits
    raster: Raster
    activity: Activity
    scored: Score
    failed: np.ndarray
    fault: str | None = None
    seconds: dict[str, float] = field(default_factory=dict, compare=False)

    @property
    def score(self) -> np.ndarray:
        """0 chance .. 1 perfect, float64 [B]."""
        return self.scored.value

    @cached_property
    def case_scores(self) -> np.ndarray:
        """The case scores that selection uses, float32 [B, trials]."""
        return self.scored.case_scores.astype("f4")

    @cached_property
    def smooth_score(self) -> np.ndarray:
        """Class-balanced mean of the case scores, float64 [B]."""
        return smooth_scores(self.scored, self.trials)

    @property
    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """The ends of the 95 % confidence interval of the score, float64 [B] each; NaN where the task fails."""
        try:
            low, high = self.task.interval(self.scored, self.trials)
        except UserError:
            low = high = np.full(len(self.score), np.nan)
        return np.where(self.failed, 0.0, low), np.where(self.failed, 0.0, high)

    @property
    def worst(self) -> tuple[np.ndarray, np.ndarray]:
        """The score in the condition where it is lowest, at most that on all trials, float64 [B]; and the number of that
        condition, int64 [B]: NaN and -1 where the task has none, or none with enough trials."""
        value, which = self.task.by_condition(self.scored, self.trials).worst
        return np.where(self.failed & (which >= 0), 0.0, np.minimum(value, self.score)), which

    @property
    def spikes(self) -> np.ndarray:
        """Spikes of all neurons per trial, float64 [B]."""
        return self.activity.spikes / len(self.trials)

    @property
    def events(self) -> np.ndarray:
        """Synaptic events (spikes times the synapses they travel, from inputs too) per trial, float64 [B]."""
        return self.activity.events / len(self.trials)

    @property
    def synapses(self) -> np.ndarray:
        """Int64 [B]."""
        return self.tables.synapses

    @property
    def neurons(self) -> np.ndarray:
        """Int64 [B]."""
        return self.tables.neurons

    @property
    def delay_ms(self) -> np.ndarray:
        """The delays of all synapses together, float64 [B]."""
        return self.tables.delay_steps * self.task.dt_ms

    @property
    def simulated(self) -> np.ndarray:
        """Share of the steps that were simulated, below 1 for circuits given up, float64 [B]."""
        return self.activity.steps / (self.trials.bits.shape[0] * self.trials.bits.shape[1])

    @cached_property
    def answer_ms(self) -> np.ndarray:
        """Mean time of the first output spike in trials answered right by a spike; a wrong trial counts with its
        duration: float64 [B]."""
        first = self.raster.first_spikes().min(axis=-1)
        right = self.scored.trial_scores > 0.5
        answered = np.isfinite(first)
        weights = np.where(right & ~answered, 0.0, self.trials.weights)
        times = np.where(right & answered, np.where(answered, first, 0.0), self.task.duration_ms)
        total = weights.sum(axis=-1)
        return np.where(total > 0, (times * weights).sum(axis=-1) / np.where(total > 0, total, 1.0), self.task.duration_ms)


def evaluate(task: Task, trials: Trials, build: Build | PackedCircuits, stop: Stop = ALL_STEPS) -> Evaluation:
    """Simulate the circuits that `build` makes (or given as `PackedCircuits`) on the trials, with the rule `stop` of early
    stopping, and score them all."""
    make: Build = (lambda _: build) if isinstance(build, PackedCircuits) else build
    clock = [perf_counter()]
    tables = make(1)
    clock.append(perf_counter())
    activity, raster = run(task, trials, tables, stop)
    clock.append(perf_counter())
    scored, failed, fault = judge(task, raster, trials)
    clock.append(perf_counter())
    seconds = {name: b - a for name, a, b in zip(("decode", "simulate", "score"), clock[:-1], clock[1:], strict=True)}
    return Evaluation(task, trials, make, stop, tables, raster, activity, scored, failed, fault, seconds)


def run(task: Task, trials: Trials, tables: PackedCircuits, stop: Stop) -> tuple[Activity, Raster]:
    """Simulate the circuits; also returns the raster that is scored, with a teacher (`Task.teacher`) also the surprise."""
    read, excitatory = (tables.all_read(), tables.excitatory) if task.listens == "all" else (tables, None)
    environment = task.environment(trials)
    options = {"seed": trials.noise_seed, "stop": stop, "environment": environment, "signals": trials.drive}
    activity = simulate_population(read, trials.bits, len(trials), **options)
    teacher = task.teacher(trials)
    if teacher is not None:
        taught = simulate_population(tables, trials.bits, len(trials), teacher=teacher, **options)
        activity = activity._replace(surprise=taught.surprise, off=taught.off)
    raster = Raster(activity.outputs, len(trials), task.dt_ms, task.outputs, excitatory=excitatory)
    return activity, replace(raster, surprise=activity.surprise, off=activity.off)


def score_of(task: Task, trials: Trials, circuit: Circuit) -> Score:
    """The score of one circuit in the search's precision, [1]."""
    return judge(task, run(task, trials, from_circuit(circuit, np.float32), Stop())[1], trials).score


def scored(task: Task, trials: Trials, circuit: Circuit) -> tuple[float, float, float]:
    """The score of one circuit in the search's precision, and the ends of its 95 % confidence interval."""
    return with_intervals(task, trials, [score_of(task, trials, circuit)])[0]


class Floor(NamedTuple):
    """The lowest scores with which another circuit does as well on the same trials (`Task.floor`).

    score  on all trials;   worst  in the circuit's worst condition, minus infinity where there are none
    """

    score: float
    worst: float

    @classmethod
    def of(cls, task: Task, trials: Trials, circuit: Circuit) -> "Floor":
        """The floors of a circuit, in the search's precision."""
        score = score_of(task, trials, circuit)
        (which,) = task.by_condition(score, trials).worst[1]
        floor = float(task.floor(score, trials)[0])
        if which < 0:
            return cls(floor, -np.inf)
        return cls(floor, float(task.floor_of(score, trials, task.grouped(trials).members[which])[0]))

    def kept(self, task: Task, trials: Trials, score: Score) -> np.ndarray:
        """Are circuits with these scores on the same trials, [B], as good? bool [B]."""
        return (score.value >= self.score) & ~(task.by_condition(score, trials).worst[0] < self.worst)


def with_intervals(task: Task, trials: Trials, single: list[Score]) -> list[tuple[float, float, float]]:
    """Scores of one circuit each, [1, ...], and the ends of their intervals, computed together where they have one form:
    resampling takes about as long for many circuits as for one. Their trials may differ in the input spikes."""
    measured = [score.measured for score in single]
    if all(isinstance(part, np.ndarray) for part in measured) and len({part.shape for part in measured}) == 1:
        stacked = [Score(*map(np.concatenate, zip(*single, strict=True)))]
    else:
        stacked = single
    rows = [(score.value, *task.interval(score, trials)) for score in stacked]
    return [(float(value), float(low), float(high)) for row in rows for value, low, high in zip(*row, strict=True)]


def scores(task: Task, trials: Trials, circuit: Circuit, versions: Variants) -> tuple[np.ndarray, np.ndarray]:
    """The scores of variants of a circuit, and the class-balanced means of their case scores: float64 [V] each."""
    batches = [(score.value, smooth_scores(score, trials)) for score in judged(task, trials, circuit, versions)]
    value, smooth_score = zip(*batches, strict=True)
    return np.concatenate(value), np.concatenate(smooth_score)


def judged(task: Task, trials: Trials, circuit: Circuit, versions: Variants) -> Iterator[Score]:
    """The scores of variants of a circuit, in batches."""
    batch = max(1, TRIALS_AT_ONCE // len(trials))
    for first in range(0, len(versions.kept), batch):
        tables = Variants(*(part[first : first + batch] for part in versions)).tables(circuit)
        yield judge(task, run(task, trials, tables, Stop())[1], trials).score


def smooth_scores(score: Score, trials: Trials) -> np.ndarray:
    """The class-balanced mean of the case scores, float64 [B]."""
    return (score.case_scores * trials.weights).sum(axis=-1)
