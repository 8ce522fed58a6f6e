"""Packages that only some files need, imported when such a file is read."""

from importlib import import_module

from circuits.errors import MachineError


def needed(package: str, name: str, extra: str = "recordings"):
    """The package, imported. Raises MachineError with the install line where it is missing; `name` is that of the file."""
    try:
        return import_module(package)
    except ModuleNotFoundError:
        top = package.partition(".")[0]
        raise MachineError(f"{name}: needs {top}, which is not installed: pip install 'evocircuits[{extra}]'") from None
