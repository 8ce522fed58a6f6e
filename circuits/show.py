"""How things show themselves, or are written down, without knowing who does it: a package says at its face which function does.

    show.drawn_by(Circuit, "html", "circuits.drawing.notebook:of_circuit")

The function's module is imported when something is drawn for the first time: matplotlib takes a while.
"""

from importlib import import_module
from typing import Any

_FUNCTIONS: dict[tuple[type, str], str] = {}


def drawn_by(kind: type, form: str, function: str):
    """Things of a class are drawn in a form ("html", "axes", "neo") by a function, MODULE:NAME."""
    _FUNCTIONS[kind, form] = function


def draw(thing, form: str, *arguments, **options) -> Any:
    """Call the function registered for the object's class."""
    function = next(_FUNCTIONS[kind, form] for kind in type(thing).__mro__ if (kind, form) in _FUNCTIONS)
    module, name = function.split(":")
    return getattr(import_module(module), name)(thing, *arguments, **options)
