"""Tasks, which draw trials and score the output spikes of circuits in them.

A task of one's own is one class, numpy only: its settings are annotated fields, `make` draws trials, `trial_scores`
scores the answers.

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

        def trial_scores(self, raster, trials):
            fired = raster.counts()[..., 0] > 0              # [circuits, trials]
            return fired == trials.labels

`make` draws all trials of a run: for the search, for validation, held out, and for choosing cores. Where trials could come
again in another part, `make(self, rng, count, part)` also gets the part, one of `PARTS`. Over a finite set of data derive from
`fitness.FiniteData`, which splits them.

The files beside it that it needs belong to it, see `fitness.sandbox.code`. `trial_scores` is called with whole populations,
thousands of times: the methods of `raster` and the functions of `fitness.decode` read them fast, without unpacking the trains.
"""

import sys
from contextlib import suppress
from functools import partial, wraps
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from circuits.circuit import Circuit, Sampled
from circuits.errors import UserError, one_line
from circuits.simulation.raster import Raster
from circuits.simulation.simulate import simulate
from circuits.simulation.teacher import Teacher
from fitness.base.trials import Interface, Symbols, Trials
from fitness.sandbox.calls import call, numbers, takes_part, trial_arrays
from fitness.sandbox.guard import Overtime
from fitness.scoring.conditions import REPORTED, ByCondition, Conditions, checked, grouped
from fitness.scoring.confidence import of_clustered_mean, of_mean, wilson
from fitness.scoring.score import Score, exact

OLD_NAMES = {  # of attributes and methods in version 0.4
    "credit": "trial_scores",
    "grade": "case_scores",
    "suits": "default_spec",
    "decisive": "critical_connections",
    "world": "environment",
}
PARTS = "search", "held_out", "validation", "core"  # of a run's trials; the number of each is the second half of its seed


class Task(BaseModel):
    """Base class of tasks: a task generates trials and scores the answers of circuits.

    A subclass sets the class attributes below (or properties of the same name), declares its settings as annotated fields, and
    implements `make` and `trial_scores`. Settings are given to the class by name.

    Attributes
    ----------
    inputs, outputs : tuple of str
        Names of the input channels, and of the output ports of one neuron each.
    sampled : tuple of circuits.Sampled
        Sources of the first input channels, where these are sampled signals and not spikes: () by default.
    dt_ms, duration_ms : float
        Time step and duration of a trial in ms.
    chance : float
        Mean trial score of guessing, or of silence.
    listens : {"outputs", "all"}
        "outputs": `trial_scores` gets a raster of the output neurons; "all": of all neurons, in no meaningful order, with
        `raster.excitatory`.
    timing : bool
        True if the counts of input spikes carry no information about the answer.
    default_spec : dict
        Settings of a run spec that suit the task, by section, for `evo new`.
    critical_connections : tuple of (str, str)
        Connections (pre, post) of the reference circuit without which it cannot work.

    Raises
    ------
    circuits.errors.UserError
        For unknown settings and wrong values.

    Examples
    --------
    >>> import numpy as np
    >>> import fitness
    >>> class Relay(fitness.Task):
    ...     inputs, outputs, duration_ms, chance = ("a",), ("out",), 50.0, 0.5
    ...
    ...     def make(self, rng, count):
    ...         spikes = np.zeros((count, 50, 1), bool)
    ...         spikes[::2, 10] = True
    ...         return spikes, spikes.any(axis=(1, 2)).astype(int)
    ...
    ...     def trial_scores(self, raster, trials):
    ...         return (raster.counts()[..., 0] > 0) == (trials.labels == 1)
    >>> Relay().trials(seed=1, count=8).labels
    array([1, 0, 1, 0, 1, 0, 1, 0])
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: ClassVar[str] = ""
    inputs: ClassVar[tuple[str, ...]] = ()
    outputs: ClassVar[tuple[str, ...]] = ()
    sampled: ClassVar[tuple[Sampled, ...]] = ()
    dt_ms: ClassVar[float] = 1.0
    duration_ms: ClassVar[float] = 100.0
    chance: ClassVar[float] = 0.0
    listens: ClassVar[Literal["outputs", "all"]] = "outputs"
    timing: ClassVar[bool] = False
    default_spec: ClassVar[dict[str, dict[str, Any]]] = {}
    critical_connections: ClassVar[tuple[tuple[str, str], ...]] = ()

    _seconds: float | None = PrivateAttr(None)  # limit of one call into the task's own code

    def __init__(self, **settings):
        try:
            super().__init__(**settings)
        except ValidationError as error:
            raise UserError(f"task {self.title()}: {one_line(error, tuple(type(self).model_fields))}") from None

    @classmethod
    def __pydantic_init_subclass__(cls, **_):
        """Guard methods that only some of a user's own tasks define, see `_call`."""
        for name in OLD_NAMES.keys() & vars(cls).keys():
            raise UserError(f"task {cls.title()}: what was `{name}` in version 0.4 is `{OLD_NAMES[name]}` now; rename it")
        for name in {"score", "interval", "environment"} & vars(cls).keys():
            if not cls.__module__.startswith("fitness."):
                setattr(cls, name, _called(vars(cls)[name]))

    @classmethod
    def title(cls) -> str:
        """The name of the task: the registered name, or that of its class.

        Returns
        -------
        str
            The name.
        """
        return cls.name or cls.__name__

    @classmethod
    def what(cls) -> str:
        """The task in a few words: the first line of the docstring of its module, without the source.

        Returns
        -------
        str
            A phrase.
        """
        text = " ".join((sys.modules[cls.__module__].__doc__ or "").split())
        return text.partition(" (")[0].removesuffix(".")

    @property
    def steps(self) -> int:
        """Number of time steps in a trial."""
        return round(self.duration_ms / self.dt_ms)

    @property
    def interface(self) -> Interface:
        """The inputs, outputs and time step that circuits must have for the task."""
        for key, minimum in (("inputs", 0), ("outputs", 1)):
            names = getattr(self, key)
            listed = isinstance(names, list | tuple) and len(names) >= minimum and all(isinstance(n, str) and n for n in names)
            if not listed or len(set(names)) < len(names):
                raise UserError(f'task {self.title()}: {key} must be different names such as ("a", "b"), not {names!r}')
        steps = self.duration_ms / self.dt_ms if 0 < self.dt_ms <= 100 else np.nan
        if not (0.5 < steps < np.inf and abs(steps - round(steps)) < 1e-6 * steps):
            times = f"duration_ms {self.duration_ms} and dt_ms {self.dt_ms}"
            raise UserError(f"task {self.title()}: duration_ms must be whole steps dt_ms (at most 100 ms each), not {times}")
        if not 0 <= self.chance < 1:
            raise UserError(f"task {self.title()}: chance must be at least 0 and below 1, not {self.chance}")
        signals = self.sampled
        if not (isinstance(signals, list | tuple) and all(isinstance(s, Sampled) for s in signals)):
            raise UserError(f"task {self.title()}: sampled must be a tuple of circuits.Sampled, not {signals!r}")
        if len(signals) > len(self.inputs):
            raise UserError(f"task {self.title()}: sampled are the first inputs; {len(signals)} are more than there are inputs")
        names = tuple(self.inputs), tuple(self.outputs)
        return Interface(self.title(), *names, float(self.dt_ms), float(self.duration_ms), tuple(signals))

    def make(self, rng: np.random.Generator, count: int):
        """Draw trials; implemented by every task.

        All randomness must come from `rng`. A method `make(self, rng, count, part)` also gets the part of a run for which it
        draws, so that no stimulus of the held-out part is in another one: "search", by which circuits are selected;
        "validation", by which a target is judged; "core", by which the removable parts of a circuit are chosen; "held_out", by
        which nothing is selected.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of all randomness.
        count : int
            Number of trials.

        Returns
        -------
        spikes : ndarray
            Input spikes, bool [trials, steps, channels].
        labels : ndarray
            Class of each trial, int [trials].
        facts : dict of ndarray, optional
            Further arrays [trials, ...].
        signals : ndarray, optional
            Signals of the sampled inputs, of tasks that have some: float [trials, steps, sampled inputs].
        """
        raise UserError(f"task {self.title()}: has no method make(self, rng, count)")

    def trial_scores(self, raster: Raster, trials: Trials) -> np.ndarray:
        """Score every trial by itself; implemented by every task.

        Parameters
        ----------
        raster : Raster
            Spikes of the output neurons, one column per port; its methods return arrays [..., trials, outputs], whose leading
            axis is the circuits of a population.
        trials : Trials
            The trials.

        Returns
        -------
        ndarray
            Score between 0 and 1 of each trial, [..., trials].
        """
        raise UserError(f"task {self.title()}: has no method trial_scores(self, raster, trials)")

    def case_scores(self, raster: Raster, trials: Trials) -> np.ndarray:
        """Scores by which selection tells circuits apart, by default the trial scores.

        Parameters
        ----------
        raster : Raster
            Spikes of the output neurons.
        trials : Trials
            The trials.

        Returns
        -------
        ndarray
            Case scores between 0 and 1, [..., trials].
        """
        return self.trial_scores(raster, trials)

    def variable(self, trials: Trials) -> tuple[str, np.ndarray]:
        """The variable over which tuning curves are drawn, by default the class.

        Parameters
        ----------
        trials : Trials
            The trials.

        Returns
        -------
        name : str
            Name of the variable, with the unit in brackets.
        values : ndarray
            Its value in each trial, [trials].
        """
        return "class", trials.labels

    def conditions(self, trials: Trials) -> dict[str, np.ndarray]:
        """The factors that make the conditions of trials, by default the class.

        The score is also reported in the worst condition, see `fitness.scoring.conditions`.

        Parameters
        ----------
        trials : Trials
            The trials.

        Returns
        -------
        dict of ndarray
            By name, with the unit in brackets, the value of each factor in each trial, [trials]; empty for a task whose score
            means nothing on some of the trials alone.
        """
        return {"class": trials.labels}

    def as_sequence(self, trials: Trials) -> Symbols | None:
        """Trials as sequences of symbols, for tasks with memory from one symbol to the next.

        Parameters
        ----------
        trials : Trials
            The trials.

        Returns
        -------
        Symbols or None
            The symbols; None for other tasks.
        """
        return None

    def environment(self, trials: Trials):
        """The environment of a closed loop, in which the outputs decide the inputs.

        Parameters
        ----------
        trials : Trials
            The trials.

        Returns
        -------
        Environment or None
            The environment; None if the inputs are `trials.spikes`.
        """
        return None

    def teacher(self, trials: Trials) -> Teacher | None:
        """The spikes that the output neurons should fire, for teacher forcing (`circuits.simulation.teacher`).

        With a teacher every circuit is simulated twice: as it is, and with the teacher's spikes in place of those of the output
        neurons. `score` gets the raster of the first, whose `surprise` is how far the second was from firing so by itself.

        Parameters
        ----------
        trials : Trials
            The trials.

        Returns
        -------
        Teacher or None
            The spikes and the steps that count; None, the default, for none.
        """
        return None

    def clusters(self, trials: Trials) -> np.ndarray | None:
        """Groups of trials that are not independent, such as those of one animal, speaker or stimulus.

        Parameters
        ----------
        trials : Trials
            The trials.

        Returns
        -------
        ndarray or None
            Number of the cluster of each trial, int [trials], which `interval` takes as one observation; None if all trials are
            independent.
        """
        return None

    def trials_of(self, part: str, seed: int, count: int) -> Trials:
        """The trials of a part of a run.

        Parameters
        ----------
        part : {"search", "validation", "core", "held_out"}
            The part.
        seed : int
            Seed of the run.
        count : int
            Number of trials.

        Returns
        -------
        Trials
            The trials.
        """
        return self.trials((seed, PARTS.index(part)), count, part)

    def trials(self, seed, count: int = 64, part: str = "search") -> Trials:
        """Draw trials, the same for the same settings, seed, count and part.

        A seed that is one number gives the trials on which a run with this seed searches: test its circuits on other seeds.

        Parameters
        ----------
        seed : int or sequence of int
            Seed of the draw.
        count : int
            Number of trials.
        part : {"search", "validation", "core", "held_out"}
            The part of a run, for tasks over finite data.

        Returns
        -------
        Trials
            The trials.

        Raises
        ------
        circuits.errors.UserError
            If the code of the task fails or returns arrays of a wrong type or shape.
        """
        if part not in PARTS:
            raise UserError(f"task {self.title()}: part must be one of {', '.join(PARTS)}, not {part!r}")
        named = {"part": part} if (how := takes_part(type(self).make)) == "by name" else {}
        made = self._call(self.make, np.random.default_rng(seed), count, *([part] if how == "in place" else []), **named)
        shape = count, self.steps, len(self.inputs)
        spikes, labels, facts, signals = trial_arrays(made, self.title(), shape, self.sampled)
        return Trials(spikes, labels, facts, int(np.random.SeedSequence(seed).generate_state(1, "u8")[0]), signals)

    def score(self, raster: Raster, trials: Trials) -> Score:
        """Score the raster of one circuit, or of a population (leading axis).

        Parameters
        ----------
        raster : Raster
            Spikes of all neurons, or of the output neurons.
        trials : Trials
            The trials in which they were recorded.

        Returns
        -------
        Score
            Value, trial scores and case scores.
        """
        raster = self._columns(raster)
        shape = (*raster.bits.shape[:-3], len(trials))
        trial_scores = self._checked(self.trial_scores, shape, raster, trials)
        graded = type(self).case_scores is not Task.case_scores
        case_scores = self._checked(self.case_scores, shape, raster, trials) if graded else trial_scores.copy()
        return Score(self._mean(trial_scores, trials), trial_scores, case_scores)

    def _mean(self, trial_scores, trials):
        """The score from trial scores [..., trials]: their class-balanced mean above chance."""
        value = ((trial_scores * trials.weights).sum(axis=-1) - self.chance) / (1 - self.chance)
        return np.clip(exact(value), 0.0, 1.0)

    def score_of(self, score: Score, trials: Trials, chosen: np.ndarray) -> np.ndarray:
        """The score on some of the trials.

        Parameters
        ----------
        score : Score
            The score on all trials.
        trials : Trials
            All trials.
        chosen : ndarray
            Index array of the trials that count.

        Returns
        -------
        ndarray
            Scores, float64 [...].
        """
        return self._mean(np.ascontiguousarray(score.trial_scores[..., chosen]), trials.take(chosen))

    def grouped(self, trials: Trials, min_trials: int = REPORTED) -> Conditions:
        """The conditions of trials, without rare ones.

        Parameters
        ----------
        trials : Trials
            The trials.
        min_trials : int
            Minimum number of trials in a condition.

        Returns
        -------
        Conditions
            Names, and the trials that belong to each.
        """
        return grouped(checked(self._call(self.conditions, trials), len(trials), self.title()), min_trials)

    def by_condition(self, score: Score, trials: Trials, min_trials: int = REPORTED) -> ByCondition:
        """The score in each condition.

        Where the code of the task fails for a circuit in a condition, its score there is 0.

        Parameters
        ----------
        score : Score
            The score on all trials.
        trials : Trials
            All trials.
        min_trials : int
            Minimum number of trials in a condition.

        Returns
        -------
        ByCondition
            Names, numbers of trials, scores and case scores of each condition.
        """
        names, members = conditions = self.grouped(trials, min_trials)
        shape = (*score.value.shape, len(names))
        scores, case_scores = np.zeros(shape), np.zeros(shape)
        for k, chosen in enumerate(members):
            weights = trials.take(chosen).weights
            case_scores[..., k] = exact((score.case_scores[..., chosen] * weights).sum(axis=-1))
            try:
                scores[..., k] = self.score_of(score, trials, chosen)
            except UserError as error:
                if isinstance(error.__cause__, Overtime):
                    raise
                for circuit in np.ndindex(shape[:-1]):  # only some of them fail
                    with suppress(UserError):
                        scores[(*circuit, k)] = self.score_of(score.of(circuit), trials, chosen)
        return ByCondition(names, conditions.trials, scores, case_scores)

    def interval(self, score: Score, trials: Trials) -> tuple[np.ndarray, np.ndarray]:
        """The 95 % confidence interval of a score, over draws of as many trials.

        Parameters
        ----------
        score : Score
            The score.
        trials : Trials
            The trials on which it was computed.

        Returns
        -------
        low, high : ndarray
            The ends of the interval, float64 of the shape of `score.value`. See `fitness.scoring.confidence` for the method.
        """
        clusters = self._clusters(trials)
        low, high = (
            of_mean(score.trial_scores, trials.labels)
            if clusters is None
            else of_clustered_mean(score.trial_scores, trials.weights, clusters)
        )
        low, high = ((edge - self.chance) / (1 - self.chance) for edge in (low, high))
        return np.clip(exact(low), 0.0, 1.0), np.clip(exact(high), 0.0, 1.0)

    def floor(self, score: Score, trials: Trials) -> np.ndarray:
        """The lowest score on the same trials that counts as equally good, when parts of a circuit are removed.

        The lower end of Wilson's interval, for trials of equal variance.

        Parameters
        ----------
        score : Score
            The score of the whole circuit.
        trials : Trials
            The trials on which it was computed.

        Returns
        -------
        ndarray
            float64 of the shape of `score.value`.
        """
        low, _ = wilson((score.trial_scores * trials.weights).sum(axis=-1), 1 / (trials.weights**2).sum())
        return np.clip(exact((low - self.chance) / (1 - self.chance)), 0.0, 1.0)

    def floor_of(self, score: Score, trials: Trials, chosen: np.ndarray) -> np.ndarray:
        """The lowest score on some of the trials that counts as equally good, see `floor`.

        Parameters
        ----------
        score : Score
            The score of the whole circuit on all trials.
        trials : Trials
            All trials.
        chosen : ndarray
            Index array of the trials that count.

        Returns
        -------
        ndarray
            float64 of the shape of `score.value`.
        """
        part = Score(self.score_of(score, trials, chosen), score.trial_scores[..., chosen], score.case_scores[..., chosen])
        return self.floor(part, trials.take(chosen))

    def _clusters(self, trials):
        """The clusters, checked."""
        clusters = self._call(self.clusters, trials)
        if clusters is not None and np.shape(clusters) != (len(trials),):
            raise UserError(f"task {self.title()}: clusters must return one number per trial [{len(trials)}], or None")
        return None if clusters is None else np.asarray(clusters)

    def _columns(self, raster):
        """The raster of the neurons that the task reads."""
        raster = raster if self.listens == "all" else raster.outputs
        columns = raster.bits.shape[-1]
        if self.listens == "outputs" and columns != len(self.outputs):
            raise UserError(f"task {self.title()}: it reads {len(self.outputs)} output neurons, the circuit has {columns}")
        return raster

    def _call(self, method, *arguments, **named):
        """Call a task's own code. Raises UserError of one line that names the place where it fails."""
        return call(type(self), self.title(), self._seconds, method, *arguments, **named)

    def _returned(self, method, shape, *arguments):
        """Numbers returned by a task's own method, checked, float64; None in `shape` stands for any length."""
        return numbers(self._call(method, *arguments), f"task {self.title()}: {method.__name__}", shape)

    def _checked(self, method, shape, *arguments):
        """Scores returned by a task's own method, checked: finite, and exact. The last axis, if any, is the trials."""
        scores = exact(self._returned(method, shape, *arguments))
        bad = ~np.isfinite(scores)
        if bad.any():
            trial = f" in trial {int(np.argwhere(bad)[0][-1])}" if method.__name__ != "overall" else ""
            raise UserError(f"task {self.title()}: {method.__name__} is not finite{trial}")
        return scores

    def evaluate(self, circuit: Circuit, trials: Trials, dtype="float64") -> Score:
        """Simulate a circuit on trials and score it.

        Parameters
        ----------
        circuit : Circuit
            The circuit.
        trials : Trials
            The trials.
        dtype : {"float64", "float32"}
            Precision of the simulation.

        Returns
        -------
        Score
            The score of the circuit.
        """
        return self.score(self.simulate(circuit, trials, dtype), trials)

    def simulate(self, circuit: Circuit, trials: Trials, dtype="float64") -> Raster:
        """Simulate a circuit on trials.

        Parameters
        ----------
        circuit : Circuit
            The circuit; its time step must be that of the task.
        trials : Trials
            The trials.
        dtype : {"float64", "float32"}
            Precision of the simulation.

        Returns
        -------
        Raster
            The spikes of all its neurons.
        """
        if abs(circuit.dt_ms - self.dt_ms) > 1e-12:
            raise UserError(f"task {self.title()}: its step is {self.dt_ms:g} ms, the circuit's {circuit.dt_ms:g} ms")
        options = {"seed": trials.noise_seed, "environment": self.environment(trials), "signals": trials.signals}
        return simulate(circuit, trials.spikes, dtype=dtype, **options)


def _called(method):
    @wraps(method)
    def called(self, *arguments, **named):
        return self._call(partial(method, self), *arguments, **named)

    return called
