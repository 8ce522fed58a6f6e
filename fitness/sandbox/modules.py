"""Import of the user's own code, isolated from other versions of modules of the same names.

The modules of a task are in a package of their own, `own_task_...`; `import helper` in one of them means
`own_task_....helper` where there is such a file. They are always compiled from their source.
"""

import atexit
import builtins
import fcntl
import hashlib
import importlib
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from functools import cache, lru_cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from itertools import count
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

from circuits.errors import MachineError
from fitness.sandbox.code import INIT, Code, Location, beside, digests

PREFIX = "own_task_"
PACKAGES = "circuits", "fitness", "evo"
RENAMED = {  # modules, since 0.4
    "worlds": "environments",
    "tables": "packed",
    "versions": "variants",
    "interval": "confidence",
    "reference": "references",
    "safe_calls": "calls",
}
TEMPORARY = "evocircuits-task-"  # folders of processes; each is locked while its process lives

_numbers = count()


class BrokenError(Exception):
    """A task's code cannot be executed; the message says what is wrong and where."""


@lru_cache(maxsize=16)
def load(code: Code) -> ModuleType:
    """The module with the task's class, from a copy of the code in a private folder of this process; executed once."""
    key = hashlib.sha256(repr((code[0][0], digests(code))).encode()).hexdigest()[:16]
    root = _written(code, key)
    return _import(f"{PREFIX}{key}", root, code[0][0])


def load_in_place(where: Location) -> ModuleType:
    """The module with the task's class from its own files, executed anew at each call."""
    return _import(f"{PREFIX}{next(_numbers)}_in_place", where.root, where.file)


def folder_of(module_name: str) -> str | None:
    """The folder with the code of the task that a module belongs to; None for a module of no task of the user's own."""
    top = module_name.partition(".")[0]
    return sys.modules[top].__path__[0] if top.startswith(PREFIX) and top in sys.modules else None


def _import(top, root, file):
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    package = ModuleType(top)
    package.__path__ = [str(root)]
    sys.modules[top] = package
    *folders, last = file.removesuffix(".py").split("/")
    name = ".".join([top, *folders, *([] if last == "__init__" and folders else [last.replace(".", "_")])])
    _Finder.files[name] = str(root / file)
    try:
        return importlib.import_module(name)
    except BaseException as error:
        for module in [module for module in sys.modules if module.partition(".")[0] == top]:
            del sys.modules[module]
        if isinstance(error, Exception | SystemExit):
            raise BrokenError(_described(error, root, top)) from error
        raise


def describe(error: BaseException, module_name: str) -> str:
    """Description of an error in the task that a module belongs to, with its position in the code."""
    return _described(error, folder_of(module_name) or os.devnull, module_name.partition(".")[0])


def _described(error, root, top):
    """The description, independent of the path of the copy of the code."""
    folder = f"{root}/"
    frames = [f for f in extract_tb(error.__traceback__) if f.filename.startswith(folder)]
    where = f" ({frames[-1].filename.removeprefix(folder)}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}".replace(folder, "").replace(f"{top}.", "") + _moved(error) + where


def _moved(error):
    """A remark with the present name of a module of ours that was imported by the name of an earlier version, else ""."""
    package, _, inner = (getattr(error, "name", None) or "").partition(".")
    if not isinstance(error, ModuleNotFoundError) or package not in PACKAGES or not inner:
        return ""
    tail = inner.rpartition(".")[2]
    tail = RENAMED.get(tail, tail)
    root = Path(__file__).parents[2]
    files = [file for name in PACKAGES for file in (root / name).rglob("*.py") if tail in (file.stem, file.parent.name)]
    names = {".".join(f.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for f in files}
    present = sorted(name for name in names if name.endswith(f".{tail}"))
    return f"; it is now {' or '.join(present)}" if present else ""


class _Finder(MetaPathFinder):
    """Finder of the modules in the packages of tasks."""

    files: dict[str, str] = {}  # by module name, for files such as my.task.py

    def find_spec(self, fullname, path, target=None):
        if not fullname.startswith(PREFIX) or path is None:
            return None
        tail = fullname.rpartition(".")[2]
        for folder in path:
            inner = os.path.join(folder, tail)
            if os.path.isfile(file := os.path.join(inner, INIT)):
                return spec_from_file_location(
                    fullname, file, loader=_Loader(fullname, file), submodule_search_locations=[inner]
                )
            file = self.files.get(fullname, f"{inner}.py")
            if os.path.isfile(file):
                return spec_from_file_location(fullname, file, loader=_Loader(fullname, file))
            if os.path.isdir(inner):
                spec = ModuleSpec(fullname, None, is_package=True)
                spec.submodule_search_locations = [inner]
                return spec
        return None


class _Loader(SourceFileLoader):
    def get_code(self, fullname):  # without the cache on disk, which may be of another version
        return self.source_to_code(self.get_data(self.path), self.path)

    def exec_module(self, module):
        top = module.__name__.partition(".")[0]
        vars(module)["__builtins__"] = vars(builtins) | {"__import__": _importing(top)}
        super().exec_module(module)


@cache
def _importing(top):
    """`__import__` for the modules of a task, which prefers modules beside them."""
    root = Path(folder_of(top))

    def own_import(name, globals=None, locals=None, fromlist=(), level=0):
        first = name.partition(".")[0]
        if level or not (f"{top}.{first}" in sys.modules or beside(root, first)):
            return builtins.__import__(name, globals, locals, fromlist, level)
        if fromlist:
            return builtins.__import__(f"{top}.{name}", globals, locals, fromlist)
        importlib.import_module(f"{top}.{name}")
        return sys.modules[f"{top}.{first}"]

    return own_import


def _written(code, key):
    """A folder with a copy of the code, removed when the process ends."""
    root = Path(_private_of(os.getpid())) / key
    try:
        for path, content in code:
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    except OSError as error:
        raise MachineError(f"{error.filename or root}: the task's code cannot be written: {error.strerror}") from None
    return root


@cache
def _private_of(pid):
    """A temporary folder of this process (a forked child has another). Folders of killed processes are removed."""
    parent = tempfile.gettempdir()
    for folder in Path(parent).glob(f"{TEMPORARY}*"):
        with suppress(OSError):
            if folder.stat(follow_symlinks=False).st_uid == os.getuid() and (folder / "lock").is_file():
                _remove_if_unlocked(folder)
    try:
        new = tempfile.mkdtemp(prefix=f".{TEMPORARY}")
        lock = os.open(os.path.join(new, "lock"), os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with suppress(OSError):  # without locks, folders of killed processes stay
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        final = os.path.join(parent, os.path.basename(new)[1:])
        os.rename(new, final)
    except OSError as error:
        raise MachineError(f"{parent}: no folder for the task's code can be made there: {error.strerror}") from None
    atexit.register(_remove, pid, final)
    return final


def _remove_if_unlocked(folder):
    lock = os.open(folder / "lock", os.O_WRONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def _remove(pid, folder):
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)
