"""Labelled trials that a network learns from: built-in data sets, a file, or a function of the user's own.

    def trials(count, seed):                 # in mine.py; [task] data = "mine.py:trials"
        return x, targets

x is bool or real >= 0, [trials, steps, channels], steps of 1 ms; targets are int: [trials], the class of each trial; or
[trials, steps] or [trials, steps, heads], the class at every step, of one readout or of several, -1 where none is asked. All
that is random comes from the seed; the trials to train on and those to judge by have different seeds.
"""

import inspect
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from circuits import data as shipped
from circuits.errors import UserError, one_line
from circuits.files import read_bytes
from fitness.base.file_data import MAX_BYTES
from fitness.base.task import PARTS
from fitness.datasets.events import PARTS as OF_FILES
from fitness.datasets.task import DatasetTask
from fitness.learning.steps_file import StepsFile, read_steps
from fitness.learning.streams import STREAMS, UNASKED
from fitness.sandbox.code import is_own
from fitness.sandbox.guard import reporting

FILES = (".csv", ".npz", ".h5", ".hdf5")
SPLIT = {
    "randman": partial(shipped.randman, classes=5),
    "itd": partial(shipped.itd, classes=6),
    "yin-yang": shipped.yin_yang,
}
SETS = (*STREAMS, *SPLIT)
LARGEST = 1 << 31  # values in a set of trials
NO_SETTINGS = ("train", "test", "seed", "rng", "trials")  # parameters of data sets that are not settings
TRAINED = 0.8  # share of the search's items, or groups, of a file to train on; the others are to judge by


class Trials(NamedTuple):
    """x        bool or float32 [trials, steps, channels]
    targets  int64 [trials, heads], or [trials, steps, heads]: the class that each readout should name, -1 where none is asked
    classes  number of classes of each readout
    """

    x: np.ndarray
    targets: np.ndarray
    classes: int

    @property
    def every_step(self) -> bool:
        return self.targets.ndim == 3

    @property
    def heads(self) -> int:
        return self.targets.shape[-1]


class Sets(NamedTuple):
    """Trials to train on, and others to judge by."""

    train: Trials
    judged: Trials


class Data:
    """Source of trials for a run with this seed.

    name, settings   as in the spec;   examples, judged  numbers of trials to train on and to judge by
    function   the user's own, limited to `seconds`;   content  of the file, else read relative to `folder`
    """

    def __init__(
        self,
        name: str,
        settings: dict[str, Any],
        examples: int,
        judged: int,
        seed: int,
        function: Callable[..., Any] | None = None,
        seconds: float | None = None,
        content: bytes | None = None,
        folder: Path = Path(),
    ):
        self.name, self.settings, self.examples, self.judged, self.seed = name, settings, examples, judged, seed
        self.where, self._function, self._seconds = f"task learning: data {name}", function, seconds
        self._steps: StepsFile | None = None
        self._file: DatasetTask | None = None
        if name.lower().endswith(FILES) and not is_own(name):
            self._open(content, folder)
        if name in SETS:
            self._check(STREAMS.get(name) or SPLIT[name])
        self.sets = self.anew()

    def anew(self) -> "Callable[..., Sets]":
        """`sets(part, number)` with an empty cache: the trials of a part of the run, one of `fitness.task.PARTS`, and of one of
        its repetitions. Raises UserError for trials in another form, and for impossible settings."""
        return lru_cache(maxsize=6)(self._sets)

    @property
    def dt_ms(self) -> float:
        """The time step."""
        file = self._steps or self._file
        return 1.0 if file is None else file.dt_ms

    @property
    def grouped(self) -> bool:
        """Is this a file of items of several groups, such as speakers? Networks are then judged on groups that they have not
        learned from, on others in every repetition."""
        return self._file is not None and self._file.events.groups is not None

    def _open(self, content, folder):
        """Read the file, with targets at every step or of whole trials."""
        if self.name.lower().endswith(".npz"):
            content = read_bytes(folder / self.name, MAX_BYTES) if content is None else content
            self._steps = read_steps(f"{self.where}", content)
        if self._steps is None:
            self._file = self._dataset(content, folder)
        elif self.settings:
            raise UserError(f"{self.where}: settings: unknown key {min(self.settings)!r}; a file with targets has none")

    def _dataset(self, content, folder):
        try:
            return DatasetTask(file=self.name, **self.settings).over(content, folder)
        except ValidationError as error:
            raise UserError(f"{self.where}: settings: {one_line(error, tuple(DatasetTask.model_fields))}") from None
        except UserError as error:
            raise UserError(f"{self.where}: settings: {error}") from None

    def _check(self, make):
        """Raise UserError for settings that a built-in data set does not have."""
        known = [name for name in inspect.signature(make).parameters if name not in NO_SETTINGS]
        unknown = self.settings.keys() - set(known)
        if unknown:
            raise UserError(f"{self.where}: settings: unknown key {min(unknown)!r}; known are {', '.join(known)}")

    def _sets(self, part: str, number: int = 0) -> Sets:
        seeds = np.random.SeedSequence((self.seed, PARTS.index(part), number)).generate_state(2, "u4").tolist()
        try:
            sets = self._made(part, number, seeds)
        except (TypeError, ValueError) as error:
            if self._function is not None:
                raise
            raise UserError(f"{self.where}: settings: {error}") from None
        train, judged = sets
        if train.x.shape[1:] != judged.x.shape[1:] or train.targets.shape[1:] != judged.targets.shape[1:]:
            raise UserError(f"{self.where}: gives trials of other steps, channels or targets with another seed")
        classes = max(train.classes, judged.classes)
        return Sets(train._replace(classes=classes), judged._replace(classes=classes))

    def _made(self, part, number, seeds):
        counts = self.examples, self.judged
        if self._function is not None:
            return Sets(*(self._own(count, seed) for count, seed in zip(counts, seeds, strict=True)))
        if self._steps is not None:
            return self._of_steps(part, seeds)
        if self._file is not None:
            return self._of_file(part, number, seeds)
        if self.name in STREAMS:
            draw, settings = STREAMS[self.name], {k: tuple(v) if isinstance(v, list) else v for k, v in self.settings.items()}
            rngs = map(np.random.default_rng, seeds)
            return Sets(*(self._checked(*draw(rng, count, **settings)) for rng, count in zip(rngs, counts, strict=True)))
        return Sets(*(self._checked(*split) for split in SPLIT[self.name](*counts, seeds[0], **self.settings)))

    def _own(self, count, seed):
        function = self._function
        trials = reporting(self.where, self._seconds, function.__module__, function, count, seed, **self.settings)
        if not isinstance(trials, tuple) or len(trials) != 2:
            raise UserError(f"{self.where}: must return (x, targets)")
        return self._checked(*trials)

    def _of_file(self, part, number, seeds):
        """Trials of a file with labels. In the search some of its items are to judge by; elsewhere all are to train on."""
        task = self._file
        data, items = task._split(), task.items("search")
        groups = None if data.groups is None else np.asarray(data.groups)
        train, judged = self._divided(items, groups, number) if part == "search" else (items, task.items(part))
        rng = np.random.default_rng(seeds[0])
        chosen = (_balanced(rng, data.labels, train, self.examples), _balanced(rng, data.labels, judged, self.judged))
        return Sets(*(self._checked(data.spikes[k], data.labels[k], len(task.outputs)) for k in chosen))

    def _of_steps(self, part, seeds):
        """Trials of a file with targets at every step, divided in the same way."""
        file = self._steps
        items = np.flatnonzero(file.part == 0)
        train, judged = self._divided(items) if part == "search" else (items, np.flatnonzero(file.part == OF_FILES[part]))
        rng, classes = np.random.default_rng(seeds[0]), int(file.targets.max(initial=0)) + 1
        chosen = rng.permutation(train)[: self.examples], rng.permutation(judged)[: self.judged]
        return Sets(*(self._checked(file.x[k], file.targets[k], classes) for k in chosen))

    def _divided(self, items, groups=None, number=0):
        """The search's items to train on, and those to judge by. Where there are several groups, such as speakers, networks are
        judged on groups that they have not learned from, on others in every repetition."""
        order = np.random.default_rng(self.seed).permutation(items)
        belongs = order if groups is None or len(set(groups[items])) < 2 else groups[order]
        drawn = list(dict.fromkeys(belongs.tolist()))
        count = min(max(1, round(TRAINED * len(drawn))), len(drawn) - 1)
        if belongs is not order:
            drawn = np.roll(drawn, number * (len(drawn) - count))
        trained = np.isin(belongs, drawn[:count])
        return order[trained], order[~trained]

    def _checked(self, x, targets, classes=0):
        """The trials, in the form of `Trials`. Raises UserError."""
        x, targets = np.asarray(x), np.asarray(targets)
        if x.ndim != 3 or x.dtype.kind not in "biuf" or 0 in x.shape:
            raise UserError(f"{self.where}: x must be spikes or reals [trials, steps, channels], not {x.dtype} {list(x.shape)}")
        if x.size > LARGEST:
            raise UserError(f"{self.where}: x of {x.size:,} numbers is too large; take fewer examples, or longer steps")
        if targets.ndim == 1:
            targets = targets[:, None]
        elif targets.ndim == 2 and targets.shape == x.shape[:2]:
            targets = targets[:, :, None]
        if targets.dtype.kind not in "biu" or targets.shape[:-1] not in ((len(x),), x.shape[:2]):
            raise UserError(
                f"{self.where}: targets must be whole numbers [{len(x)}], or at every step [{len(x)}, {x.shape[1]}], perhaps "
                f"of several readouts [..., heads], not {targets.dtype} {list(targets.shape)}"
            )
        if targets.min() < UNASKED or targets.max() < 0 or targets.max() > 1000:
            raise UserError(f"{self.where}: targets are classes from 0 to 1000, or -1 where none is asked")
        if x.dtype.kind != "b":
            x = x.astype("f4")
            if not np.isfinite(x).all() or (x < 0).any():
                raise UserError(f"{self.where}: x must be finite and not negative")
        return Trials(x, targets.astype("i8"), max(classes, int(targets.max()) + 1, 2))


def _balanced(rng, labels, items, count):
    """At most `count` of the items, of all classes as evenly as possible."""
    order = rng.permutation(items)
    rank = np.empty(len(order), int)
    for label in np.unique(labels[order]):
        members = np.flatnonzero(labels[order] == label)
        rank[members] = np.arange(len(members))
    return order[np.argsort(rank, kind="stable")][:count]
