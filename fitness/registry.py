"""Tasks by name: built-in ones, those over a file of the user's, and a user's own from Python files."""

from pathlib import Path
from typing import Any

from circuits.errors import MachineError, UserError
from circuits.files import read_bytes
from fitness.base.file_data import FOLDER, MAX_BYTES, FileData
from fitness.base.task import Task
from fitness.datasets.task import DatasetTask
from fitness.learning.settings import FILES, Learning
from fitness.learning.settings import NAME as LEARNING
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
    if is_own(name):
        return own_task(name, source, None, settings)
    return shipped_task(name, source, settings)


def shipped_task(name: str, source: str | Code | None, settings: dict, folder: Path = Path()) -> Task:
    """A built-in task; the file of a task over a file is `source`, or else read relative to `folder`."""
    task = task_class(name)(**settings)
    if isinstance(task, FileData):
        _, data = code_and_data({"name": name} | settings, source if isinstance(source, tuple) else ())
        task.over(None if data is None else data[0][1], folder)
        task.interface  # noqa: B018 - reads the file
    return task


def file_key(settings: dict) -> str | None:
    """The setting that names the file of a task over a file; None for others."""
    name, data = settings.get("name"), settings.get("data")
    if name == LEARNING:
        return "data" if isinstance(data, str) and data.lower().endswith(FILES) and not is_own(data) else None
    return "file" if isinstance(name, str) and name in OVER_FILES else None


def data_file(settings: dict) -> str | None:
    """The file of a task over a file with these settings, its name among them; None for others. Raises UserError."""
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


def code_and_data(settings: dict, source: Code) -> tuple[Code | None, Code | None]:
    """The user's own code, and the file of a task over a file with these settings; None where there is none."""
    name = data_file(settings)
    path = None if name is None else f"{FOLDER}/{Path(name).name}"
    own = tuple(file for file in source if file[0] != path)
    data = tuple(file for file in source if file[0] == path)
    return own or None, data or None


def joined(own: Code | None, data: Code | None) -> Code | None:
    """The user's own code and the data file in one code, see `code_and_data`."""
    return None if own is None and data is None else (*(own or ()), *(data or ()))


def read_data(settings: dict, folder: Path) -> Code | None:
    """The file of a task over a file, read relative to `folder`, in the form kept with a run; None for others."""
    file = data_file(settings)
    return None if file is None else ((f"{FOLDER}/{Path(file).name}", read_bytes(folder / file, MAX_BYTES)),)


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
