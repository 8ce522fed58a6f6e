"""What a task is: it makes trials and scores what a circuit's output neurons did in them.

A task of one's own is one class, numpy only: its settings are annotated fields, `make` draws trials, `credit` judges them.

    class Agree(fitness.Task):
        inputs, outputs = ("a", "b"), ("yes",)
        dt_ms, duration_ms, chance = 1.0, 50.0, 0.5
        gap_ms: float = 10.0                                 # a setting: [task] gap_ms = 5 in the run spec

        def make(self, rng, count):
            labels = np.arange(count) % 2                    # 1: together, 0: gap_ms apart
            first = rng.integers(5, 20, (2, count))
            first[1] = first[0] + np.where(labels, 0, int(self.gap_ms))
            spikes = np.zeros((count, 50, 2), bool)
            for channel in (0, 1):
                spikes[np.arange(count), first[channel], channel] = True
            return spikes, labels

        def credit(self, raster, trials):
            fired = raster.counts()[..., 0] > 0              # [circuits, trials]
            return fired == trials.labels

`make` draws all trials of a run: those a search scores by, those it validates on, those held out and those a core is chosen on.
Where they are not drawn afresh, so that some could come again, it must know which are asked for: `make(self, rng, count, part)`
gets the part as well, one of `PARTS`. Over a finite set of data derive from `fitness.FiniteData`, which splits them.

What it needs beside the file belongs to it, see `fitness.sandbox.code`. `credit` is called with whole populations, thousands of
times: the methods of `raster` and the functions of `fitness.decode` read them fast, without writing the trains out.
"""

import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial, wraps
from inspect import Parameter, signature
from pathlib import Path
from traceback import extract_tb
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from circuits.circuit import Circuit
from circuits.errors import UserError, one_line
from circuits.simulation.raster import Raster, pack
from circuits.simulation.simulate import simulate
from fitness.conditions import REPORTED, ByCondition, Conditions, checked, grouped
from fitness.interval import of_clustered_mean, of_mean, wilson
from fitness.sandbox import guard
from fitness.sandbox.guard import Overtime, guarded
from fitness.sandbox.modules import folder_of

PARTS = "search", "held_out", "validation", "core"  # of a run's trials; the number of each is the second half of its seed


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

    def of(self, circuit: tuple[int, ...]) -> "Score":
        """That of one circuit of many."""
        return Score(*(_of(part, circuit) for part in self))


def _of(part, circuit):
    """A circuit's part of an array, or of a tuple of them or of scores."""
    if isinstance(part, Score):
        return part.of(circuit)
    return tuple(_of(one, circuit) for one in part) if isinstance(part, tuple) else part if part is None else part[circuit]


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
    def __pydantic_init_subclass__(cls, **_):
        """What only some tasks of a user's own bring along is called like all else that is theirs, see `_call`."""
        for name in {"score", "interval", "world"} & vars(cls).keys():
            if not cls.__module__.startswith("fitness."):
                setattr(cls, name, _called(vars(cls)[name]))

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
        """Draw trials: `(spikes, labels)` or `(spikes, labels, facts)`, see `Trials`. All randomness comes from `rng`.

        A `make(self, rng, count, part)` is told as well which part of a run's trials it draws: "search", by which circuits are
        selected; "validation", by which a target is judged and the best are told from the lucky; "core", on which it is chosen
        what of a circuit can go; "held_out", by which nothing is chosen. No stimulus of the last may be in another one.
        """
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
        """The world of a closed loop in these trials, see `environments`: what the outputs do decides what the inputs are.
        None: the inputs are `trials.spikes`. A task that listens to all has none."""
        return None

    def clusters(self, trials: Trials) -> np.ndarray | None:
        """Which trials are not independent of each other, because they are of one animal, one speaker or one stimulus: the
        number of each one's cluster, int [trials], which `interval` takes as one observation. None: all are independent."""
        return None

    def trials_of(self, part: str, seed: int, count: int) -> Trials:
        """The trials of a part of a run with this seed, one of `PARTS`."""
        return self.trials((seed, PARTS.index(part)), count, part)

    def trials(self, seed, count: int = 64, part: str = "search") -> Trials:
        """`count` trials, the same for the same settings, seed (an int, or a sequence of them), count and part (see `make`).

        A seed that is one number gives the trials on which a run with this seed searches: test its circuits on others.
        """
        if part not in PARTS:
            raise UserError(f"task {self.title()}: part must be one of {', '.join(PARTS)}, not {part!r}")
        told = {"part": part} if (how := _told(type(self).make)) == "by name" else {}
        made = self._call(self.make, np.random.default_rng(seed), count, *([part] if how == "in place" else []), **told)
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
        credit = self._checked(self.credit, shape, raster, trials)
        graded = type(self).grade is not Task.grade
        grade = self._checked(self.grade, shape, raster, trials) if graded else credit.copy()
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
                for circuit in np.ndindex(shape[:-1]):  # which of them fails
                    with suppress(UserError):
                        scores[(*circuit, k)] = self.score_of(score.of(circuit), trials, chosen)
        return ByCondition(names, found.trials, scores, grades)

    def interval(self, score: Score, trials: Trials) -> tuple[np.ndarray, np.ndarray]:
        """The 95 % confidence interval of `score.value`, as two arrays of its shape, over draws of as many trials: that of a
        class-balanced mean of the credit, see `fitness.interval`."""
        clusters = self._clusters(trials)
        low, high = (
            of_mean(score.credit, trials.labels)
            if clusters is None
            else of_clustered_mean(score.credit, trials.weights, clusters)
        )
        low, high = ((edge - self.chance) / (1 - self.chance) for edge in (low, high))
        return np.clip(exact(low), 0.0, 1.0), np.clip(exact(high), 0.0, 1.0)

    def floor(self, score: Score, trials: Trials) -> np.ndarray:
        """The score down to which another circuit does as well on the same trials, when parts of a circuit are removed: the
        lower end of Wilson's interval for trials that vary alike. The same trials: what other draws would do is no matter."""
        low, _ = wilson((score.credit * trials.weights).sum(axis=-1), 1 / (trials.weights**2).sum())
        return np.clip(exact((low - self.chance) / (1 - self.chance)), 0.0, 1.0)

    def floor_of(self, score: Score, trials: Trials, chosen: np.ndarray) -> np.ndarray:
        """`floor` on some of the trials: chosen is an index array; `score` is that on all of them."""
        some = Score(self.score_of(score, trials, chosen), score.credit[..., chosen], score.grade[..., chosen])
        return self.floor(some, trials.take(chosen))

    def _clusters(self, trials):
        """The clusters, checked."""
        found = self._call(self.clusters, trials)
        if found is not None and np.shape(found) != (len(trials),):
            raise UserError(f"task {self.title()}: clusters must return one number per trial [{len(trials)}], or None")
        return None if found is None else np.asarray(found)

    def _heard(self, raster):
        """The columns that the task reads."""
        raster = raster if self.listens == "all" else raster.outputs
        columns = raster.bits.shape[-1]
        if self.listens == "outputs" and columns != len(self.outputs):
            raise UserError(f"task {self.title()}: it reads {len(self.outputs)} output neurons, the circuit has {columns}")
        return raster

    def _call(self, method, *arguments, **named):
        """Call a task's own code: what fails there becomes one line that names the place."""
        try:
            what = getattr(getattr(method, "func", method), "__name__", "its code")
            return guarded(f"task {self.title()}: {what}", self._seconds, method, *arguments, **named)
        except UserError:
            raise
        except Exception as error:
            module = type(self).__module__
            frames = [f for f in extract_tb(error.__traceback__) if f.filename not in (__file__, guard.__file__)]
            file, folder = getattr(sys.modules.get(module), "__file__", None), f"{folder_of(module) or os.devnull}/"
            own = [f for f in frames if f.filename == file or f.filename.startswith(folder)]
            place = (own or frames or extract_tb(error.__traceback__))[-1]
            where = f"{Path(place.filename).name}, line {place.lineno}, {place.name}"
            said = str(error).replace(folder, "")  # the same wherever the copy of the code lies
            raise UserError(f"task {self.title()}: fails in {where}: {type(error).__name__}: {said}") from error

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


def _called(method):
    @wraps(method)
    def called(self, *arguments, **named):
        return self._call(partial(method, self), *arguments, **named)

    return called


@lru_cache
def _told(make) -> str:
    """How a task's `make` is to be told the part: "by name", "in place" (as a third argument without a default), or ""."""
    kinds = Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD
    found = signature(make).parameters
    if "part" in found and found["part"].kind is not Parameter.POSITIONAL_ONLY:
        return "by name"
    third = [one for one in found.values() if one.kind in kinds][3:4]
    return "in place" if third and third[0].default is Parameter.empty else ""
