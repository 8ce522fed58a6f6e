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
        return dispatcher

    return compiled


@cache
def _digest(files):
    core = Path(__file__).parent
    digest = hashlib.sha256()
    for file in (*(file for name in _CORE for file in sorted(core.glob(name))), *map(Path, files)):
        digest.update(file.read_bytes())
    return digest.hexdigest()


compiled = compiler()
