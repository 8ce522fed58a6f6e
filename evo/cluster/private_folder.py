"""A private folder for the files of our own Ray, removed with it."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "evo-ray-"
MAX_LENGTH = 23  # of the parent folder's path: that of a socket in a session of Ray's must be under 108 characters


@contextmanager
def private_folder() -> Iterator[Path]:
    """A new folder, mode 0700, removed at the end. Folders of killed processes are removed first.

    A process holds a lock on its folder while it lives: a folder of ours that belongs to this user and can be locked is left
    over. Nothing else is touched, in particular not the sessions of another Ray.
    """
    parent = Path(tempfile.gettempdir())
    if len(str(parent)) > MAX_LENGTH:
        parent = Path("/tmp")
    remove_left_behind(parent)
    folder, lock = _locked_folder(parent)
    try:
        yield folder
    finally:
        for _ in range(20):  # Ray's last processes may still be writing
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break
            time.sleep(0.1)
        os.close(lock)


def remove_left_behind(parent: Path):
    """Remove the folders in `parent` that no process uses any more."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            lock = _opened(folder)
            try:
                if os.fstat(lock).st_uid == os.geteuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _locked_folder(parent):
    """A new folder and its lock. Until it is locked another process may remove it as left over: then make another."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        try:
            lock = _opened(folder)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        except OSError:  # on a file system without locks no folder counts as left over
            return folder, lock
        if folder.exists():
            return folder, lock
        os.close(lock)


def _opened(folder):
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
