"""Data set: classify labelled spike patterns (Cramer et al., IEEE TNNLS 33, 2022)."""

from typing import ClassVar

import numpy as np
from pydantic import Field, PrivateAttr

from circuits.errors import UserError
from circuits.simulation.raster import Raster
from fitness import decode
from fitness.base.file_data import FileData
from fitness.base.finite_data import Data
from fitness.base.trials import Trials
from fitness.datasets.events import Events
from fitness.datasets.read import read

LARGEST = 1 << 31  # steps of all items and channels


class DatasetTask(FileData):
    """An output neuron for each class: the one that spikes most names it, a tie names none.

    The items are split for good into those to search on, to validate on and held out: as the file says (`part`), or so that
    whole groups (speakers, animals) and equal items stay together, all classes being in each part. Classes weigh equally, and a
    group counts as one observation in confidence intervals. The smooth score is the margin of the right output.
    """

    name: ClassVar[str] = "dataset"
    default_spec = {
        "circuit": {"neurons": [4, 16], "delay_ms": [1.0, 20.0]},
        "circuit.parameters": {"tau_m_ms": [5.0, 60.0], "tau_syn_e_ms": [1.0, 20.0], "tau_syn_i_ms": [1.0, 40.0]},
        "search": {"objectives": ["score", "size", "wiring"], "target": 1.0},
    }

    step_ms: float = Field(
        1.0, gt=0, le=100, description="of the simulation: times go to the nearest step, not before the first"
    )
    until_ms: float | None = Field(None, gt=0, description="leave out later spikes [default: none]")
    tail_ms: float = Field(50.0, ge=0, le=1e5, description="of silence after the last spike, in which a circuit may answer")
    merge: int = Field(1, ge=1, description="number of neighbouring channels that are pooled into one")
    classes: tuple[str, ...] = Field((), description="names of the classes to use [default: all]")
    items_each: int | None = Field(
        None, ge=3, description="use the first items of each class, at most this number [default: all]"
    )

    _events: Events | None = PrivateAttr(None)

    @property
    def events(self) -> Events:
        """The labelled spikes in use, read when they are first needed. Raises UserError."""
        if self._events is None:
            self._events = self._chosen(read(self.file_name, self.content()))
        return self._events

    def _chosen(self, events: Events) -> Events:
        where = f"task {self.title()}: {self.file_name}"
        unknown = [name for name in self.classes if name not in events.names]
        if unknown or len(self.classes) == 1:
            reason = f"has no class {unknown[0]!r}" if unknown else "one class alone leaves nothing to tell apart"
            raise UserError(f"{where}: classes: {reason}; found {', '.join(events.names)}"[:300])
        names = tuple(name for name in events.names if name in self.classes) or events.names
        renumbered = np.array([names.index(name) if name in names else -1 for name in events.names])
        labels = renumbered[events.labels]
        kept = labels >= 0
        if self.items_each is not None:
            for label in range(len(names)):
                kept[np.flatnonzero(labels == label)[self.items_each :]] = False
        number = np.where(kept, np.cumsum(kept) - 1, -1)
        spikes = kept[events.item]
        if self.until_ms is not None:
            spikes &= events.time_ms <= self.until_ms
        return events._replace(
            item=number[events.item[spikes]],
            channel=events.channel[spikes] // self.merge,
            time_ms=events.time_ms[spikes],
            labels=labels[kept],
            names=names,
            channels=-(-events.channels // self.merge),
            groups=None if events.groups is None else np.asarray(events.groups)[kept],
            parts=None if events.parts is None else events.parts[kept],
        )

    @property
    def inputs(self) -> tuple[str, ...]:  # type: ignore[override]
        """The channels."""
        return tuple(f"channel{k}" for k in range(self.events.channels))

    @property
    def outputs(self) -> tuple[str, ...]:  # type: ignore[override]
        """The classes."""
        return tuple(self.events.names)

    @property
    def chance(self) -> float:  # type: ignore[override]
        """Score of guessing, an upper bound since a tie names no class."""
        return 1 / len(self.events.names)

    @property
    def dt_ms(self) -> float:  # type: ignore[override]
        """The simulation step."""
        return self.step_ms

    @property
    def duration_ms(self) -> float:  # type: ignore[override]
        """Until the last spike of any item, and the tail."""
        last = float(self.events.time_ms.max(initial=0.0)) if self.until_ms is None else self.until_ms
        return max(int(np.ceil((last + self.tail_ms) / self.step_ms - 1e-6)), 1) * self.step_ms

    def data(self) -> Data:
        """The items on the grid of the simulation."""
        e = self.events
        shape = len(e.labels), self.steps, e.channels
        if np.prod(shape, dtype="f8") > LARGEST:
            raise UserError(
                f"task {self.title()}: {self.file_name}: {shape[0]} items of {shape[1]} steps and {shape[2]} channels are too "
                "many; set items_each, until_ms, merge or a longer step_ms"
            )
        spikes = np.zeros(shape, bool)
        row = np.maximum(np.floor(e.time_ms / self.step_ms + 0.5 + 1e-6).astype("i8"), 1) - 1
        inside = row < self.steps
        spikes[e.item[inside], row[inside], e.channel[inside]] = True
        return Data(spikes, e.labels, e.groups)

    def parts_given(self) -> np.ndarray | None:
        """The parts in the file, None for none. Raises UserError where a part lacks a class, or a group is in two."""
        parts, e = self.events.parts, self.events
        if parts is None:
            return None
        where = f"task {self.title()}: {self.file_name}: part"
        if not (parts == 1).any():  # the file has only a test set: a share of the others is to validate on
            parts = self._with_validation(parts)
        for number, name in enumerate(("search", "validation", "held_out")):
            missing = set(range(len(e.names))) - set(e.labels[parts == number].tolist())
            if missing:
                raise UserError(
                    f"{where}: {name} has no item of class {e.names[min(missing)]}; each part must have all classes"
                )
        if e.groups is not None:
            both = set(e.groups[parts == 2].tolist()) & set(e.groups[parts != 2].tolist())
            if both:
                raise UserError(f"{where}: group {min(map(str, both))} is held out and in another part too")
        return parts

    def _with_validation(self, parts):
        """The parts with every n-th group, or item of each class, to validate on instead of to search on."""
        e, divided = self.events, parts.copy()
        every = max(round(1 / self.validation_share), 2)
        if e.groups is not None:
            known = sorted({str(group) for group in e.groups[parts == 0].tolist()})
            chosen = set(known[self.split_seed % every :: every])
            divided[(parts == 0) & np.isin([str(group) for group in e.groups.tolist()], list(chosen))] = 1
            return divided
        for label in range(len(e.names)):
            divided[np.flatnonzero((parts == 0) & (e.labels == label))[self.split_seed % every :: every]] = 1
        return divided

    def conditions(self, trials: Trials) -> dict[str, np.ndarray]:
        """The class of each trial, by its name."""
        return {"class": np.array(self.events.names)[trials.labels]}

    def trial_scores(self, raster: Raster, trials: Trials) -> np.ndarray:
        """1 where the output of the class alone spikes most."""
        return decode.most_active(raster.counts(), trials.labels)

    def case_scores(self, raster: Raster, trials: Trials) -> np.ndarray:
        """Margin of the output of the class."""
        return decode.margin(raster.counts(), trials.labels)
