"""Files that a user's task reads beside its own: found by trying the task out."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from circuits.errors import UserError
from fitness.checks.check import check
from fitness.sandbox.code import TASK, Code, gather, place
from fitness.sandbox.modules import PREFIX
from fitness.task import Task

# By one of these a module finds out where it lies; without any it reads nothing beside it.
HINTS = (b"__file__", b"__path__", b"__spec__", b"resources", b"inspect")
MACHINERY = {"importlib", "_frozen_importlib", "_frozen_importlib_external", "zipimport", "numba", "linecache"}


def collect(name: str, folder: Path, try_out: Callable[[], Any], what: str = TASK) -> Code:
    """The code of the user's own `name`, sought from `folder`, with the files that it reads; what: what it is, for messages.

    try_out  executes the code where it lies. That is done where a module asks for its own place: what it then opens below its
    folder belongs to it.
    """
    where, code = place(name, folder, what), gather(name, folder, what=what)
    if where.package or not any(hint in content for path, content in code if path.endswith(".py") for hint in HINTS):
        return code
    with _reading() as paths:
        try_out()
    return gather(name, folder, sorted(_beside(paths, where.root)), what)


def check_copy(task: Task, seed: int, count: int):
    """`check` of a task that was made from its code, see `from_a_copy`."""
    with from_a_copy(f"task {task.title()}"):
        check(task, seed, count)


@contextmanager
def from_a_copy(title: str) -> Iterator[None]:
    """The task was made from a copy of its code, away from where the user has it: UserError also where it reads what
    is not there, or what would be another file elsewhere."""
    with _reading() as paths:
        try:
            yield
        except UserError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise UserError(
                    f"{error} (kept with a run is what the task's file imports and, when it is tried out, reads beside it; a "
                    "package, PACKAGE:CLASS, is kept whole)"
                ) from None
            raise
    for path in paths:
        if not os.path.isabs(path) and os.path.isfile(path):
            raise UserError(
                f"{title}: reads {path}, which depends on where evo is started: let it read "
                f"Path(__file__).parent / {os.path.basename(path)!r}"
            )


def _beside(paths, root):
    """Those of the paths that are below `root`, relative to it."""
    for path in paths:
        relative = Path(os.path.relpath(os.path.abspath(path), root))
        if not any(part.startswith(".") for part in relative.parts) and os.path.isfile(path):  # neither hidden nor outside
            yield relative.as_posix()


_listening: list[set[str]] = []
_hooked: list[bool] = []


@contextmanager
def _reading() -> Iterator[set[str]]:
    """The paths of files that a task opens for reading meanwhile, as they were given."""
    if not _hooked:
        sys.addaudithook(_hear)
        _hooked.append(True)
    found: set[str] = set()
    _listening.append(found)
    try:
        yield found
    finally:
        _listening.remove(found)


def _hear(event, arguments):
    if _listening and event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        path, _, flags = arguments
        if not flags & (os.O_WRONLY | os.O_RDWR) and _by_a_task(sys._getframe(1)):
            for found in _listening:
                found.add(os.fsdecode(path))


def _by_a_task(frame):
    """Does a task's module open it, itself or by way of a library? Not where something is imported or compiled for it."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith(PREFIX):
            return True
        if module.partition(".")[0] in MACHINERY:
            return False
        frame = frame.f_back
    return False
