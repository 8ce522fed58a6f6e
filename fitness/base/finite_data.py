"""Tasks whose stimuli are a finite set of data: recordings, digits, spike trains of animals.

class Heard(fitness.FiniteData):
    inputs, outputs = ("a", "b"), ("second",)
    dt_ms, duration_ms, chance = 1.0, 50.0, 0.5

    def data(self):
        recorded = np.load("recorded.npz")               # relative to where the run is started
        return fitness.Data(recorded["spikes"], recorded["kind"], groups=recorded["animal"])

    def trial_scores(self, raster, trials):
        return (raster.counts()[..., 0] > 5) == (trials.labels == 1)
"""

from typing import NamedTuple

import numpy as np
from pydantic import Field, PrivateAttr

from circuits.errors import UserError
from fitness.base.split import split
from fitness.base.task import Task
from fitness.base.trials import Trials

PART_OF = {"search": (0,), "validation": (1,), "core": (0, 1), "held_out": (2,)}  # numbers of the parts of the split


class Data(NamedTuple):
    """The finite set of data of a `FiniteData` task.

    Parameters
    ----------
    spikes : ndarray
        bool [items, steps, channels].
    labels : ndarray
        Class of each item, int [items].
    groups : ndarray, optional
        Group of each item (speaker, animal, session), [items] of ints or texts; None where items are independent.
    facts : dict of ndarray
        Further arrays [items, ...] that the task needs.
    signals : ndarray, optional
        Signals of the sampled inputs, of tasks that have some: float [items, steps, sampled inputs].

    Examples
    --------
    >>> import numpy as np
    >>> import fitness
    >>> fitness.Data(np.zeros((4, 50, 2), bool), np.array([0, 0, 1, 1]), groups=np.array(["a", "b", "a", "b"])).labels
    array([0, 0, 1, 1])
    """

    spikes: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None = None
    facts: dict[str, np.ndarray] = {}
    signals: np.ndarray | None = None


class FiniteData(Task):
    """Base class of tasks over a finite set of data: recordings, digits, spike trains of animals.

    A subclass implements `data` and `trial_scores`, and never `make`. The data are split once, by `split_seed` alone, into
    three parts that share no stimulus and no group: one for the search, one for validation, and one that is held out whatever
    the seed of a run is. Every part has all classes, in the same proportions as far as whole groups allow. Trials are drawn
    from a part without repeats, evenly over the classes; where more are needed than the part has, all items come again.
    `facts["item"]` is the number of the item of each trial, `facts["group"]` that of its group; confidence intervals take the
    items of a group, and repeats, as one observation.

    Parameters
    ----------
    validation_share, held_out_share : float
        Shares of the data for validation and of held-out data.
    split_seed : int
        Seed of the split.

    Examples
    --------
    >>> import numpy as np
    >>> import fitness
    >>> class Second(fitness.FiniteData):
    ...     inputs, outputs, duration_ms, chance = ("a", "b"), ("second",), 50.0, 0.5
    ...
    ...     def data(self):
    ...         spikes = np.random.default_rng(0).random((40, 50, 2)) < 0.1
    ...         return fitness.Data(spikes, np.arange(40) % 2)
    ...
    ...     def trial_scores(self, raster, trials):
    ...         return (raster.counts()[..., 0] > 5) == (trials.labels == 1)
    >>> Second().trials(seed=1, count=8).spikes.shape
    (8, 50, 2)
    """

    validation_share: float = Field(0.2, gt=0, lt=0.5, description="share of the data to validate on")
    held_out_share: float = Field(0.2, gt=0, lt=0.5, description="share of the data that is held out")
    split_seed: int = Field(0, ge=0, description="seed of the split")

    _data: Data | None = PrivateAttr(None)
    _part: np.ndarray = PrivateAttr(np.zeros(0, int))
    _group: np.ndarray = PrivateAttr(np.zeros(0, int))

    def data(self) -> Data:
        """All items, the same every time; called once, and implemented by every such task.

        Returns
        -------
        Data
            The data.
        """
        raise UserError(f"task {self.title()}: has no method data(self)")

    def parts_given(self) -> np.ndarray | None:
        """The part of each item, where the data define it.

        Returns
        -------
        ndarray of int or None
            Part of each item, shape (items,): 0 to search on, 1 to validate on, 2 held out. None, the default: items are split
            by `split_seed`.
        """
        return None

    def make(self, rng, count, part):
        """Draw trials from a part of the data.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of all randomness.
        count : int
            Number of trials.
        part : {"search", "validation", "core", "held_out"}
            The part.

        Returns
        -------
        tuple
            Spikes, labels and facts of the trials.
        """
        data, items = self._split(), self.items(part)
        item = items[_drawn(rng, data.labels[items], count)]
        facts = {name: np.asarray(fact)[item] for name, fact in data.facts.items()}
        trials = data.spikes[item], data.labels[item], {**facts, "item": item, "group": self._group[item]}
        return trials if data.signals is None else (*trials, data.signals[item])

    def clusters(self, trials: Trials):
        """The groups of trials, which an interval takes as one observation.

        Parameters
        ----------
        trials : Trials
            The trials.

        Returns
        -------
        ndarray or None
            Number of the group of each trial, int [trials]; None if every trial is of another group.
        """
        group = trials.facts["group"]
        return None if len(np.unique(group)) == len(group) else group

    def items(self, part: str) -> np.ndarray:
        """The items in a part of the data.

        Parameters
        ----------
        part : {"search", "validation", "core", "held_out"}
            The part.

        Returns
        -------
        ndarray
            Numbers of the items, int [n], ascending.
        """
        self._split()
        return np.flatnonzero(np.isin(self._part, PART_OF[part]))

    def _split(self):
        """The data, checked and split when they are first needed."""
        if self._data is None:
            data = self._checked_data(self._call(self.data))
            bits = np.packbits(data.spikes.reshape(len(data.spikes), -1), axis=1)
            stimuli = [row.tobytes() for row in bits]
            if data.signals is not None:
                stimuli = [bits + row.tobytes() for bits, row in zip(stimuli, data.signals, strict=True)]
            groups = stimuli if data.groups is None else np.asarray(data.groups).tolist()
            shares = 1 - self.validation_share - self.held_out_share, self.validation_share, self.held_out_share
            keys = [stimuli] if data.groups is None else [stimuli, groups]
            part = self.parts_given()
            if part is None:
                part = split(data.labels, keys, shares, self.split_seed, f"task {self.title()}: data")
            self._part = part
            number: dict = {}
            self._group = np.array([number.setdefault(group, len(number)) for group in groups])
            self._data = data
        return self._data

    def _checked_data(self, returned):
        where = f"task {self.title()}: data"
        if not isinstance(returned, tuple) or not 2 <= len(returned) <= 5:
            raise UserError(f"{where} must return fitness.Data(spikes, labels, groups, facts)")
        data = Data(*returned)
        spikes, labels = np.asarray(data.spikes), np.asarray(data.labels)
        expected = f"bool [items, {self.steps}, {len(self.inputs)}]"
        if spikes.dtype != bool or spikes.ndim != 3 or spikes.shape[1:] != (self.steps, len(self.inputs)):
            raise UserError(f"{where} must have spikes as {expected}, not {spikes.dtype} {list(spikes.shape)}")
        columns = {"labels": labels, **({} if data.groups is None else {"groups": data.groups}), **data.facts}
        for name, column in columns.items():
            if np.shape(column)[:1] != (len(spikes),) or (name in ("labels", "groups") and np.ndim(column) != 1):
                raise UserError(f"{where} must have {name} of every item [{len(spikes)}], not {list(np.shape(column))}")
        if labels.dtype.kind not in "biu":
            raise UserError(f"{where} must have whole numbers as labels, not {labels.dtype}")
        for name in ("item", "group"):
            if name in data.facts:
                raise UserError(f"{where} must have no facts {name!r}: the name is reserved")
        shape = (len(spikes), self.steps, len(self.sampled))
        if (data.signals is None) != (not self.sampled) or (data.signals is not None and np.shape(data.signals) != shape):
            actual = None if data.signals is None else list(np.shape(data.signals))
            raise UserError(f"{where} must have signals {list(shape)} [items, steps, sampled inputs], not {actual}")
        return Data(spikes, labels, data.groups, dict(data.facts), data.signals)


def _drawn(rng, labels, count):
    """Draw the items of `count` trials, int [count] in random order, evenly over the classes; all items come before any comes
    again."""
    drawn: list[int] = []
    while len(drawn) < count:
        order = rng.permutation(len(labels))
        rank = np.empty(len(labels), int)  # of each item within its class
        for label in np.unique(labels):
            members = order[labels[order] == label]
            rank[members] = np.arange(len(members))
        drawn += order[np.argsort(rank[order], kind="stable")].tolist()
    return rng.permutation(np.array(drawn[:count]))
