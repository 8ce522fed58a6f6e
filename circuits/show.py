"""Registry of drawing and conversion functions by class and form, so that classes need not import them.

    show.drawn_by(Circuit, "html", "circuits.drawing.notebook:of_circuit")

The function's module is imported when an object is first drawn: matplotlib takes a while.
"""

from importlib import import_module
from typing import Any

_FUNCTIONS: dict[tuple[type, str], str] = {}


def drawn_by(kind: type, form: str, function: str):
    """Register the function, MODULE:NAME, that draws objects of a class in a form ("html", "axes", "neo")."""
    _FUNCTIONS[kind, form] = function


def draw(drawable, form: str, *arguments, **options) -> Any:
    """Call the function registered for the object's class."""
    function = next(_FUNCTIONS[kind, form] for kind in type(drawable).__mro__ if (kind, form) in _FUNCTIONS)
    module, name = function.split(":")
    return getattr(import_module(module), name)(drawable, *arguments, **options)
