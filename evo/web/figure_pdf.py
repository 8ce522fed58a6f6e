"""A figure as the browser drew it, as PDF: lines stay lines and text stays text.

The browser sends SVG in which every element has its own attributes and nothing a style sheet (`sharing.js`): paths, lines,
circles, rectangles and text, in groups that may be moved and turned. Matplotlib draws these again at the width that is wanted.
"""

import io
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np

from circuits.drawing.canvas import Figure, font_manager, own_style, patches, path, patheffects, transforms
from circuits.errors import UserError
from evo.inspect.figures import MM, STYLE

FONTS = ("Helvetica", "Arial", "Liberation Sans", "DejaVu Sans")  # the first of these that is installed
WIDTHS = 10.0, 400.0  # mm
LARGEST = 8_000_000  # characters
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_STEP = re.compile(r"([MLHVCQZmlhvcqz])([^MLHVCQZmlhvcqz]*)")
_MOVE = re.compile(r"(translate|rotate|scale)\(([^)]*)\)")
TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "Q": 4, "Z": 0}
CODES = {"M": [1], "L": [2], "H": [2], "V": [2], "C": [4, 4, 4], "Q": [3, 3], "Z": [79]}
JOINS = {"miter": "miter", "round": "round", "bevel": "bevel"}
CAPS = {"butt": "butt", "round": "round", "square": "projecting"}


class Paint(NamedTuple):
    """How an element is painted: colours are (r, g, b, opacity) or None, sizes in the units of the drawing."""

    fill: tuple | None
    stroke: tuple | None
    width: float
    dashes: tuple[float, ...]


def pdf(svg: Any, mm: Any) -> bytes:
    """The drawing as a page that is so many mm wide. Raises UserError for what is no such drawing."""
    if not isinstance(mm, int | float) or isinstance(mm, bool) or not WIDTHS[0] <= mm <= WIDTHS[1]:
        raise UserError(f"mm: a width from {WIDTHS[0]:g} to {WIDTHS[1]:g}, not {mm!r}")
    root, (left, top, width, height) = _root(svg)
    points = mm * MM * 72 / width  # of a unit of the drawing
    with own_style(STYLE | {"font.family": _font(), "font.size": 7}):
        figure = Figure(figsize=(mm * MM, mm * MM * height / width))
        ax = figure.add_axes((0, 0, 1, 1))
        ax.set(xlim=(left, left + width), ylim=(top + height, top))
        ax.axis("off")
        try:
            for order, (one, at, seen) in enumerate(_elements(root, transforms.Affine2D(), 1.0)):
                _draw(ax, one, at, seen, points, order)
        except (ValueError, IndexError) as error:
            raise UserError(f"svg: is not drawn as the lab draws: {error}") from None
        file = io.BytesIO()
        figure.savefig(file, format="pdf", metadata={"CreationDate": None})
    return file.getvalue()


def _root(svg):
    if not isinstance(svg, str) or len(svg) > LARGEST or "<!" in svg:
        raise UserError(f"svg: must be a drawing of at most {LARGEST:,} characters, without a DOCTYPE")
    try:
        root = ElementTree.fromstring(svg)
        box = [float(value) for value in root.get("viewBox", "").split()]
    except (ElementTree.ParseError, ValueError) as error:
        raise UserError(f"svg: cannot be read: {error}") from None
    if len(box) != 4 or not all(map(math.isfinite, box)) or min(box[2:]) <= 0:
        raise UserError("svg: needs a viewBox with a width and a height")
    return root, box


def _font():
    for name in FONTS:
        try:
            font_manager.findfont(name, fallback_to_default=False)
            return name
        except ValueError:
            continue
    return "sans-serif"


def _elements(parent, at, seen) -> Iterator[tuple]:
    """Every element that is painted, with where it lies and how opaque the groups around it are."""
    for one in parent:
        if one.get("visibility") == "hidden" or not isinstance(one.tag, str):
            continue
        here, opaque = _moved(one.get("transform", "")) + at, seen * float(one.get("opacity", 1))
        if _kind(one) == "g":
            yield from _elements(one, here, opaque)
        elif _kind(one) in SHAPES or _kind(one) == "text":
            yield one, here, opaque


def _kind(one):
    return one.tag.rpartition("}")[2]


def _moved(text):
    found = transforms.Affine2D()
    for what, numbers in reversed(_MOVE.findall(text)):
        given = [float(n) for n in _NUMBER.findall(numbers)]
        if what == "translate":
            found.translate(given[0], given[1] if len(given) > 1 else 0)
        elif what == "scale":
            found.scale(given[0], given[1] if len(given) > 1 else given[0])
        else:
            found.rotate_deg_around(*(given[1:3] if len(given) > 2 else (0, 0)), given[0])
    return found


def _paint(one, seen):
    width = _size(one, "stroke-width", 1.0)
    dashes = tuple(float(n) for n in _NUMBER.findall(one.get("stroke-dasharray", "")))
    return Paint(
        _colour(one, "fill", "black", seen), _colour(one, "stroke", "none", seen) if width > 0 else None, width, dashes
    )


def _colour(one, key, usual, seen):
    text = one.get(key, usual)
    if text in ("none", "transparent"):
        return None
    numbers = [float(n) for n in _NUMBER.findall(text.partition("(")[2])] or [0.0, 0.0, 0.0]
    rgb = numbers[:3] if text.startswith("color(") else [n / 255 for n in numbers[:3]]
    opaque = (numbers[3] if len(numbers) > 3 else 1.0) * float(one.get(f"{key}-opacity", 1)) * seen
    return None if opaque <= 0 else (*(min(1.0, max(0.0, c)) for c in rgb), min(1.0, opaque))


def _size(one, key, usual=0.0):
    found = _NUMBER.match(one.get(key, ""))
    return float(found[0]) if found else usual


def _draw(ax, one, at, seen, points, order):
    paint = _paint(one, seen)
    if _kind(one) == "text":
        return _write(ax, one, at, paint, points, order)
    drawn = SHAPES[_kind(one)](one)
    if drawn is None or (paint.fill is None and paint.stroke is None):
        return None
    dashed = (0, [n * points for n in paint.dashes]) if any(paint.dashes) and paint.stroke else "solid"
    ax.add_patch(
        patches.PathPatch(
            drawn,
            transform=at + ax.transData,
            facecolor=paint.fill or "none",
            edgecolor=paint.stroke or "none",
            linewidth=paint.width * points if paint.stroke else 0,
            linestyle=dashed,
            joinstyle=JOINS.get(one.get("stroke-linejoin", ""), "miter"),
            capstyle=CAPS.get(one.get("stroke-linecap", ""), "butt"),
            zorder=order,
            clip_on=False,
        )
    )


def _write(ax, one, at, paint, points, order):
    text = "".join(part for part in (one.text, *(c.text for c in one if _kind(c) == "tspan")) if part)
    if not text or paint.fill is None:
        return
    x, y = at.transform((_size(one, "x"), _size(one, "y")))
    matrix = at.get_matrix()
    halo = [patheffects.withStroke(linewidth=paint.width * points, foreground=paint.stroke)] if paint.stroke else None
    ax.text(
        x,
        y,
        text.replace("$", r"\$"),
        fontsize=_size(one, "font-size", 10) * points * math.hypot(*matrix[:2, 0]),
        fontweight="bold" if _size(one, "font-weight", 400) >= 600 else "normal",
        color=paint.fill,
        ha={"middle": "center", "end": "right"}.get(one.get("text-anchor", ""), "left"),
        va="baseline",
        rotation=-math.degrees(math.atan2(matrix[1, 0], matrix[0, 0])),
        rotation_mode="anchor",
        path_effects=halo,
        zorder=order,
    )


def _path(one):
    """The path of a "d": the commands M, L, H, V, C, Q and Z."""
    points, codes, here, start = [], [], np.zeros(2), np.zeros(2)
    text = one.get("d", "")
    if re.search(r"[^MLHVCQZmlhvcqzeE\d\s,.+-]", text):
        raise ValueError(f"the path {text[:40]!r}")
    for letter, rest in _STEP.findall(text):
        kind, numbers = letter.upper(), [float(n) for n in _NUMBER.findall(rest)]
        count = TAKES[kind]
        for k in range(0, len(numbers) if count else 1, count or 1):
            given, base = numbers[k : k + count], here if letter.islower() else np.zeros(2)
            if kind == "Z":
                ends = [start]
            elif kind in "HV":
                axis = "HV".index(kind)
                ends = [here.copy()]
                ends[0][axis] = base[axis] + given[0]
            else:
                ends = [base + given[j : j + 2] for j in range(0, count, 2)]
            then = "L" if kind == "M" and k else kind
            points += ends
            codes += CODES[then]
            here = ends[-1]
            start = here if then == "M" else start
    return path.Path(points, codes) if points else None


def _line(one):
    return path.Path([(_size(one, "x1"), _size(one, "y1")), (_size(one, "x2"), _size(one, "y2"))])


def _circle(one):
    return path.Path.circle((_size(one, "cx"), _size(one, "cy")), _size(one, "r"))


def _rectangle(one):
    size = transforms.Affine2D().scale(_size(one, "width"), _size(one, "height")).translate(_size(one, "x"), _size(one, "y"))
    return path.Path.unit_rectangle().transformed(size)


SHAPES = {"path": _path, "line": _line, "circle": _circle, "rect": _rectangle}
