"""`@njit` with a disk cache that is invalidated by all relevant sources.

numba keys a cached function by the time stamp of its own file alone: after a change of a function that it calls, or of a
constant that it froze, the old machine code still runs. It also misses when only the time stamp differs, as on every machine of
a cluster. Here the key is the text of all sources that went into the machine code.

The cache has a folder for each kind of processor: machines of a cluster may share it by a network file system, and numba's
files are safe only among processes that write the same. With NUMBA_CACHE_DIR it also has one for each version of the sources,
wherever these are: a cluster may unpack them into another folder each time.
"""

import gc
import hashlib
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

from llvmlite import binding
from numba import config, njit
from numba.core.compiler_lock import global_compiler_lock
from numba.core.sigutils import normalize_signature

from circuits.numerics import disk_cache
from circuits.numerics.parts import PartCompiler, set_environments
from circuits.numerics.registries import refreshed_when_they_grow

_PACKAGES = ("numerics", "neurons", "synapses", "simulation")  # of circuits: the sources of the kernel


def compiler(*modules: ModuleType, part: bool = True):
    """The decorator `compiled` for functions that also depend on these modules. Without `part`, functions that call this one
    take it as it is compiled for Python: one that is called from both is then compiled once, whichever is first."""
    extra = tuple(str(module.__file__) for module in modules)

    def compiled(function):
        dispatcher = jit(nogil=True, error_model="numpy")(function)
        files = (function.__code__.co_filename, *extra)
        stamp = _digest(files)
        folders = [_versioned(folder, stamp) for folder in disk_cache.folders_of(files[0])]
        dispatcher._cache = disk_cache.DiskCache(function, folders, stamp)
        save = dispatcher._cache.save_overload

        def save_overload(types, code):
            set_environments(code)
            if _key_covers(types, files):
                save(types, code)

        dispatcher._cache.save_overload = save_overload
        if part:
            _compile_as_part(dispatcher)
        return dispatcher

    return compiled


def _compile_as_part(dispatcher):
    """Let compiled functions that call this one compile it as a part, unless it was compiled for Python before."""
    part = jit(nogil=True, error_model="numpy", no_cpython_wrapper=True, pipeline_class=PartCompiler)(dispatcher.py_func)
    whole = dispatcher.get_call_template, dispatcher.get_overload

    def get_call_template(args, kws):
        return (whole[0] if tuple(args) in dispatcher.overloads else part.get_call_template)(args, kws)

    def get_overload(signature):
        args, _ = normalize_signature(signature)
        return (whole[1] if args in dispatcher.overloads else part.get_overload)(signature)

    dispatcher.get_call_template, dispatcher.get_overload = get_call_template, get_overload


def jit(**options):
    """numba's njit, regardless of NUMBA_DISABLE_JIT: the functions of this package do not run as Python."""

    def decorate(function):
        with _enabled():
            dispatcher = njit(no_cfunc_wrapper=True, **options)(function)

        def compile(signature):
            # enabled: numba makes its own functions that are called only now
            with _enabled(), _without_collections(), refreshed_when_they_grow():
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


@contextmanager
def _without_collections():
    """Python looks for garbage again and again as the compiler makes its many objects, for a tenth of the compiler's time."""
    with global_compiler_lock:
        before = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if before:
                gc.enable()


_SETTINGS = ("OPT", "BOUNDSCHECK", "DEBUGINFO_DEFAULT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DISABLE_INTEL_SVML")


@cache
def processor() -> str:
    """The kind of processor and the settings (NUMBA_OPT and others) of the machine code, as a file name."""
    name = getattr(config, "CPU_NAME", None) or binding.get_host_cpu_name()
    features = getattr(config, "CPU_FEATURES", None)
    features = binding.get_host_cpu_features().flatten() if features is None else features
    key = (features, *(str(getattr(config, setting, None)) for setting in _SETTINGS))
    return f"{Path(name).name}-{hashlib.sha256(repr(key).encode()).hexdigest()[:8]}"


def _versioned(folder, stamp):
    """The folder in the cache for this kind of processor, and with NUMBA_CACHE_DIR for this version of the sources."""
    return folder / (stamp[:16] if _in_cache_dir(folder) else "") / processor()


def _in_cache_dir(folder):
    return bool(config.CACHE_DIR) and folder.is_relative_to(Path(config.CACHE_DIR).absolute())


def cache_folder() -> Path | None:
    """The folder of this package's cache, for all processors; None if none is writable."""
    return disk_cache.first_writable(disk_cache.folders_of(__file__))


def _key_covers(signature, files) -> bool:
    """Are all types of the signature defined in the sources of the key? Machine code for a user's kind is kept in memory only:
    the key would not notice its changes, and a process that cannot import it could not read the cache."""
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
    return (*(file for name in _PACKAGES for file in sorted((package / name).rglob("*.py"))), *map(Path, files))


compiled = compiler()
