"""Rows of the table of runs, kept in the user's cache from one lab to the next, so that idle runs are not read again.

A row is valid as long as the run's files have the same times and sizes. Without a cache, runs are read.
"""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from circuits.errors import MachineError
from circuits.motif_file import write_whole
from circuits.version import __version__

FORM = 1  # version of the cache file
LARGEST = 200_000_000  # bytes


class RowCache:
    """The cached rows and settings of the runs below a folder, by name."""

    def __init__(self, folder: Path):
        self.path = _cache_path(folder)
        self._known: dict[str, list] = {}
        with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
            if self.path is not None and self.path.stat().st_size <= LARGEST:
                cached = json.loads(self.path.read_text(encoding="utf-8"))
                self._known = dict(cached["runs"]) if cached["form"] == _form() else {}

    def get(self, name: str, stamp: tuple) -> tuple[dict, dict] | None:
        """The row and the settings of a run whose files have this stamp; None if they are not cached."""
        with suppress(ValueError, TypeError):
            cached_stamp, row, settings = self._known.get(name, (None, None, None))
            if cached_stamp == repr(stamp) and isinstance(row, dict) and isinstance(settings, dict):
                return row, settings
        return None

    def keep(self, runs: dict[str, tuple[tuple, dict, dict]]):
        """Keep the stamp, row and settings of every run there is."""
        known: dict[str, list[Any]] = {name: [repr(stamp), row, settings] for name, (stamp, row, settings) in runs.items()}
        if self.path is None or known == self._known:
            return
        self._known = known
        with suppress(OSError, MachineError):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self.path, json.dumps({"form": _form(), "runs": known}, separators=(",", ":")))


def _form():
    return f"{__version__}, {FORM}"


def _cache_path(folder):
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    if not os.path.isabs(home):
        return None
    return Path(home, "evocircuits", "lab", f"{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:24]}.json")
