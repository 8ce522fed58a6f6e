"""`@njit` with a disk cache that goes stale when it should.

numba keys a cached function by the time stamp of its own file alone: edit a function that it calls, or a constant that it
froze, and the old machine code runs on. It also misses when only the time stamp differs, as on every machine of a cluster.
Here the key is the text of all the sources that went into the machine code.
"""

import hashlib
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from numba import njit

_CORE = (
    "simd.py",
    "exponential.py",
    "noise.py",
    "neurons/*.py",
    "synapses/*.py",
    "worlds/*.py",
    "kernel.py",
    "raster.py",
    "tables.py",
    "population.py",
)


def compiler(*modules: ModuleType):
    """The decorator `compiled`, for functions that also freeze something of `modules`."""
    extra = tuple(str(module.__file__) for module in modules)

    def compiled(function):
        dispatcher = njit(cache=True, nogil=True, error_model="numpy")(function)
        # No public hook exists; without the attribute numba's own key stays in force.
        file = getattr(dispatcher._cache, "_cache_file", None)
        if hasattr(file, "_source_stamp"):
            files = (function.__code__.co_filename, *extra)
            file._source_stamp = _digest(files)
            save = dispatcher._cache.save_overload
            dispatcher._cache.save_overload = lambda types, code: save(types, code) if _in_the_key(types, files) else None
        return dispatcher

    return compiled


def _in_the_key(signature, files) -> bool:
    """Are all its types defined in the sources of the key? Machine code for someone's own world stays in memory: the key would
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
    core = Path(__file__).parent
    return (*(file for name in _CORE for file in sorted(core.glob(name))), *map(Path, files))


compiled = compiler()
