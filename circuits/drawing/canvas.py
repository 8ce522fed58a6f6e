"""All access to matplotlib: figures independent of the user's settings, which stay unchanged.

matplotlib draws by settings of the whole process: the user's matplotlibrc, `plt.style.use`, MPLBACKEND. The figures of this
package are made, drawn and saved with matplotlib's defaults and a few changes, without pyplot and without a backend, so that
they look the same everywhere. In axes that a user passes, the user's settings hold.
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

from circuits.errors import MachineError, UserError


@contextmanager
def _importing():
    """A context for importing matplotlib, which warns about the user's files and folders, and fails if MPLBACKEND names an
    unknown backend, such as a notebook's outside the notebook."""
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
# Changes of matplotlib's defaults; None: the user's settings hold.
_style: ContextVar[dict[str, Any] | None] = ContextVar("style", default=None)


@contextmanager
def own_style(changes: Style | None = None):
    """A context with matplotlib's defaults, these changes and those of enclosing contexts."""
    outer = _style.get()
    style: dict[Any, Any] = {**(outer or {}), **(changes or {})}
    if style == outer:
        yield
        return
    token = _style.set(style)
    try:
        with matplotlib.rc_context({**_DEFAULTS, **style} if outer is None else style):
            yield
    finally:
        _style.reset(token)


def drawn(function):
    """Decorate a function that draws into given axes (`ax`, or `both`), or into a new figure, which gets `own_style`."""
    parameters = signature(function)

    @wraps(function)
    def draw(*args, **options):
        arguments = parameters.bind(*args, **options).arguments
        if arguments.get("analysis", ...) is None:
            raise UserError("analysis: there is none: the best circuits of a run are analysed when it ends")
        if arguments.get("ax") is not None or arguments.get("both") is not None:
            return function(*args, **options)
        with own_style():
            return function(*args, **options)

    return draw


class Figure(_figure.Figure):
    """A figure that keeps the style in which it was made."""

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
    """The axes of one figure; a notebook displays them as the figure."""

    def _repr_html_(self) -> str:
        return svg(self[0].figure)


def svg(figure) -> str:
    """A figure as an SVG element for HTML; the same figure gives the same text."""
    buffer = BytesIO()
    with own_style({"svg.hashsalt": "evocircuits"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None}, facecolor="white")
    text = buffer.getvalue().decode()
    return text[text.index("<svg") :]
