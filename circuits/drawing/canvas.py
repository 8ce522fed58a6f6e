"""The one door to matplotlib: figures that owe nothing to the user's settings, and leave them as they are.

matplotlib draws by settings of the whole process: the user's matplotlibrc, `plt.style.use`, MPLBACKEND. A figure of ours is
made, drawn and saved by matplotlib's own defaults with our changes, without pyplot and without a backend: it looks the same
everywhere. Who gives axes of their own draws by their own settings.
"""

import logging
import os
import sys
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import wraps
from inspect import signature
from io import BytesIO
from typing import Any

from circuits.errors import MachineError


@contextmanager
def _importing():
    """As it is imported matplotlib writes warnings about the user's files and folders, and refuses to be where MPLBACKEND
    names something it does not know, as a notebook's does outside the notebook."""
    first, log, backend = "matplotlib" not in sys.modules, logging.getLogger("matplotlib"), os.environ.get("MPLBACKEND")
    level = log.level
    log.setLevel(logging.ERROR)
    if first:
        os.environ.pop("MPLBACKEND", None)
    try:
        yield
    except Exception as error:
        raise MachineError(f"matplotlib cannot be imported: {' '.join(str(error).split())}") from error
    finally:
        log.setLevel(level)
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if first and backend:
        with suppress(ValueError):
            matplotlib.rcParams["backend"] = backend  # as matplotlib does


with _importing():
    import matplotlib
    from matplotlib import figure as _figure
    from matplotlib import font_manager, patches, path, patheffects, ticker, transforms  # noqa: F401 - the first wants a cache

__all__ = ["Figure", "Panels", "drawn", "own_style", "patches", "path", "patheffects", "svg", "ticker", "transforms"]

Style = Mapping[str, Any]
_DEFAULTS: dict[Any, Any] = {
    name: value for name, value in matplotlib.rcParamsDefault.items() if not name.startswith("backend")
}
_style: ContextVar[dict[str, Any] | None] = ContextVar("style", default=None)  # our changes; None: the user's settings hold


@contextmanager
def own_style(changes: Style | None = None):
    """matplotlib's own defaults for the time of a `with` block, with these changes and those of the blocks around it."""
    outer = _style.get()
    wanted: dict[Any, Any] = {**(outer or {}), **(changes or {})}
    if wanted == outer:
        yield
        return
    token = _style.set(wanted)
    try:
        with matplotlib.rc_context({**_DEFAULTS, **wanted} if outer is None else wanted):
            yield
    finally:
        _style.reset(token)


def drawn(function):
    """Decorates a function that draws into axes it is given (`ax`, or `both`), or into a figure of its own: that one is in our
    style."""
    own = signature(function)

    @wraps(function)
    def draw(*args, **options):
        given = own.bind(*args, **options).arguments
        if given.get("ax") is not None or given.get("both") is not None:
            return function(*args, **options)
        with own_style():
            return function(*args, **options)

    return draw


class Figure(_figure.Figure):
    """A figure that keeps the style it was made in."""

    def __init__(self, *args, **options):
        self._own_style = dict(_style.get() or {})
        with own_style():
            super().__init__(*args, **options)

    def draw(self, renderer):
        with own_style(self._own_style):
            super().draw(renderer)

    def savefig(self, *args, **options):
        with own_style(self._own_style):
            super().savefig(*args, **options)

    def _repr_svg_(self) -> str:
        return svg(self)


class Panels(list):
    """The axes of one figure; in a notebook they show themselves as it."""

    def _repr_html_(self) -> str:
        return svg(self[0].figure)


def svg(figure) -> str:
    """A figure as an SVG element, to stand in HTML; the same figure gives the same text."""
    buffer = BytesIO()
    with own_style({"svg.hashsalt": "evocircuits"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None}, facecolor="white")
    text = buffer.getvalue().decode()
    return text[text.index("<svg") :]
