"""Tasks by name: those that ship, and a user's own from a Python file."""

import sys
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType

from circuits.errors import UserError
from circuits.files import read_text
from fitness.guard import limited
from fitness.task import Task
from fitness.tasks import BUILT_IN


def task(name: str, source: str | None = None, **settings) -> Task:
    """The task `name` with its settings: one that ships ("itd"), or a user's own ("my_task.py:MyTask").

    source: the text of the user's file, where it was read before; it is executed as it stands. Raises UserError.
    """
    if is_own(name):
        return own_task(name, source, None, settings)
    if name not in BUILT_IN:
        close = get_close_matches(name, BUILT_IN, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(BUILT_IN)}, or FILE.py:CLASS"
        raise UserError(f"there is no task {name!r}; {hint}")
    return BUILT_IN[name](**settings)


def is_own(name: str) -> bool:
    """Is this a task of the user's own, FILE.py:CLASS?"""
    return ".py:" in name


def read_source(name: str, folder: Path) -> str | None:
    """The text of the file behind a user's task name, sought from `folder`; None for a task that ships."""
    if not is_own(name):
        return None
    path = folder / name.rpartition(":")[0]
    try:
        return read_text(path)
    except UserError as error:
        raise UserError(f"task {name}: {error}") from None


def own_task(name: str, source: str | None, seconds: float | None, settings: dict) -> Task:
    """A user's own task, none of whose calls, the execution of its file included, may take longer than `seconds`."""
    with limited(seconds, f"task {name}: its file"):
        found = _own(name, source)(**settings)
    found._seconds = seconds
    return found


def _own(name, source):
    file, _, class_name = name.rpartition(":")
    if source is None:
        source = read_source(name, Path())
    module = ModuleType(f"own_task_{Path(file).stem}")
    module.__file__ = file
    sys.modules[module.__name__] = module  # pydantic looks annotations up by module name
    try:
        exec(compile(source, file, "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        raise UserError(f"task {name}: the file fails when executed: {type(error).__name__}: {error}") from None
    found = getattr(module, class_name, None)
    if not (isinstance(found, type) and issubclass(found, Task)):
        raise UserError(f"task {name}: {file} defines no class {class_name} derived from fitness.Task")
    return found
