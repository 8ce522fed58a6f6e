"""Packages that only some files need, imported when such a file is read."""

from circuits.optional import optional


def needed(package: str, name: str, extra: str = "recordings"):
    """The package, imported. Raises MachineError with the install line where it is missing; `name` is that of the file."""
    return optional(package, f"{name}:", f"pip install 'evocircuits[{extra}]'")
