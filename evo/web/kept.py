"""Rows of the table of runs, kept in the user's cache from one lab to the next: runs that rest are not read again.

What is kept of a run counts as long as its files have the same times and sizes. Where nothing can be kept, runs are read.
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

FORM = 1  # of what is kept
LARGEST = 200_000_000  # bytes


class Kept:
    """The rows of the runs below a folder: what is known of each, by its name."""

    def __init__(self, folder: Path):
        self.path = _place(folder)
        self._known: dict[str, list] = {}
        with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
            if self.path is not None and self.path.stat().st_size <= LARGEST:
                found = json.loads(self.path.read_text(encoding="utf-8"))
                self._known = dict(found["runs"]) if found["form"] == _form() else {}

    def get(self, name: str, stamp: tuple) -> tuple[dict, dict] | None:
        """The row and the settings of a run whose files are as `stamp` says; None where they are not known."""
        with suppress(ValueError, TypeError):
            of, row, settings = self._known.get(name, (None, None, None))
            if of == repr(stamp) and isinstance(row, dict) and isinstance(settings, dict):
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


def _place(folder):
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    if not os.path.isabs(home):
        return None
    return Path(home, "evocircuits", "lab", f"{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:24]}.json")
