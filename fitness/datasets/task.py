"""Data set: name the class of what is heard or seen, from labelled spikes (Cramer et al., IEEE TNNLS 33, 2022)."""

from typing import ClassVar

import numpy as np
from pydantic import Field, PrivateAttr

from circuits.errors import UserError
from circuits.simulation.raster import Raster
from fitness import decode
from fitness.datasets.events import Events
from fitness.datasets.read import read
from fitness.file_data import FileData
from fitness.finite_data import Data
from fitness.trials import Trials

LARGEST = 1 << 31  # steps of all items and channels


class DatasetTask(FileData):
    """An output neuron for each class: the one that spikes most names it, a tie names none.

    The items are split for good into those to search on, to validate on and held out: as the file says (`part`), or so that
    whole groups (speakers, animals) and equal items stay together, all classes being in each part. Classes weigh equally, and a
    group counts as one observation in confidence intervals. What a search climbs is by how much the right output leads.
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
    until_ms: float | None = Field(None, gt=0, description="leave out what comes later [default: take all]")
    tail_ms: float = Field(50.0, ge=0, le=1e5, description="of silence after the last spike, in which a circuit may answer")
    merge: int = Field(1, ge=1, description="so many neighbouring channels are one")
    classes: tuple[str, ...] = Field((), description="names of the classes that are taken [default: all]")
    items_each: int | None = Field(None, ge=3, description="most items of a class, the first ones [default: all]")

    _events: Events | None = PrivateAttr(None)

    @property
    def events(self) -> Events:
        """The labelled spikes that are taken, read when they are needed first. Raises UserError."""
        if self._events is None:
            self._events = self._chosen(read(self.file_name, self.content()))
        return self._events

    def _chosen(self, found: Events) -> Events:
        place = f"task {self.title()}: {self.file_name}"
        unknown = [name for name in self.classes if name not in found.names]
        if unknown or len(self.classes) == 1:
            said = f"has no class {unknown[0]!r}" if unknown else "one class alone leaves nothing to tell apart"
            raise UserError(f"{place}: classes: {said}; found {', '.join(found.names)}"[:300])
        names = tuple(name for name in found.names if name in self.classes) or found.names
        renumbered = np.array([names.index(name) if name in names else -1 for name in found.names])
        labels = renumbered[found.labels]
        kept = labels >= 0
        if self.items_each is not None:
            for label in range(len(names)):
                kept[np.flatnonzero(labels == label)[self.items_each :]] = False
        number = np.where(kept, np.cumsum(kept) - 1, -1)
        spikes = kept[found.item]
        if self.until_ms is not None:
            spikes &= found.time_ms <= self.until_ms
        return found._replace(
            item=number[found.item[spikes]],
            channel=found.channel[spikes] // self.merge,
            time_ms=found.time_ms[spikes],
            labels=labels[kept],
            names=names,
            channels=-(-found.channels // self.merge),
            groups=None if found.groups is None else np.asarray(found.groups)[kept],
            parts=None if found.parts is None else found.parts[kept],
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
        """Score of guessing: nothing is named in a tie, so that it is at most one in so many."""
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
        """As the file says. Raises UserError where a part lacks a class, or a group is in two."""
        parts, e = self.events.parts, self.events
        if parts is None:
            return None
        place = f"task {self.title()}: {self.file_name}: part"
        if not (parts == 1).any():  # a file with a test set alone: a share of the others is to validate on
            parts = self._with_validation(parts)
        for number, name in enumerate(("search", "validation", "held_out")):
            missing = set(range(len(e.names))) - set(e.labels[parts == number].tolist())
            if missing:
                raise UserError(
                    f"{place}: {name} has no item of class {e.names[min(missing)]}; each part must have all classes"
                )
        if e.groups is not None:
            both = set(e.groups[parts == 2].tolist()) & set(e.groups[parts != 2].tolist())
            if both:
                raise UserError(f"{place}: group {min(map(str, both))} is held out and in another part too")
        return parts

    def _with_validation(self, parts):
        """Every n-th group, or item, of those to search on, class by class."""
        e, found = self.events, parts.copy()
        every = max(round(1 / self.validation_share), 2)
        if e.groups is not None:
            known = sorted({str(group) for group in e.groups[parts == 0].tolist()})
            chosen = set(known[self.split_seed % every :: every])
            found[(parts == 0) & np.isin([str(group) for group in e.groups.tolist()], list(chosen))] = 1
            return found
        for label in range(len(e.names)):
            found[np.flatnonzero((parts == 0) & (e.labels == label))[self.split_seed % every :: every]] = 1
        return found

    def trial_scores(self, raster: Raster, trials: Trials) -> np.ndarray:
        """1 where the output of the class alone spikes most."""
        return decode.most_active(raster.counts(), trials.labels)

    def case_scores(self, raster: Raster, trials: Trials) -> np.ndarray:
        """By how much it leads."""
        return decode.margin(raster.counts(), trials.labels)
