"""Files that a user's task reads beside its own, determined by trying the task out."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from circuits.errors import UserError
from fitness.base.task import Task
from fitness.checks.check import check
from fitness.sandbox.code import TASK, Code, gather, locate
from fitness.sandbox.modules import PREFIX

# Ways for a module to learn its own path; without any of them it reads nothing beside it.
HINTS = (b"__file__", b"__path__", b"__spec__", b"resources", b"inspect")
MACHINERY = {"importlib", "_frozen_importlib", "_frozen_importlib_external", "zipimport", "numba", "linecache"}


def collect(name: str, folder: Path, try_out: Callable[[], Any], what: str = TASK) -> Code:
    """The user's own code `name`, relative to `folder`, with the files that it reads; what: its kind, for messages.

    try_out  executes the code in place. That is done if a module asks for its own path: files that it then opens below its
    folder belong to it.
    """
    where, code = locate(name, folder, what), gather(name, folder, what=what)
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
    """Context in which a task made from a copy of its code is tried out. Raises UserError also where it reads files that are
    not in the copy, or by relative paths, which mean other files elsewhere."""
    with _reading() as paths:
        try:
            yield
        except UserError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise UserError(
                    f"{error} (a run keeps the files beside the task's file that it imports and that it reads when it is tried "
                    "out; a package, PACKAGE:CLASS, is kept whole)"
                ) from None
            raise
    for path in paths:
        if not os.path.isabs(path) and os.path.isfile(path):
            raise UserError(
                f"{title}: reads {path}, which depends on where evo is started: let it read "
                f"Path(__file__).parent / {os.path.basename(path)!r}"
            )


def _beside(paths, root):
    """The paths below `root`, relative to it."""
    for path in paths:
        relative = Path(os.path.relpath(os.path.abspath(path), root))
        if not any(part.startswith(".") for part in relative.parts) and os.path.isfile(path):  # neither hidden nor outside
            yield relative.as_posix()


_recorders: list[set[str]] = []  # of paths, one for each `_reading` that is under way


@contextmanager
def _reading() -> Iterator[set[str]]:
    """The paths of files that a task opens for reading meanwhile, as it names them."""
    _install_hook()
    paths: set[str] = set()
    _recorders.append(paths)
    try:
        yield paths
    finally:
        _recorders.remove(paths)


@cache
def _install_hook():
    sys.addaudithook(_record)


def _record(event, arguments):
    if _recorders and event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        path, _, flags = arguments
        if not flags & (os.O_WRONLY | os.O_RDWR) and _by_a_task(sys._getframe(1)):
            for paths in _recorders:
                paths.add(os.fsdecode(path))


def _by_a_task(frame):
    """Does a task's module open the file, itself or through a library? Imports and compilation do not count."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith(PREFIX):
            return True
        if module.partition(".")[0] in MACHINERY:
            return False
        frame = frame.f_back
    return False
