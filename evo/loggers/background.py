"""A logger behind a run: a thread logs finished epochs, as fast as the place takes them.

The run never waits for the place. Epochs wait in a queue; those beyond its length are read from the run's store later. A place
that fails is tried again, at growing intervals, and at the end of the run.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from evo.engine.epochs import Result
from evo.loggers.logger import Generation, Logger, generations
from evo.spec.run_spec import RunSpec

QUEUE = 1000  # epochs that are kept here
AT_ONCE = 50  # generations: MLflow takes 1,000 values in one go
RETRY_S, LONGEST_S = 1.0, 60.0  # after the first failure, and at most
LAST_TRIES = 3  # once the run is over
END_S, HURRY_S = 10.0, 5.0  # maximum wait at the end of a run, and of a stopped run

say = logging.getLogger("evo")


class Background:
    """Observes a run (`observe=`) for a logger; `close` it at the end.

    where   KIND:PLACE for messages;   folder, before  see `evo.loggers.opened`
    """

    def __init__(self, where: str, logger: Logger, spec: RunSpec, folder: Path | None = None, before: Sequence[dict] = ()):
        self.where, self.logger, self.spec, self.folder = where, logger, spec, folder
        self._queue = deque((epoch["island"], epoch["log"], epoch["timings"]) for epoch in before)
        self._due: deque[Generation] = deque()  # the thread's own
        self._behind = False  # the store has epochs that were not queued
        self._reached: dict[int, int] = {}  # last logged generation by island, as far as known
        self._known: set[int] = set()  # islands for which it is certain
        self._fresh = True  # no other process has logged anything of this run
        self._prepared = self._connected = False
        self._failure = ""
        self._lock, self._wake, self._over = threading.Lock(), threading.Event(), threading.Event()
        self._ready = threading.Event()
        self._status = "FINISHED"
        self._thread = threading.Thread(target=self._work, name=f"evo-log-{where}", daemon=True)
        self._thread.start()
        self._ready.wait(logger.patience)

    def __call__(self, result: Result):
        with self._lock:
            if len(self._queue) >= QUEUE:
                self._behind = True
            if not self._behind:
                self._queue.append((result.island, result.log, result.timings))
        self._wake.set()

    def close(self, status: str):
        """Wait a moment for the remaining entries, and warn of those that could not be logged."""
        self._status = status
        self._over.set()
        self._wake.set()
        self._thread.join(END_S if status == "FINISHED" else HURRY_S)
        if missing := self._missing():
            again = f"evo resume {self.folder} --log {self.where}" if self.folder else "evo resume with the same --log"
            say.warning(f"{self.where}: {missing} ({self._failure or 'it is too slow'}); {again} adds what is missing")

    def _missing(self):
        with self._lock:
            left = [(island, row["generation"]) for island, log, _ in self._queue for row in log]
        left += [row[:2] for row in list(self._due)]
        lost = [generation for island, generation in left if generation > self._reached.get(island, -1)]
        if not lost and not self._behind:
            return ""
        return f"generations from {min(lost)} on are not logged" if self._reached and lost else "nothing could be logged"

    # -- the thread

    def _work(self):
        pause, tries_left = RETRY_S, LAST_TRIES
        while True:
            ending = self._over.is_set()
            try:
                if not self._prepared:
                    self.logger.prepare()
                    self._prepared = True
                    self._ready.set()
                while self._due or self._take():
                    self._pass_on()
                    pause = RETRY_S
                if ending and self._connected:
                    self.logger.close(self._status)
            except Exception as error:  # the places raise exceptions of many kinds
                self._ready.set()
                self._connected = False
                self._say(error)
                if not ending:
                    self._over.wait(pause)
                    pause = min(2 * pause, LONGEST_S)
                    continue
                tries_left -= 1
                if tries_left:
                    time.sleep(RETRY_S)
                    continue
            if ending:
                return
            self._wake.wait()
            self._wake.clear()

    def _say(self, error):
        first, self._failure = not self._failure, _reason(error)
        if first:
            say.warning(
                f"{self.where}: nothing can be logged ({self._failure}); the run goes on, and what is missing follows later"
            )

    def _pass_on(self):
        """Log the next generations."""
        if not self._connected:
            self._fresh &= not self.logger.connect()
            self._connected = True
        rows = list(islice(self._due, AT_ONCE))
        islands = {row.island for row in rows}
        for island in islands - self._known:
            logged = -1 if self._fresh else self.logger.reached(island)
            self._reached[island] = max(logged, self._reached.get(island, -1))
            self._known.add(island)
        new = [row for row in rows if row.generation > self._reached[row.island]]
        if new:
            try:
                self.logger.write(new)
            except BaseException:
                self._known -= islands
                self._fresh = False
                raise
        for row in new:
            self._reached[row.island] = row.generation
        for _ in rows:
            self._due.popleft()

    def _take(self):
        """Make the next epochs due: from the queue, or from the store. False if there are none."""
        if self._queue:
            self._due.extend(generations(*self._queue[0], self.spec))
            with self._lock:
                self._queue.popleft()
        elif self._behind and self.folder is not None:
            self._behind = False  # later epochs are queued again; those that come twice are logged once
            for epoch in self._stored():
                self._due.extend(generations(*epoch, self.spec))
        return bool(self._due)

    def _stored(self):
        from evo.storage import documents
        from evo.storage.run_folder import STORE
        from evo.storage.store import Store

        try:
            with Store.open(self.folder / STORE) as store:
                rows = documents.epochs(store.epochs(), store.path)
        except BaseException:
            self._behind = True
            raise
        return [
            (row["island"], row["log"], row["timings"])
            for row in rows
            if row["log"][-1]["generation"] > self._reached.get(row["island"], -1)
        ]


def _reason(error):
    """The reason of an error, in a line."""
    while isinstance(error, BaseException):
        text = getattr(error, "strerror", None) or str(error)
        deeper = error.__cause__ or error.__context__
        if deeper is None or not isinstance(deeper, Exception):
            break
        error = deeper
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line[:200] or type(error).__name__
