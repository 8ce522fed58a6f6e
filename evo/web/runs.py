"""The run folders below a folder: a row for each, read again when its store has changed.

Changes of a store are seen by the sizes and times of its files, so that a thousand idle runs cost only a look at each folder;
a running one is read again once an epoch is stored. Files are checked as everywhere (`evo.storage.stored`), and nothing in
them is executed.
"""

import os
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from circuits.errors import MachineError, UserError
from evo.inspect.finite import finite
from evo.inspect.page import activity, page_data
from evo.storage import lock
from evo.storage.run_folder import Run
from evo.storage.stored import SPEC, STORE
from evo.studies.study.folder import is_study
from evo.web.row_cache import RowCache

DEPTH = 6  # of folders in folders
EVERY_S = 1.0
RESTING = 5  # one in so many looks is at all runs, the others at the running and open ones
OPEN = 8  # runs kept in memory


class Opened(NamedTuple):
    """A run as of the files with this `stamp`, and the trials and the cache of its page."""

    stamp: tuple
    run: Run
    shown: activity.Shown
    cache: dict


class Runs:
    """The runs below `folder`, by name (the path from there); cache: their rows from before."""

    def __init__(self, folder: Path, cache: RowCache | None = None):
        self.folder, self.cache = folder.resolve(), cache
        self.version = 0  # of the table, one more with every change
        self.rows: dict[str, dict] = {}
        self.whole = False  # was every run looked at once?
        self.studies: list[str] = []  # folders of studies that hold runs
        self._stamps: dict[str, tuple] = {}
        self._settings: dict[str, dict[str, Any]] = {}
        self._versions: dict[str, int] = {}
        self._gone: dict[str, int] = {}
        self._open: OrderedDict[str, Opened] = OrderedDict()
        self._lock, self._looking, self._end, self._looks = threading.RLock(), threading.Lock(), threading.Event(), 0

    # -- watching

    def watch(self):
        """Look for changes in a thread, every second, until `close`."""
        threading.Thread(target=self._watch, name="runs", daemon=True).start()

    def _watch(self):
        while not self._end.is_set():
            self.look(everything=self._looks % RESTING == 0)
            self._looks += 1
            self._end.wait(EVERY_S)

    def close(self):
        self._end.set()
        self._keep()

    def _keep(self):
        if self.cache is not None and self.whole:
            with self._lock:
                names = [name for name, row in self.rows.items() if row["state"] != "unreadable"]
                self.cache.keep({name: (self._stamps[name], self.rows[name], self._settings[name]) for name in names})

    def look(self, everything: bool = True):
        """Read the runs that have changed; everything: also those that neither run nor are open."""
        with self._looking:
            if everything:
                names = list(_run_names(self.folder))
            else:
                with self._lock:
                    names = [*{n for n, row in self.rows.items() if row["state"] == "running"} | self._open.keys()]
            gone = set(self.rows).difference(names) if everything else {n for n in names if not self.path(n).is_dir()}
            for name in gone:
                self._forget(name)
            settings = dict(self._settings)
            for name in (n for n in names if n not in gone):
                if self._end.is_set():
                    return
                stamp = stamp_of(self.path(name))
                if stamp != self._stamps.get(name):
                    self._read(name, stamp)
            if everything:
                self._look_for_studies()
            if settings != self._settings:
                self._compare()
            if everything and not self.whole:
                self.whole, self.version = True, self.version + 1
                self._keep()

    def changed(self, since: int) -> dict[str, Any]:
        """The version of the table, its rows that are new since another version, and the names of runs that have gone since."""
        with self._lock:
            rows = [self.rows[name] for name, version in self._versions.items() if version > since]
            gone = [name for name, version in self._gone.items() if version > since]
            return {"version": self.version, "rows": rows, "gone": gone, "whole": self.whole, "studies": self.studies}

    def _look_for_studies(self):
        """Update `studies`: the folders around runs that hold a study."""
        parents = {"." if name == "." else name.rpartition("/")[0] or "." for name in self.rows}
        studies = sorted(name for name in parents if is_study(self.path(name)))
        if studies != self.studies:
            self.studies, self.version = studies, self.version + 1

    def study(self, name: Any) -> Path:
        """The folder of the study of this name. Raises UserError if there is none."""
        if not isinstance(name, str) or name not in self.studies or not is_study(self.path(name)):
            raise UserError(f"there is no study {name!r} below {self.folder}; it may have been moved or deleted")
        return self.path(name)

    # -- one run

    def path(self, name: str) -> Path:
        return self.folder / name

    def known(self, name: Any) -> Path:
        """The folder of the run of this name. Raises UserError if there is none: no other path is ever opened."""
        if not isinstance(name, str) or name not in self.rows:
            if isinstance(name, str) and name in set(_run_names(self.folder)):
                return self.path(name)
            raise UserError(f"there is no run {name!r} below {self.folder}; it may have been moved or deleted")
        return self.path(name)

    def open(self, name: Any) -> Opened:
        """The run of this name, up to date."""
        path = self.known(name)
        stamp = stamp_of(path)
        with self._lock:
            known = self._open.get(name)
            if known is not None and known.stamp == stamp:
                self._open.move_to_end(name)
                return known
        run = Run(path)
        opened = Opened(stamp, run, activity.of_run(run), {} if known is None else known.cache)
        with self._lock:
            self._open[name] = opened
            self._open.move_to_end(name)
            while len(self._open) > OPEN:
                self._open.popitem(last=False)
        return opened

    # -- the table

    def _read(self, name, stamp):
        self._stamps[name] = stamp
        if self.cache is not None and (known := self.cache.get(name, stamp)) is not None:
            row, self._settings[name] = known
            return self._put(name, row)
        try:
            run = Run(self.path(name))
            row, self._settings[name] = _row(name, run), _flat(run.spec.model_dump(mode="json"))
        except (UserError, MachineError) as error:
            row, self._settings[name] = _unread(name, self.path(name), str(error)), {}
        except OSError as error:  # it was deleted meanwhile
            row, self._settings[name] = _unread(name, self.path(name), f"{name}: {error.strerror}"), {}
        self._put(name, row)

    def _put(self, name, row):
        with self._lock:
            before = self.rows.get(name)
            row = row | {"differs": before["differs"] if before else row.get("differs", {})}
            if row != before:
                self.version += 1
                self.rows[name], self._versions[name] = row, self.version
                self._gone.pop(name, None)

    def _forget(self, name):
        with self._lock:
            self.version += 1
            for table in (self.rows, self._stamps, self._settings, self._versions, self._open):
                table.pop(name, None)  # type: ignore[attr-defined]
            self._gone[name] = self.version

    def _compare(self):
        """Update `differs`: the settings of each run that differ from the most common ones of its task."""
        of_task: dict[str, list[str]] = {}
        for name, row in self.rows.items():
            of_task.setdefault(row["task"], []).append(name)
        for names in of_task.values():
            keys = {key for name in names for key in self._settings[name]}
            usual = {key: Counter(_hashable(self._settings[n].get(key)) for n in names).most_common(1)[0][0] for key in keys}
            for name in names:
                own = self._settings[name]
                differs = {key: own.get(key) for key in sorted(keys) if _hashable(own.get(key)) != usual[key]} if own else {}
                if differs != self.rows[name]["differs"]:
                    with self._lock:
                        self.version += 1
                        self.rows[name], self._versions[name] = self.rows[name] | {"differs": differs}, self.version


def _run_names(folder: Path, depth: int = DEPTH) -> Iterator[str]:
    """The names of the run folders: folders with a spec, in which no further ones are searched."""
    if (folder / SPEC).is_file():
        yield "."
        return
    below = [(folder, "", depth)]
    while below:
        current, prefix, depth_left = below.pop()
        try:
            entries = sorted(os.scandir(current), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith(".") or not entry.is_dir(follow_symlinks=False):
                continue
            if os.path.isfile(os.path.join(entry.path, SPEC)):
                yield prefix + entry.name
            elif depth_left > 1:
                below.append((Path(entry.path), f"{prefix}{entry.name}/", depth_left - 1))


def stamp_of(path):
    """A stamp that changes when a run has been written to, has started or has ended."""
    stamp: list = []
    for file in (STORE, STORE + "-wal", SPEC):
        try:
            info = os.stat(path / file)
            stamp.append((info.st_mtime_ns, info.st_size, info.st_ino))
        except OSError:
            stamp.append(None)
    try:
        stamp.append(lock.is_held(path / SPEC))
    except OSError:
        stamp.append(None)
    return tuple(stamp)


def _row(name, run):
    best, task = (run.ranked[0] if run.archive is not None else None), run.spec

    def of_best(key):
        return None if best is None else finite(float(best[key]))

    return {
        "name": name,
        "state": run.state,
        "task": task.judged_by,
        "best": of_best("held_out"),
        "low": of_best("low"),
        "high": of_best("high"),
        "score": of_best("score"),
        "evaluations": run.evaluations,
        "generation": run.generation,
        "generations": run.spec.search.generations,
        "seconds": run.progress.elapsed,
        "front": 0 if run.archive is None else len(run.archive),
        "neurons": None if best is None else int(np.count_nonzero(best["genome"]["kind"])),
        "algorithm": run.spec.search.algorithm,
        "seed": page_data.exact(run.spec.search.seed),
        "parent": run.parent and run.parent["run"],
        "own": bool(run.spec.own_code),
        "error": None,
    }


def _unread(name, path, error):
    starting = path.is_dir() and not (path / STORE).exists()
    empty = dict.fromkeys(("best", "low", "high", "score", "neurons", "seed", "parent"))
    counts = dict.fromkeys(("evaluations", "generation", "generations", "seconds", "front"), 0)
    state = "starting" if starting else "unreadable"
    return {
        "name": name,
        "state": state,
        "task": "",
        **empty,
        **counts,
        "algorithm": "",
        "own": False,
        "error": None if starting else error,
    }


def _flat(settings, prefix=""):
    flat = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = page_data.exact(value)
    return flat


def _hashable(value):
    return tuple(map(_hashable, value)) if isinstance(value, list) else value
