"""numba's disk cache, which may be missing, read-only, full, or damaged: then a function is compiled, and that is said once.

numba itself asks for a folder that can be written, or ends the program when it decorates a function; it ends it too when the
disk is full or a file was cut short. Here machine code is read from every folder that has some (an image may bring it along in
one that is read-only), checked against its sha256, and written to the first folder that takes it.
"""

import hashlib
import logging
import os
import pickle
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from numba import config as _config
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile

config: Any = _config  # its attributes are made as it is read
say = logging.getLogger("circuits")
_said = False


def places(source: str) -> list[Path]:
    """The folders for what is compiled of a source file, best first: of NUMBA_CACHE_DIR alone if it can be written; otherwise
    also beside the source, and the user's cache."""
    given = [Path(config.CACHE_DIR, "evocircuits").absolute()] if config.CACHE_DIR else []
    if given and _writable(given[0]):
        return given
    folder = Path(source).absolute().parent
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    inner = f"{folder.name}_{hashlib.sha1(str(folder).encode()).hexdigest()}"
    users = [Path(home, "evocircuits", inner)] if os.path.isabs(home) else []  # of no user: "~" stays as it is
    return [*given, folder / "__pycache__", *users]


def first_writable(folders) -> Path | None:
    """The first of these folders that can be written, made if need be."""
    return next((folder for folder in folders if _writable(folder)), None)


def _writable(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


class DiskCache(FunctionCache):
    """The cache of one function.

    folders  where its machine code may be, best first;   stamp  of all the sources that went into it: other code is stale
    """

    def __init__(self, function, folders: list[Path], stamp: str):
        self._impl = _Impl(function, _Place(function, str(folders[0]), stamp))
        self._name, self._py_func = repr(function), function
        self._cache_path = str(folders[0])
        self._cache_file = _Folders(folders, self._impl.filename_base, stamp)
        self.enable()

    def load_overload(self, sig, target_context):
        with suppress(Exception):  # whatever is wrong with a file of the cache, the function can be compiled
            return super().load_overload(sig, target_context)
        return None


class _Place:
    """A cache locator, in numba's terms."""

    def __init__(self, function, folder, stamp):
        self._py_file, self._line = function.__code__.co_filename, function.__code__.co_firstlineno
        self.folder, self.stamp = folder, stamp

    def get_cache_path(self):
        return self.folder

    def get_source_stamp(self):
        return self.stamp

    def get_disambiguator(self):
        return str(self._line)

    def ensure_cache_path(self):
        """Nothing: folders are made when written."""


class _Impl(CompileResultCacheImpl):
    def __init__(self, function, place):
        self._locator, self._lineno = place, function.__code__.co_firstlineno
        name = f"{Path(function.__code__.co_filename).stem}.{function.__qualname__}"
        self._filename_base = self.get_filename_base(name, getattr(sys, "abiflags", ""))


class _Folders:
    """The files of one function in several folders."""

    def __init__(self, folders, base, stamp):
        self.files = [(folder, _Files(str(folder), base, stamp)) for folder in folders]

    def load(self, key) -> Any:
        for _, files in self.files:
            with suppress(Exception):  # none there, not to be read, cut short, of another numba
                found = files.load(key)
                if found is not None:
                    return found
        return None

    def save(self, key, data):
        why = ""
        for folder, files in self.files:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                files.save(key, data)
                return
            except OSError as error:
                why = f"{folder}: {error.strerror}"
        _say(why)

    def flush(self):
        for _, files in self.files:
            with suppress(OSError):
                files.flush()


class _Files(IndexDataCacheFile):
    """numba's index and data files, the latter with their sha256 before them: damaged machine code would end the process."""

    def _load_index(self):
        try:
            return super()._load_index()
        except OSError:
            raise
        except Exception:  # damaged: as if there were none
            return {}

    def _save_data(self, name, data):
        content = self._dump(data)
        with self._open_for_write(self._data_path(name)) as file:
            file.write(hashlib.sha256(content).digest() + content)

    def _load_data(self, name):
        content = Path(self._data_path(name)).read_bytes()
        if hashlib.sha256(content[32:]).digest() != content[:32]:
            return None
        return pickle.loads(content[32:])


def _say(why):
    global _said
    if not _said:
        say.warning(
            f"what is compiled now cannot be kept on the disk ({why}): each process compiles it anew, which takes half a "
            "minute where nothing is kept yet; set NUMBA_CACHE_DIR to a folder that can be written"
        )
    _said = True
