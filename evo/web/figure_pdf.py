"""A figure of the browser as PDF: lines stay lines and text stays text.

The browser sends SVG in which every element has all its attributes, without a style sheet (`sharing.js`): paths, lines,
circles, rectangles and text, in groups with transforms. Matplotlib draws these again at the requested width.
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
    """Fill and stroke of an element: colours are (r, g, b, opacity) or None, sizes in the units of the drawing."""

    fill: tuple | None
    stroke: tuple | None
    width: float
    dashes: tuple[float, ...]


def pdf(svg: Any, mm: Any) -> bytes:
    """The drawing as a PDF page of this width. Raises UserError for SVG that is no such drawing."""
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
            for order, (element, transform, opacity) in enumerate(_elements(root, transforms.Affine2D(), 1.0)):
                _draw(ax, element, transform, opacity, points, order)
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


def _elements(parent, transform, opacity) -> Iterator[tuple]:
    """Every painted element, with its transform and its opacity, both with those of the groups around it."""
    for element in parent:
        if element.get("visibility") == "hidden" or not isinstance(element.tag, str):
            continue
        inner, inner_opacity = _moved(element.get("transform", "")) + transform, opacity * float(element.get("opacity", 1))
        if _kind(element) == "g":
            yield from _elements(element, inner, inner_opacity)
        elif _kind(element) in SHAPES or _kind(element) == "text":
            yield element, inner, inner_opacity


def _kind(element):
    return element.tag.rpartition("}")[2]


def _moved(text):
    transform = transforms.Affine2D()
    for kind, numbers in reversed(_MOVE.findall(text)):
        values = [float(n) for n in _NUMBER.findall(numbers)]
        if kind == "translate":
            transform.translate(values[0], values[1] if len(values) > 1 else 0)
        elif kind == "scale":
            transform.scale(values[0], values[1] if len(values) > 1 else values[0])
        else:
            transform.rotate_deg_around(*(values[1:3] if len(values) > 2 else (0, 0)), values[0])
    return transform


def _paint(element, opacity):
    width = _size(element, "stroke-width", 1.0)
    dashes = tuple(float(n) for n in _NUMBER.findall(element.get("stroke-dasharray", "")))
    stroke = _colour(element, "stroke", "none", opacity) if width > 0 else None
    return Paint(_colour(element, "fill", "black", opacity), stroke, width, dashes)


def _colour(element, key, default, opacity):
    text = element.get(key, default)
    if text in ("none", "transparent"):
        return None
    numbers = [float(n) for n in _NUMBER.findall(text.partition("(")[2])] or [0.0, 0.0, 0.0]
    rgb = numbers[:3] if text.startswith("color(") else [n / 255 for n in numbers[:3]]
    alpha = (numbers[3] if len(numbers) > 3 else 1.0) * float(element.get(f"{key}-opacity", 1)) * opacity
    return None if alpha <= 0 else (*(min(1.0, max(0.0, c)) for c in rgb), min(1.0, alpha))


def _size(element, key, default=0.0):
    match = _NUMBER.match(element.get(key, ""))
    return float(match[0]) if match else default


def _draw(ax, element, transform, opacity, points, order):
    paint = _paint(element, opacity)
    if _kind(element) == "text":
        return _write(ax, element, transform, paint, points, order)
    shape = SHAPES[_kind(element)](element)
    if shape is None or (paint.fill is None and paint.stroke is None):
        return None
    dashed = (0, [n * points for n in paint.dashes]) if any(paint.dashes) and paint.stroke else "solid"
    ax.add_patch(
        patches.PathPatch(
            shape,
            transform=transform + ax.transData,
            facecolor=paint.fill or "none",
            edgecolor=paint.stroke or "none",
            linewidth=paint.width * points if paint.stroke else 0,
            linestyle=dashed,
            joinstyle=JOINS.get(element.get("stroke-linejoin", ""), "miter"),
            capstyle=CAPS.get(element.get("stroke-linecap", ""), "butt"),
            zorder=order,
            clip_on=False,
        )
    )


def _write(ax, element, transform, paint, points, order):
    text = "".join(part for part in (element.text, *(c.text for c in element if _kind(c) == "tspan")) if part)
    if not text or paint.fill is None:
        return
    x, y = transform.transform((_size(element, "x"), _size(element, "y")))
    matrix = transform.get_matrix()
    halo = [patheffects.withStroke(linewidth=paint.width * points, foreground=paint.stroke)] if paint.stroke else None
    ax.text(
        x,
        y,
        text.replace("$", r"\$"),
        fontsize=_size(element, "font-size", 10) * points * math.hypot(*matrix[:2, 0]),
        fontweight="bold" if _size(element, "font-weight", 400) >= 600 else "normal",
        color=paint.fill,
        ha={"middle": "center", "end": "right"}.get(element.get("text-anchor", ""), "left"),
        va="baseline",
        rotation=-math.degrees(math.atan2(matrix[1, 0], matrix[0, 0])),
        rotation_mode="anchor",
        path_effects=halo,
        zorder=order,
    )


def _path(element):
    """The path of a "d": the commands M, L, H, V, C, Q and Z."""
    points, codes, current, start = [], [], np.zeros(2), np.zeros(2)
    text = element.get("d", "")
    if re.search(r"[^MLHVCQZmlhvcqzeE\d\s,.+-]", text):
        raise ValueError(f"the path {text[:40]!r}")
    for letter, rest in _STEP.findall(text):
        kind, numbers = letter.upper(), [float(n) for n in _NUMBER.findall(rest)]
        count = TAKES[kind]
        for k in range(0, len(numbers) if count else 1, count or 1):
            values, base = numbers[k : k + count], current if letter.islower() else np.zeros(2)
            if kind == "Z":
                ends = [start]
            elif kind in "HV":
                axis = "HV".index(kind)
                ends = [current.copy()]
                ends[0][axis] = base[axis] + values[0]
            else:
                ends = [base + values[j : j + 2] for j in range(0, count, 2)]
            command = "L" if kind == "M" and k else kind
            points += ends
            codes += CODES[command]
            current = ends[-1]
            start = current if command == "M" else start
    return path.Path(points, codes) if points else None


def _line(element):
    return path.Path([(_size(element, "x1"), _size(element, "y1")), (_size(element, "x2"), _size(element, "y2"))])


def _circle(element):
    return path.Path.circle((_size(element, "cx"), _size(element, "cy")), _size(element, "r"))


def _rectangle(element):
    x, y, width, height = (_size(element, key) for key in ("x", "y", "width", "height"))
    return path.Path.unit_rectangle().transformed(transforms.Affine2D().scale(width, height).translate(x, y))


SHAPES = {"path": _path, "line": _line, "circle": _circle, "rect": _rectangle}
