"""A folder for the files of our own Ray: nobody else can enter it, and it does not outlive its Ray for long."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "evo-ray-"
LONGEST = 23  # characters of the folder it is made in: the path of a socket in a session of Ray's must be under 108


@contextmanager
def private_folder() -> Iterator[Path]:
    """A new folder, mode 0700, gone at the end. Those of processes that were killed go first.

    Whoever uses one holds a lock on it, which ends with the process: what can be locked, has our name and belongs to this
    user is left behind. Nothing else is touched, the sessions of other people's Ray in particular.
    """
    place = Path(tempfile.gettempdir())
    if len(str(place)) > LONGEST:
        place = Path("/tmp")
    remove_left_behind(place)
    folder, lock = _made(place)
    try:
        yield folder
    finally:
        for _ in range(20):  # Ray's last processes may still be writing
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break
            time.sleep(0.1)
        os.close(lock)


def remove_left_behind(place: Path):
    """Remove the folders in `place` that nobody uses any more."""
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError):
            lock = _opened(folder)
            try:
                if os.fstat(lock).st_uid == os.geteuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _made(place):
    """A new folder and its lock. As long as it is not locked another process may take it for one left behind: then again."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        try:
            lock = _opened(folder)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        except OSError:  # a file system without locks: there nothing is ever taken for left behind
            return folder, lock
        if folder.exists():
            return folder, lock
        os.close(lock)


def _opened(folder):
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
