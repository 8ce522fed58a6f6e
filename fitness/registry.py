"""Tasks by name: those that ship, those over a file of the user's, and a user's own from Python files."""

from pathlib import Path
from typing import Any

from circuits.errors import MachineError, UserError
from circuits.files import read_bytes
from fitness.datasets.task import DatasetTask
from fitness.file_data import FOLDER, MOST, FileData
from fitness.learning.settings import FILES, Learning
from fitness.learning.settings import NAME as LEARNING
from fitness.recordings.task import RecordingTask
from fitness.sandbox import modules
from fitness.sandbox.code import Code, gather, is_own, led_by, place
from fitness.sandbox.guard import guarded
from fitness.task import Task
from fitness.tasks import built_in

OVER_FILES: dict[str, type[FileData]] = {task.name: task for task in (RecordingTask, DatasetTask)}
SECONDS = 60.0  # most that one call into a task of the user's own may take where no spec says it


def task(name: str, source: str | Code | None = None, **settings) -> Task:
    """Make a task with its settings.

    Parameters
    ----------
    name : str
        Name of a task that ships, such as "itd", or over a file, "recording" or "dataset"; or "FILE.py:CLASS" or
        "PACKAGE:CLASS" for a task of your own, whose code is executed.
    source : str or Code, optional
        Code of your own task, or the file that a task is over, that was read before; by default it is read from where it
        lies.
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
    return shipped_task(name, source, settings)


def shipped_task(name: str, source: str | Code | None, settings: dict, folder: Path = Path()) -> Task:
    """A task that ships; the file of one that is over a file is `source`, without which it is sought from `folder`."""
    found = task_class(name)(**settings)
    if isinstance(found, FileData):
        _, data = apart({"name": name} | settings, source if isinstance(source, tuple) else ())
        found.over(None if data is None else data[0][1], folder)
        found.interface  # noqa: B018 - reads the file
    return found


def file_key(settings: dict) -> str | None:
    """The setting by which a task names the file that it is over; None for one that is over no file."""
    name, data = settings.get("name"), settings.get("data")
    if name == LEARNING:
        return "data" if isinstance(data, str) and data.lower().endswith(FILES) and not is_own(data) else None
    return "file" if isinstance(name, str) and name in OVER_FILES else None


def data_file(settings: dict) -> str | None:
    """The file that a task with these settings, its name among them, is over; None for others. Raises UserError."""
    key = file_key(settings)
    if key == "data":
        return settings["data"]
    if key is None:
        return None
    kind = OVER_FILES[settings["name"]]
    file = settings.get("file")
    if not isinstance(file, str) or not file:
        raise UserError(f'task {kind.name}: file: must name a file, such as "cell.csv", not {file!r}')
    return file


def apart(settings: dict, source: Code) -> tuple[Code | None, Code | None]:
    """The code of the user's own, and the file that a task with these settings is over; None where there is none."""
    file = data_file(settings)
    path = None if file is None else f"{FOLDER}/{Path(file).name}"
    own = tuple(one for one in source if one[0] != path)
    data = tuple(one for one in source if one[0] == path)
    return own or None, data or None


def joined(own: Code | None, data: Code | None) -> Code | None:
    """Both again."""
    return None if own is None and data is None else (*(own or ()), *(data or ()))


def read_data(settings: dict, folder: Path) -> Code | None:
    """The file that such a task is over, sought from `folder`, as it is kept with a run; None for others."""
    file = data_file(settings)
    return None if file is None else ((f"{FOLDER}/{Path(file).name}", read_bytes(folder / file, MOST)),)


def with_defaults(kind: type[Task]) -> Task:
    """A task of this class with its default settings, as `own_task` makes it."""
    found = guarded(f"task {kind.title()}: its file", SECONDS, _made, kind.title(), kind, {})
    found._seconds = SECONDS
    return found


def task_class(name: str, folder: Path = Path()) -> type[Task]:
    """The class of a task; a user's own is sought from `folder`, and its code executed there. Raises UserError."""
    if is_own(name):
        return guarded(f"task {name}: its file", SECONDS, _class, name, lambda: modules.load_in_place(place(name, folder)))
    if name == LEARNING:
        return Learning  # type: ignore[return-value]  # its settings, which a judge has as a task has
    return OVER_FILES[name] if name in OVER_FILES else built_in(name)


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
