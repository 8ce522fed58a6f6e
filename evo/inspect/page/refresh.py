"""The report page of a run that goes on, kept fresh."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evo.engine.epochs import Result
from evo.inspect import page
from evo.storage.run_folder import Run

EVERY_S = 30.0
SHARE = 0.02  # of the time at most


class Refresher:
    """Observes a run (`observe=`) and writes its page: at most every 30 seconds, and in at most 2 % of the time.

    A page for which time is short shows new circuits without their activity, which a later page adds. A page that cannot be
    written stops no search: `failed` then says why, and no further page is tried.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic):
        self.folder, self.clock = folder, clock
        self.begun = self.last = clock()
        self.spent = self.took = 0.0
        self.failed = ""
        self._cache: dict[tuple, Any] = {}

    def __call__(self, result: Result | None = None):
        now = self.clock()
        left = SHARE * (now - self.begun) - self.spent
        if self.failed or now - self.last < EVERY_S or left < self.took:
            return
        try:
            page.write(Run(self.folder), page.default_path(self.folder), self._cache, seconds=left / 2)
        except Exception as error:
            self.failed = f"{type(error).__name__}: {error}"
        self.last = self.clock()
        self.took = self.last - now
        self.spent += self.took
