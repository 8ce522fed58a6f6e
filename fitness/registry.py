"""Tasks by name: built-in ones, those over a file of the user's, and a user's own from Python files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from circuits.errors import MachineError, UserError
from fitness.base.file_data import FileData, content_of
from fitness.base.task import Task
from fitness.datasets.task import DatasetTask
from fitness.learning.settings import NAME as LEARNING
from fitness.learning.settings import Learning
from fitness.recordings.task import RecordingTask
from fitness.sandbox import modules
from fitness.sandbox.code import Code, is_own, led_by, locate
from fitness.sandbox.guard import guarded
from fitness.tasks import built_in

OVER_FILES: dict[str, type[FileData]] = {task.name: task for task in (RecordingTask, DatasetTask)}
SECONDS = 60.0  # limit of one call into a task of the user's own without a spec


def task(name: str, source: str | Code | None = None, **settings) -> Task:
    """Make a task with its settings.

    Parameters
    ----------
    name : str
        Name of a task that ships, such as "itd", or over a file, "recording" or "dataset"; or "FILE.py:CLASS" or
        "PACKAGE:CLASS" for a task of your own, whose code is executed.
    source : str or Code, optional
        Code of your own task, or the file of a task over a file, if it was read before; by default it is read in place.
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
    return of_section({"name": name} | settings, None, source)


def of_section(
    section: Mapping[str, Any], seconds: float | None = None, source: str | Code | None = None, folder: Path = Path()
) -> Task:
    """The task that a [task] section names. The code of a user's own, no call of which may take longer than `seconds`, and the
    file of a task over a file are `source`, or else read relative to `folder`."""
    settings = dict(section)
    name = settings.pop("name")
    if is_own(name):
        return own_task(name, source, seconds, settings, folder)
    task = task_class(name)(**settings)
    if isinstance(task, FileData):
        task.over(content_of(task.file, source) if isinstance(source, tuple) else None, folder)
        task.interface  # noqa: B018 - reads the file
    return task


def with_defaults(kind: type[Task]) -> Task:
    """A task of this class with its default settings, as `own_task` makes it."""
    task = guarded(f"task {kind.title()}: its file", SECONDS, _made, kind.title(), kind, {})
    task._seconds = SECONDS
    return task


def task_class(name: str, folder: Path = Path()) -> type[Task]:
    """The class of a task; the code of a user's own is executed in place, relative to `folder`. Raises UserError."""
    if is_own(name):
        return guarded(f"task {name}: its file", SECONDS, _class, name, lambda: modules.load_in_place(locate(name, folder)))
    if name == LEARNING:
        return Learning  # type: ignore[return-value]  # the settings of a judge, with the interface of a task class
    return OVER_FILES[name] if name in OVER_FILES else built_in(name)


def own_task(name: str, source: str | Code | None, seconds: float | None, settings: dict, folder: Path = Path()) -> Task:
    """A user's own task; no call, the execution of its code included, may take longer than `seconds`. Without `source` its code
    is executed in place, relative to `folder`."""
    if isinstance(source, str):
        source = ((Path(name.rpartition(":")[0]).name, source.encode()),)

    def load():
        return modules.load_in_place(locate(name, folder)) if source is None else modules.load(source)

    task = guarded(f"task {name}: its file", seconds, lambda: _made(name, _class(name, load), settings))
    task._seconds = seconds
    return task


def own_part(name: str, what: str, source: Code | None, seconds: float | None, folder: Path = Path()) -> Any:
    """The function or class `name`, FILE.py:NAME, of the user's own, whose code is executed as in `own_task`. what: its kind,
    for messages. Raises UserError."""
    module = guarded(f"{what} {name}: its file", seconds, lambda: _module(name, what, source, folder))
    file, _, inner = name.rpartition(":")
    part = getattr(module, inner, None)
    if not callable(part):
        raise UserError(f"{what} {name}: {file} defines no {inner}")
    return part


def _module(name, what, source, folder):
    try:
        if source is None:
            return modules.load_in_place(locate(name, folder, what))
        return modules.load(led_by(source, name, what))
    except modules.BrokenError as error:
        raise UserError(f"{what} {name}: the file fails when executed: {error}") from None


def _made(name, kind, settings):
    try:
        task = kind(**settings)
        task.interface  # noqa: B018 - may execute the task's own code
        return task
    except (UserError, MachineError):
        raise
    except Exception as error:
        raise UserError(f"task {name}: cannot be made: {modules.describe(error, kind.__module__)}") from error


def _class(name, load):
    file, _, class_name = name.rpartition(":")
    try:
        module = load()
    except modules.BrokenError as error:
        raise UserError(f"task {name}: the file fails when executed: {error}") from None
    kind = getattr(module, class_name, None)
    if not (isinstance(kind, type) and issubclass(kind, Task)):
        raise UserError(f"task {name}: {file} defines no class {class_name} derived from fitness.Task")
    return kind
