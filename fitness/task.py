"""What a task is: it makes trials and scores what a circuit's output neurons did in them.

A task of one's own is one class, numpy only: its settings are annotated fields, `make` draws trials, `credit` judges them.

    class Agree(fitness.Task):
        inputs, outputs = ("a", "b"), ("yes",)
        dt_ms, duration_ms, chance = 1.0, 50.0, 0.5
        gap_ms: float = 10.0                                 # a setting: [task] gap_ms = 5 in the run spec

        def make(self, rng, count):
            labels = np.arange(count) % 2                    # 1: together, 0: gap_ms apart
            spikes = np.zeros((count, 50, 2), bool)
            spikes[:, 9, 0] = True
            spikes[np.arange(count), np.where(labels, 9, 9 + int(self.gap_ms)), 1] = True
            return spikes, labels

        def credit(self, raster, trials):
            fired = raster.counts()[..., 0] > 0              # [circuits, trials]
            return fired == trials.labels
"""

import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from traceback import extract_tb
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from circuits.circuit import Circuit
from circuits.errors import UserError, one_line
from circuits.raster import Raster, pack
from circuits.simulate import simulate
from fitness.conditions import REPORTED, ByCondition, Conditions, checked, grouped
from fitness.guard import Overtime, limited

Z = 1.959964  # of a 95 % confidence interval


@dataclass(frozen=True)
class Trials:
    """Stimuli and what is known about them.

    spikes  bool [trials, steps, channels], row k holds the spikes stamped (k + 1) dt
    labels  int [trials]: the class of each trial; scores weigh classes equally
    facts   further arrays [trials, ...] that the task's `credit` needs
    noise_seed  of the membrane noise in these trials, for circuits that have some
    """

    spikes: np.ndarray
    labels: np.ndarray
    facts: dict = field(default_factory=dict)
    noise_seed: int = 0

    def __len__(self):
        return len(self.labels)

    def take(self, chosen) -> "Trials":
        """Some of the trials: chosen is an index array, int or bool."""
        facts = {name: fact[chosen] for name, fact in self.facts.items()}
        return Trials(self.spikes[chosen], self.labels[chosen], facts, self.noise_seed)

    @cached_property
    def bits(self) -> np.ndarray:
        """The stimuli as the kernel reads them: uint64 [blocks, steps, channels]."""
        return pack(self.spikes)

    @cached_property
    def weights(self) -> np.ndarray:
        """Weight of each trial in a class-balanced mean; they sum to 1."""
        classes, place, sizes = np.unique(self.labels, return_inverse=True, return_counts=True)
        return 1.0 / (len(classes) * sizes[place])


class Symbols(NamedTuple):
    """Trials as sequences of symbols.

    names     of the kinds of symbols;   which  int [trials, symbols], their numbers in `names`, -1 where none comes
    start_ms  [trials, symbols], ascending: when each begins
    """

    names: tuple[str, ...]
    which: np.ndarray
    start_ms: np.ndarray


class Interface(NamedTuple):
    """What a circuit must have to take part in a task; all that is kept of a task once a run is over.

    title  the task's name;   inputs, outputs  names of the channels and ports;   dt_ms, duration_ms  step and length of a trial
    """

    title: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    dt_ms: float
    duration_ms: float


class Score(NamedTuple):
    """How well circuits did: `value` float64 [...], 0 is chance and 1 is perfect; `credit` float64 [..., trials], each trial
    right (1), wrong (0) or in part; `grade` float64 [..., trials], the same made smooth enough to climb; `measured` is what
    else the task's `interval` needs."""

    value: np.ndarray
    credit: np.ndarray
    grade: np.ndarray
    measured: Any = None


def exact(scores) -> np.ndarray:
    """Scores with the same bits everywhere: laid out alike, so that sums are taken in one order, and without the last digits,
    in which the exponential functions and matrix products of machines differ."""
    return np.round(np.asarray(scores, "f8", order="C"), 9) + 0.0


class Task(BaseModel):
    """Base of all tasks. A subclass sets the class attributes (or properties) below, its settings as annotated fields, and
    implements `make` and `credit`.

    inputs, outputs   names of the input channels and output ports (one neuron each)
    dt_ms             the simulation step;   duration_ms  length of a trial
    chance            the credit that guessing, or silence, gets on average
    listens           "outputs": `credit` gets a raster of the output neurons; "all": of all neurons, in no order that means
                      anything, with `raster.excitatory`
    timing            do the counts of input spikes say nothing about the answer?
    suits             settings of a run spec that suit the task, by section, for `evo new`
    decisive          connections (pre, post) of the task's reference circuit without which it cannot work; names of neurons and
                      input channels
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: ClassVar[str] = ""
    inputs: ClassVar[tuple[str, ...]] = ()
    outputs: ClassVar[tuple[str, ...]] = ()
    dt_ms: ClassVar[float] = 1.0
    duration_ms: ClassVar[float] = 100.0
    chance: ClassVar[float] = 0.0
    listens: ClassVar[Literal["outputs", "all"]] = "outputs"
    timing: ClassVar[bool] = False
    suits: ClassVar[dict[str, dict[str, Any]]] = {}
    decisive: ClassVar[tuple[tuple[str, str], ...]] = ()

    _seconds: float | None = PrivateAttr(None)  # most that one call into the task's own code may take

    def __init__(self, **settings):
        try:
            super().__init__(**settings)
        except ValidationError as error:
            raise UserError(f"task {self.title()}: {one_line(error, tuple(type(self).model_fields))}") from None

    @classmethod
    def title(cls) -> str:
        """The task's name: the registered one, or that of its class."""
        return cls.name or cls.__name__

    @classmethod
    def what(cls) -> str:
        """What it is, in a few words: the first line of its module, without the source."""
        text = " ".join((sys.modules[cls.__module__].__doc__ or "").split())
        return text.partition(" (")[0].removesuffix(".")

    @property
    def steps(self) -> int:
        return round(self.duration_ms / self.dt_ms)

    @property
    def interface(self) -> Interface:
        """What circuits must have. Raises UserError for class attributes that no circuit can meet."""
        for what, least in (("inputs", 0), ("outputs", 1)):
            names = getattr(self, what)
            listed = isinstance(names, list | tuple) and len(names) >= least and all(isinstance(n, str) and n for n in names)
            if not listed or len(set(names)) < len(names):
                raise UserError(f'task {self.title()}: {what} must be different names such as ("a", "b"), not {names!r}')
        steps = self.duration_ms / self.dt_ms if 0 < self.dt_ms <= 100 else np.nan
        if not (0.5 < steps < np.inf and abs(steps - round(steps)) < 1e-6 * steps):
            times = f"duration_ms {self.duration_ms} and dt_ms {self.dt_ms}"
            raise UserError(f"task {self.title()}: duration_ms must be whole steps dt_ms (at most 100 ms each), not {times}")
        if not 0 <= self.chance < 1:
            raise UserError(f"task {self.title()}: chance must be at least 0 and below 1, not {self.chance}")
        return Interface(self.title(), tuple(self.inputs), tuple(self.outputs), float(self.dt_ms), float(self.duration_ms))

    def make(self, rng: np.random.Generator, count: int):
        """Draw trials: `(spikes, labels)` or `(spikes, labels, facts)`, see `Trials`. All randomness comes from `rng`."""
        raise UserError(f"task {self.title()}: has no method make(self, rng, count)")

    def credit(self, raster: Raster, trials: Trials) -> np.ndarray:
        """Credit in 0..1 for each trial: array [..., trials]. `raster` holds the output neurons, one column per port, and its
        methods return arrays [..., trials, outputs] whose leading axis is the circuits."""
        raise UserError(f"task {self.title()}: has no method credit(self, raster, trials)")

    def grade(self, raster: Raster, trials: Trials) -> np.ndarray:
        """What a search climbs, trial by trial: by default the credit itself."""
        return self.credit(raster, trials)

    def variable(self, trials: Trials) -> tuple[str, np.ndarray]:
        """What tuning curves are drawn over: its name, with the unit in brackets, and its value in each trial [trials]. By
        default the class; a task whose facts have something better says so."""
        return "class", trials.labels

    def conditions(self, trials: Trials) -> dict[str, np.ndarray]:
        """The factors that make the conditions of these trials, by name with the unit in brackets, [trials] each: the score is
        reported in the worst condition too, see `fitness.conditions`. By default the class; {} for a task whose score means
        nothing on some of the trials alone."""
        return {"class": trials.labels}

    def as_sequence(self, trials: Trials) -> Symbols | None:
        """The symbols that a trial consists of, for tasks in which something is to be held from one to the next; else None."""
        return None

    def world(self, trials: Trials):
        """The world of a closed loop in these trials, see `circuits.worlds`: what the outputs do decides what the inputs are.
        None: the inputs are `trials.spikes`. A task that listens to all has none."""
        return None

    def trials(self, seed, count: int = 64) -> Trials:
        """`count` trials, the same for the same settings, seed (an int, or a sequence of them) and count."""
        made = self._call(self.make, np.random.default_rng(seed), count)
        if not isinstance(made, tuple) or len(made) not in (2, 3):
            raise UserError(f"task {self.title()}: make must return (spikes, labels) or (spikes, labels, facts)")
        spikes, labels, facts = (*made, {})[:3]
        spikes, labels = np.asarray(spikes), np.asarray(labels)
        wanted = (count, self.steps, len(self.inputs))
        if spikes.dtype != bool or spikes.shape != wanted:
            raise UserError(
                f"task {self.title()}: make must return spikes as bool {list(wanted)} [trials, steps, channels], "
                f"not {spikes.dtype} {list(spikes.shape)}"
            )
        if labels.shape != (count,):
            raise UserError(f"task {self.title()}: make must return one label per trial [{count}], not {list(labels.shape)}")
        return Trials(spikes, labels, facts, int(np.random.SeedSequence(seed).generate_state(1, "u8")[0]))

    def score(self, raster: Raster, trials: Trials) -> Score:
        """Score the rasters of one circuit, or of many at once (leading axis); see `Score`."""
        raster = self._heard(raster)
        shape = (*raster.bits.shape[:-3], len(trials))
        credit, grade = (self._checked(what, shape, raster, trials) for what in (self.credit, self.grade))
        return Score(self._mean(credit, trials), credit, grade)

    def _mean(self, credit, trials):
        """The score that a credit [..., trials] amounts to."""
        value = ((credit * trials.weights).sum(axis=-1) - self.chance) / (1 - self.chance)
        return np.clip(exact(value), 0.0, 1.0)

    def score_of(self, score: Score, trials: Trials, chosen: np.ndarray) -> np.ndarray:
        """The score on some of the trials, [...]: chosen is an index array; `score` is that on all of them."""
        return self._mean(np.ascontiguousarray(score.credit[..., chosen]), trials.take(chosen))

    def grouped(self, trials: Trials, least: int = REPORTED) -> Conditions:
        """The conditions of these trials that have at least so many; see `fitness.conditions`."""
        return grouped(checked(self._call(self.conditions, trials), len(trials), self.title()), least)

    def by_condition(self, score: Score, trials: Trials, least: int = REPORTED) -> ByCondition:
        """The score in each condition that has at least so many trials. Where the task's own code fails for a circuit in a
        condition, its score there is 0."""
        names, members = found = self.grouped(trials, least)
        shape = (*score.value.shape, len(names))
        scores, grades = np.zeros(shape), np.zeros(shape)
        for k, chosen in enumerate(members):
            weights = trials.take(chosen).weights
            grades[..., k] = exact((score.grade[..., chosen] * weights).sum(axis=-1))
            try:
                scores[..., k] = self.score_of(score, trials, chosen)
            except UserError as error:
                if isinstance(error.__cause__, Overtime):
                    raise
        return ByCondition(names, found.trials, scores, grades)

    def interval(self, score: Score, trials: Trials) -> tuple[np.ndarray, np.ndarray]:
        """The 95 % confidence interval of `score.value`, as two arrays of its shape: Wilson's (J. Am. Stat. Assoc. 22, 1927)
        for the class-balanced mean of the credit."""
        p, n = (score.credit * trials.weights).sum(axis=-1), 1 / (trials.weights**2).sum()
        centre = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z / (1 + Z**2 / n) * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        low, high = ((edge - self.chance) / (1 - self.chance) for edge in (centre - half, centre + half))
        return np.clip(exact(low), 0.0, 1.0), np.clip(exact(high), 0.0, 1.0)

    def _heard(self, raster):
        """The columns that the task reads."""
        raster = raster if self.listens == "all" else raster.outputs
        columns = raster.bits.shape[-1]
        if self.listens == "outputs" and columns != len(self.outputs):
            raise UserError(f"task {self.title()}: it reads {len(self.outputs)} output neurons, the circuit has {columns}")
        return raster

    def _call(self, method, *arguments):
        """Call a task's own code: what fails there becomes one line that names the place."""
        try:
            with limited(self._seconds, f"task {self.title()}: {getattr(method, '__name__', 'its code')}"):
                return method(*arguments)
        except UserError:
            raise
        except Exception as error:
            frames = [f for f in extract_tb(error.__traceback__) if f.filename != __file__]
            own = [f for f in frames if f.filename == getattr(sys.modules.get(type(self).__module__), "__file__", None)]
            place = (own or frames or extract_tb(error.__traceback__))[-1]
            where = f"{Path(place.filename).name}, line {place.lineno}, {place.name}"
            raise UserError(f"task {self.title()}: fails in {where}: {type(error).__name__}: {error}") from error

    def _returned(self, method, shape, *arguments):
        """The numbers that a task's own method returns, float64; in `shape`, None stands for any length."""
        place, found = f"task {self.title()}: {method.__name__}", np.asarray(self._call(method, *arguments))
        if found.dtype.kind not in "biuf":
            raise UserError(f"{place} must return numbers, not {found.dtype}")
        if found.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape, found.shape, strict=True)):
            wanted = ["any" if n is None else n for n in shape]
            raise UserError(f"{place} must return an array {wanted} [..., trials], not {list(found.shape)}")
        return np.asarray(found, "f8", order="C")

    def _checked(self, method, shape, *arguments):
        """The same as scores: finite, and exact. The last axis, if any, is the trials."""
        found = exact(self._returned(method, shape, *arguments))
        bad = ~np.isfinite(found)
        if bad.any():
            trial = f" in trial {int(np.argwhere(bad)[0][-1])}" if method.__name__ != "overall" else ""
            raise UserError(f"task {self.title()}: {method.__name__} is not finite{trial}")
        return found

    def evaluate(self, circuit: Circuit, trials: Trials, dtype="float64") -> Score:
        """Simulate a circuit on the trials and score it."""
        return self.score(self.simulate(circuit, trials, dtype), trials)

    def simulate(self, circuit: Circuit, trials: Trials, dtype="float64") -> Raster:
        """What a circuit does in the trials."""
        if abs(circuit.dt_ms - self.dt_ms) > 1e-12:
            raise UserError(f"task {self.title()}: its step is {self.dt_ms:g} ms, the circuit's {circuit.dt_ms:g} ms")
        return simulate(circuit, trials.spikes, dtype=dtype, seed=trials.noise_seed, world=self.world(trials))
