"""Trials: the stimuli that a task draws, and the facts that it needs to score the answers."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from circuits.circuit import Sampled
from circuits.simulation.drive import lanes
from circuits.simulation.raster import pack


@dataclass(frozen=True)
class Trials:
    """Stimuli, and the facts that a task needs to score the answers.

    Parameters
    ----------
    spikes : ndarray
        Input spikes, bool [trials, steps, channels]; row k holds the spikes stamped (k + 1) dt.
    labels : ndarray
        Class of each trial, int [trials]; scores weigh classes equally.
    facts : dict of ndarray
        Further arrays [trials, ...] that the task needs.
    noise_seed : int
        Seed of the membrane noise in these trials, for circuits that have some.
    signals : ndarray, optional
        Signals of the sampled channels, float32 [trials, steps, sampled channels], centered and scaled; the columns of
        `spikes` that belong to them stay empty.

    Examples
    --------
    >>> import fitness
    >>> trials = fitness.task("gate").trials(seed=1, count=64)
    >>> trials.spikes.shape, len(trials)
    ((64, 420, 3), 64)
    """

    spikes: np.ndarray
    labels: np.ndarray
    facts: dict = field(default_factory=dict)
    noise_seed: int = 0
    signals: np.ndarray | None = None

    def __len__(self):
        return len(self.labels)

    def take(self, chosen) -> "Trials":
        """Take some of the trials.

        Parameters
        ----------
        chosen : ndarray
            An index array, int or bool.

        Returns
        -------
        Trials
            These trials.
        """
        facts = {name: fact[chosen] for name, fact in self.facts.items()}
        signals = None if self.signals is None else self.signals[chosen]
        return Trials(self.spikes[chosen], self.labels[chosen], facts, self.noise_seed, signals)

    @cached_property
    def bits(self) -> np.ndarray:
        """The stimuli as the kernel reads them, uint64 [blocks, steps, channels]."""
        return pack(self.spikes)

    @cached_property
    def drive(self) -> np.ndarray | None:
        """The signals as the kernel reads them, float32 [blocks, steps, sampled channels, 64]."""
        return None if self.signals is None else lanes(self.signals)

    @cached_property
    def weights(self) -> np.ndarray:
        """Weight of each trial in a class-balanced mean, float64 [trials]; they sum to 1."""
        classes, class_of, sizes = np.unique(self.labels, return_inverse=True, return_counts=True)
        return 1.0 / (len(classes) * sizes[class_of])


class Symbols(NamedTuple):
    """Trials as sequences of symbols, see `Task.as_sequence`.

    Parameters
    ----------
    names : tuple of str
        Names of the kinds of symbols.
    which : ndarray
        The symbols of each trial as numbers in `names`, -1 for none: int [trials, symbols].
    start_ms : ndarray
        The onset of each symbol in ms, ascending: float [trials, symbols].

    Examples
    --------
    >>> import fitness
    >>> task = fitness.task("recall")
    >>> task.as_sequence(task.trials(seed=1, count=8)).names
    ('cue_a', 'cue_b', 'probe')
    """

    names: tuple[str, ...]
    which: np.ndarray
    start_ms: np.ndarray


class Interface(NamedTuple):
    """Ports and time step that a task asks of a circuit; a run keeps only these of its task.

    title  the task's name;   inputs, outputs  names of the channels and ports;   dt_ms, duration_ms  step and length of a trial
    sampled  sources of the first channels, where these are sampled signals and not spikes
    """

    title: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    dt_ms: float
    duration_ms: float
    sampled: tuple[Sampled, ...] = ()
