"""The tasks that ship with the framework: one file each, found by being here."""

from importlib import import_module
from pkgutil import iter_modules

from fitness.task import Task


def _found():
    for module in iter_modules(__path__):
        for member in vars(import_module(f"{__name__}.{module.name}")).values():
            if isinstance(member, type) and issubclass(member, Task) and member.__module__.endswith(f".{module.name}"):
                yield member


BUILT_IN: dict[str, type[Task]] = {task.name: task for task in _found()}
