"""Packages that only some functions need, imported when such a function is called."""

from importlib import import_module
from typing import Any

from circuits.errors import MachineError


def optional(module: str, purpose: str, install: str) -> Any:
    """The module, imported. Raises MachineError where its package is missing: purpose says what needs it, install is the
    command that installs it."""
    try:
        return import_module(module)
    except ModuleNotFoundError:
        package = module.partition(".")[0]
        raise MachineError(f"{purpose} needs {package}, which is not installed: {install}") from None
