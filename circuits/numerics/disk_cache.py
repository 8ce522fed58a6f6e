"""numba's disk cache, robust against missing, read-only, full or damaged folders: functions are then compiled, with one
warning.

numba itself raises an error on decorating a function if no folder is writable, and when the disk is full or a file truncated.
Here machine code is read from all folders (images may contain a read-only one), checked against its sha256, and written to the
first writable folder.
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

config: Any = _config  # its attributes are made dynamically
say = logging.getLogger("circuits")
_warned = False


def folders_of(source: str) -> list[Path]:
    """The cache folders of a source file, best first: that in NUMBA_CACHE_DIR alone if writable; otherwise also beside the
    source, and in the user's cache."""
    configured = [Path(config.CACHE_DIR, "evocircuits").absolute()] if config.CACHE_DIR else []
    if configured and _writable(configured[0]):
        return configured
    folder = Path(source).absolute().parent
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    inner = f"{folder.name}_{hashlib.sha1(str(folder).encode()).hexdigest()}"
    users = [Path(home, "evocircuits", inner)] if os.path.isabs(home) else []  # without a user "~" is not expanded
    return [*configured, folder / "__pycache__", *users]


def first_writable(folders) -> Path | None:
    """The first of these folders that is writable, made if necessary."""
    return next((folder for folder in folders if _writable(folder)), None)


def _writable(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


class DiskCache(FunctionCache):
    """The cache of one function.

    folders  of its machine code, best first;   stamp  of all sources of the machine code; code with another stamp is stale
    """

    def __init__(self, function, folders: list[Path], stamp: str):
        self._impl = _Impl(function, _Locator(function, str(folders[0]), stamp))
        self._name, self._py_func = repr(function), function
        self._cache_path = str(folders[0])
        self._cache_file = _Folders(folders, self._impl.filename_base, stamp)
        self.enable()

    def load_overload(self, sig, target_context):
        with suppress(Exception):  # on any damage of the cache the function is compiled
            return super().load_overload(sig, target_context)
        return None


class _Locator:
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
        """Do nothing: folders are made on writing."""


class _Impl(CompileResultCacheImpl):
    def __init__(self, function, locator):
        self._locator, self._lineno = locator, function.__code__.co_firstlineno
        name = f"{Path(function.__code__.co_filename).stem}.{function.__qualname__}"
        self._filename_base = self.get_filename_base(name, getattr(sys, "abiflags", ""))


class _Folders:
    """The files of one function in several folders."""

    def __init__(self, folders, base, stamp):
        self.files = [(folder, _Files(str(folder), base, stamp)) for folder in folders]

    def load(self, key) -> Any:
        for _, files in self.files:
            with suppress(Exception):  # missing, unreadable, truncated, of another numba
                code = files.load(key)
                if code is not None:
                    return code
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
        _warn(why)

    def flush(self):
        for _, files in self.files:
            with suppress(OSError):
                files.flush()


class _Files(IndexDataCacheFile):
    """numba's index and data files, with the sha256 before the data: damaged machine code would crash the process."""

    def _load_index(self):
        try:
            return super()._load_index()
        except OSError:
            raise
        except Exception:  # damaged: treated as missing
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


def _warn(why):
    global _warned
    if not _warned:
        say.warning(
            f"machine code cannot be cached on the disk ({why}): each process compiles it again, which takes half a minute; "
            "set NUMBA_CACHE_DIR to a writable folder"
        )
    _warned = True
