"""The built-in tasks, one file each; every module of this package is searched for them."""

from importlib import import_module
from pkgutil import iter_modules

from circuits.errors import UserError, hint
from fitness.base.task import Task


def _task_classes():
    for module in iter_modules(__path__):
        for member in vars(import_module(f"{__name__}.{module.name}")).values():
            if isinstance(member, type) and issubclass(member, Task) and member.__module__.endswith(f".{module.name}"):
                yield member


BUILT_IN: dict[str, type[Task]] = {task.name: task for task in _task_classes()}


def built_in(name: str) -> type[Task]:
    """The class of a built-in task. Raises UserError."""
    if name not in BUILT_IN:
        raise UserError(f"there is no task {name!r}; {hint(name, BUILT_IN, ', or FILE.py:CLASS')}")
    return BUILT_IN[name]
