"""Locks between processes: only one continues a run, only one compiles. A lock ends with its process, however that ends.

A file is locked by flock(2). Some file systems (network file systems, FUSE) and systems (without fcntl) lack it: there SQLite
locks a file beside it, mostly by byte ranges. The store needs SQLite's locks in any case: where there are neither, no run can
be stored, and a MachineError says so.
"""

import errno
import os
import sqlite3
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from circuits.errors import MachineError

try:
    import fcntl
except ImportError:  # not a Unix
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".lock"  # of the file that SQLite locks
_HELD = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES}  # other errors mean that there are no such locks


class HeldError(Exception):
    """Another process has the lock."""


@contextmanager
def alone(path: Path, patience_s: float = 1.0):
    """Hold the lock of an existing file in a `with` block. Raises HeldError if another process keeps it for longer than
    `patience_s`, and MachineError where nothing can be locked."""
    end = time.monotonic() + patience_s
    while True:
        try:
            lock = _locked(path)
            break
        except HeldError:
            if time.monotonic() >= end:
                raise
            time.sleep(0.05)
    with closing(lock):
        yield


def is_held(path: Path) -> bool:
    """Does a process hold the lock of this file? False where nothing can be locked: there no run can be continued."""
    with open(path, "rb") as file, suppress(OSError):
        return not _flock(file, exclusive=False)
    beside = _beside(path)
    if not beside.exists():
        return False
    try:
        with closing(sqlite3.connect(f"{beside.resolve().as_uri()}?mode=ro", uri=True, timeout=0)) as db:
            db.execute("SELECT count(*) FROM sqlite_schema")
    except sqlite3.OperationalError as error:
        return _busy(error)
    except sqlite3.DatabaseError:
        return False
    return False


@contextmanager
def patiently(path: Path):
    """Wait for the lock of a file, which is created, and hold it; without a lock where it cannot be created or locked."""
    try:
        flags = os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        file = os.fdopen(os.open(path, flags, 0o600), "r+b")
    except OSError:
        yield
        return
    with file:
        if fcntl is not None:
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _locked(path):
    """An object that holds the lock until it is closed. Raises HeldError."""
    try:
        file = open(path, "r+b")  # noqa: SIM115 - some network file systems lock only what may be written
    except OSError:
        file = open(path, "rb")  # noqa: SIM115
    try:
        if not _flock(file):
            raise HeldError
        if not os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
            raise HeldError  # the path is another file by now, which must be locked instead
    except OSError as error:
        file.close()
        return _by_sqlite(path, error)
    except BaseException:
        file.close()
        raise
    return file


def _flock(file, exclusive=True):
    """Lock an open file; False if another process has it locked. Raises OSError where there are no such locks."""
    if fcntl is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    try:
        fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            return False
        raise
    return True


def _by_sqlite(path, why):
    beside = _beside(path)
    db = None
    try:
        db = sqlite3.connect(beside, isolation_level=None, timeout=0, check_same_thread=False)
        db.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        if db is not None:
            db.close()
        if isinstance(error, sqlite3.OperationalError) and _busy(error):
            raise HeldError from None
        raise MachineError(
            f"{path.parent}: no file can be locked there (flock: {why.strerror}; SQLite: {error}): two processes could go on "
            "with one run; put the run folder on another disk"
        ) from None
    return db


def _busy(error):
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _beside(path):
    return path.with_name(path.name + SUFFIX)
