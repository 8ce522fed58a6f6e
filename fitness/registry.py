"""Tasks by name: those that ship, and a user's own from Python files."""

from pathlib import Path
from typing import Any

from circuits.errors import MachineError, UserError
from fitness.sandbox import modules
from fitness.sandbox.code import Code, gather, is_own, led_by, place
from fitness.sandbox.guard import guarded
from fitness.task import Task
from fitness.tasks import built_in

SECONDS = 60.0  # most that one call into a task of the user's own may take where no spec says it


def task(name: str, source: str | Code | None = None, **settings) -> Task:
    """Make a task with its settings.

    Parameters
    ----------
    name : str
        Name of a task that ships, such as "itd", or "FILE.py:CLASS" or "PACKAGE:CLASS" for a task of your own, whose code is
        executed.
    source : str or Code, optional
        Code of your own task that was read before; by default the code is executed from where it lies.
    **settings
        Settings of the task.

    Returns
    -------
    Task
        The task.

    Raises
    ------
    circuits.errors.UserError
        For an unknown task or setting.

    Examples
    --------
    >>> import fitness
    >>> fitness.task("itd", detectors=4).detectors
    4
    """
    if is_own(name):
        return own_task(name, source, None, settings)
    return task_class(name)(**settings)


def with_defaults(kind: type[Task]) -> Task:
    """A task of this class with its default settings, as `own_task` makes it."""
    found = guarded(f"task {kind.title()}: its file", SECONDS, _made, kind.title(), kind, {})
    found._seconds = SECONDS
    return found


def task_class(name: str, folder: Path = Path()) -> type[Task]:
    """The class of a task; a user's own is sought from `folder`, and its code executed there. Raises UserError."""
    if is_own(name):
        return guarded(f"task {name}: its file", SECONDS, _class, name, lambda: modules.load_in_place(place(name, folder)))
    return built_in(name)


def read_source(name: str, folder: Path) -> Code | None:
    """The code of a user's task, sought from `folder`, see `fitness.sandbox.code.gather`; None for a task that ships."""
    return gather(name, folder) if is_own(name) else None


def own_task(name: str, source: str | Code | None, seconds: float | None, settings: dict, folder: Path = Path()) -> Task:
    """A user's own task, none of whose calls, the execution of its code included, may take longer than `seconds`. Without
    `source` it is executed from where it lies, sought from `folder`."""
    if isinstance(source, str):
        source = ((Path(name.rpartition(":")[0]).name, source.encode()),)

    def load():
        return modules.load_in_place(place(name, folder)) if source is None else modules.load(source)

    found = guarded(f"task {name}: its file", seconds, lambda: _made(name, _class(name, load), settings))
    found._seconds = seconds
    return found


def own_part(name: str, what: str, source: Code | None, seconds: float | None, folder: Path = Path()) -> Any:
    """The function or class that `name`, FILE.py:NAME, means in code of the user's own, which is executed: from `source`, see
    `own_task`, or from where it lies. what: what it is, for messages. Raises UserError."""
    module = guarded(f"{what} {name}: its file", seconds, lambda: _module(name, what, source, folder))
    file, _, inner = name.rpartition(":")
    found = getattr(module, inner, None)
    if not callable(found):
        raise UserError(f"{what} {name}: {file} defines no {inner}")
    return found


def _module(name, what, source, folder):
    try:
        if source is None:
            return modules.load_in_place(place(name, folder, what))
        return modules.load(led_by(source, name, what))
    except modules.BrokenError as error:
        raise UserError(f"{what} {name}: the file fails when executed: {error}") from None


def _made(name, kind, settings):
    try:
        found = kind(**settings)
        found.interface  # noqa: B018 - may be worked out by the task's own code
        return found
    except (UserError, MachineError):
        raise
    except Exception as error:
        raise UserError(f"task {name}: cannot be made: {modules.said(error, kind.__module__)}") from error


def _class(name, load):
    file, _, class_name = name.rpartition(":")
    try:
        module = load()
    except modules.BrokenError as error:
        raise UserError(f"task {name}: the file fails when executed: {error}") from None
    found = getattr(module, class_name, None)
    if not (isinstance(found, type) and issubclass(found, Task)):
        raise UserError(f"task {name}: {file} defines no class {class_name} derived from fitness.Task")
    return found
