"""The declaration of a task: its ports, times and settings, checked, and the methods that a task overrides."""

import sys
from functools import partial, wraps
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from circuits.circuit import Sampled
from circuits.errors import UserError, one_line
from circuits.simulation.raster import Raster
from circuits.simulation.teacher import Teacher
from fitness.base.trials import Interface, Symbols, Trials
from fitness.sandbox.calls import call

OLD_NAMES = {  # of attributes and methods in version 0.4
    "credit": "trial_scores",
    "grade": "case_scores",
    "suits": "default_spec",
    "decisive": "critical_connections",
    "world": "environment",
}


class TaskDefinition(BaseModel):
    """Base class of `fitness.Task`, where its attributes are documented: everything that a task itself declares."""

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

    def _call(self, method, *arguments, **named):
        """Call a task's own code. Raises UserError of one line that names the place where it fails."""
        return call(type(self), self.title(), self._seconds, method, *arguments, **named)


def weights_mv(excitatory: float, inhibitory: float) -> dict[str, list[float]]:
    """The ranges of weights in the circuit section of a `default_spec`, from 1 mV to these."""
    return {"excitatory_weight_mv": [1.0, excitatory], "inhibitory_weight_mv": [1.0, inhibitory]}


def _called(method):
    @wraps(method)
    def called(self, *arguments, **named):
        return self._call(partial(method, self), *arguments, **named)

    return called
