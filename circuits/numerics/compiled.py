"""`@njit` with a disk cache that goes stale when it should.

numba keys a cached function by the time stamp of its own file alone: edit a function that it calls, or a constant that it
froze, and the old machine code runs on. It also misses when only the time stamp differs, as on every machine of a cluster.
Here the key is the text of all the sources that went into the machine code.

Each kind of processor has a folder of its own in the cache: a cluster of different machines may share it by a network file
system, and numba's files are safe only among processes that would write the same. With NUMBA_CACHE_DIR the sources have one
too, whatever folder they lie in themselves: a cluster that gets them sent puts them somewhere else every time.
"""

import hashlib
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

from llvmlite import binding
from numba import config, njit
from numba.core.compiler_lock import global_compiler_lock

from circuits.numerics import disk_cache

_ROOMS = ("numerics", "neurons", "synapses", "simulation")  # of circuits: what the kernel is made of


def compiler(*modules: ModuleType):
    """The decorator `compiled`, for functions that also freeze something of `modules`."""
    extra = tuple(str(module.__file__) for module in modules)

    def compiled(function):
        dispatcher = jit(nogil=True, error_model="numpy")(function)
        files = (function.__code__.co_filename, *extra)
        stamp = _digest(files)
        folders = [_own(folder, stamp) for folder in disk_cache.places(files[0])]
        dispatcher._cache = disk_cache.DiskCache(function, folders, stamp)
        save = dispatcher._cache.save_overload
        dispatcher._cache.save_overload = lambda types, code: save(types, code) if _in_the_key(types, files) else None
        return dispatcher

    return compiled


def jit(**options):
    """numba's njit; also under NUMBA_DISABLE_JIT, which is for the user's own functions: ours do not run as Python."""

    def decorate(function):
        with _enabled():
            dispatcher = njit(**options)(function)

        def compile(signature):
            with _enabled():  # numba's own functions that it calls are made only now
                return type(dispatcher).compile(dispatcher, signature)

        dispatcher.compile = compile
        return dispatcher

    return decorate


@contextmanager
def _enabled():
    with global_compiler_lock:
        before, config.DISABLE_JIT = config.DISABLE_JIT, 0
        try:
            yield
        finally:
            config.DISABLE_JIT = before


_SETTINGS = ("OPT", "BOUNDSCHECK", "DEBUGINFO_DEFAULT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DISABLE_INTEL_SVML")


@cache
def processor() -> str:
    """The kind of processor that machine code is made for, and how it is made (NUMBA_OPT and others), as a file name."""
    name = getattr(config, "CPU_NAME", None) or binding.get_host_cpu_name()
    features = getattr(config, "CPU_FEATURES", None)
    features = binding.get_host_cpu_features().flatten() if features is None else features
    made = (features, *(str(getattr(config, setting, None)) for setting in _SETTINGS))
    return f"{Path(name).name}-{hashlib.sha256(repr(made).encode()).hexdigest()[:8]}"


def _own(folder, stamp):
    """A folder of the cache: each kind of processor has one of its own, and with NUMBA_CACHE_DIR the sources have one too."""
    return folder / (stamp[:16] if _is_given(folder) else "") / processor()


def _is_given(folder):
    return bool(config.CACHE_DIR) and folder.is_relative_to(Path(config.CACHE_DIR).absolute())


def cache_folder() -> Path | None:
    """The folder of this package's cache, whatever the processor; None if none can be written."""
    return disk_cache.first_writable(disk_cache.places(__file__))


def _in_the_key(signature, files) -> bool:
    """Are all its types defined in the sources of the key? Machine code for someone's own kind stays in memory: the key would
    not notice a change of it, and a process that cannot import it could not read the cache."""
    kinds = {getattr(kind, "instance_class", None) for kind in getattr(signature, "args", signature)} - {None}
    defined = {getattr(sys.modules.get(kind.__module__), "__file__", None) for kind in kinds}
    return defined <= {str(file) for file in _sources(files)}


@cache
def _digest(files):
    digest = hashlib.sha256()
    for file in _sources(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()


@cache
def _sources(files):
    package = Path(__file__).parents[1]
    return (*(file for room in _ROOMS for file in sorted((package / room).rglob("*.py"))), *map(Path, files))


compiled = compiler()
