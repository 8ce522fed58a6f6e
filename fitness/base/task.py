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

from contextlib import suppress

import numpy as np

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.simulation.raster import Raster
from circuits.simulation.simulate import simulate
from fitness.base.definition import TaskDefinition
from fitness.base.trials import Trials
from fitness.sandbox.calls import numbers, takes_part, trial_arrays
from fitness.sandbox.guard import Overtime
from fitness.scoring.conditions import REPORTED, ByCondition, Conditions, checked, grouped
from fitness.scoring.confidence import of_clustered_mean, of_mean, wilson
from fitness.scoring.score import Score, exact

PARTS = "search", "held_out", "validation", "core"  # of a run's trials; the number of each is the second half of its seed


class Task(TaskDefinition):
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

    def simulate(self, circuit: Circuit, trials: Trials, dtype="float64", **options) -> Raster:
        """Simulate a circuit on trials.

        Parameters
        ----------
        circuit : Circuit
            The circuit; its time step must be that of the task.
        trials : Trials
            The trials.
        dtype : {"float64", "float32"}
            Precision of the simulation.
        **options
            Further arguments of `circuits.simulate`, such as `record`.

        Returns
        -------
        Raster
            The spikes of all its neurons.
        """
        if abs(circuit.dt_ms - self.dt_ms) > 1e-12:
            raise UserError(f"task {self.title()}: its step is {self.dt_ms:g} ms, the circuit's {circuit.dt_ms:g} ms")
        options |= {"seed": trials.noise_seed, "environment": self.environment(trials), "signals": trials.signals}
        return simulate(circuit, trials.spikes, dtype=dtype, **options)
