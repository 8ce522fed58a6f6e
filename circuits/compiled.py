"""`@njit` with a disk cache that goes stale when it should.

numba keys a cached function by the time stamp of its own file alone: edit a function that it calls, or a constant that it
froze, and the old machine code runs on. It also misses when only the time stamp differs, as on every machine of a cluster.
Here the key is the text of all the sources that went into the machine code.
"""

import hashlib
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
            file._source_stamp = _digest((function.__code__.co_filename, *extra))
            save = dispatcher._cache.save_overload
            dispatcher._cache.save_overload = lambda signature, code: save(signature, code) if _ours(signature) else None
        return dispatcher

    return compiled


def _ours(signature) -> bool:
    """Are all its types from here? Machine code for someone's own world stays in memory: its source is not in the key, and a
    process that cannot import it could not read the cache."""
    kinds = (getattr(kind, "instance_class", None) for kind in getattr(signature, "args", signature))
    return all(kind is None or kind.__module__.partition(".")[0] == "circuits" for kind in kinds)


@cache
def _digest(files):
    core = Path(__file__).parent
    digest = hashlib.sha256()
    for file in (*(file for name in _CORE for file in sorted(core.glob(name))), *map(Path, files)):
        digest.update(file.read_bytes())
    return digest.hexdigest()


compiled = compiler()
