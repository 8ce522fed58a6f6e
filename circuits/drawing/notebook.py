"""HTML of circuits and rasters for notebooks: a picture and lines of text."""

from html import escape
from typing import Any

from circuits.circuit import Circuit
from circuits.drawing.canvas import own_style, svg
from circuits.drawing.diagram import wiring
from circuits.simulation.raster import Raster

_STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "evocircuits", "font.size": 8}


def of_circuit(circuit: Circuit) -> str:
    """A circuit or motif as HTML: wiring, size and provenance."""
    lines = [f"{circuit!r}"]
    origin = getattr(circuit, "provenance", None)
    if origin is not None:
        scores = {name: value for name, value in (origin.scores or {}).items() if value is not None}
        parts = [f"run {origin.run}" if origin.run else "", f"task {origin.task['name']}" if origin.task else ""]
        parts += [f"{name.replace('_', ' ')} {value:.3g}" for name, value in scores.items()]
        lines.append(", ".join(filter(None, parts)))
    return _html(picture(circuit), lines)


def picture(circuit: Circuit) -> str:
    """A circuit's wiring as an SVG element."""
    with own_style(_STYLE):
        return svg(wiring(circuit).figure)


def of_raster(raster: Raster) -> str:
    """A raster as HTML: its first trial and, of a single circuit, the mean rates."""
    size = f"{raster.trials} trials of {raster.duration_ms:g} ms, {raster.bits.shape[-1]} neurons"
    if raster.bits.ndim > 3:
        return _html("", [f"Raster of {raster.bits.shape[0]} circuits: {size}"])
    rates = raster.rates().mean(axis=0)
    names = raster.names or range(len(rates))
    mean_rates = ", ".join(f"{name} {rate:.3g}" for name, rate in zip(names, rates, strict=True))
    with own_style(_STYLE):
        drawn = svg(raster.plot(0)[0].figure) if raster.names else ""
    return _html(drawn, [f"Raster: {size}; drawn: trial 0", f"mean rates, Hz: {mean_rates}"])


def _html(picture, lines):
    return f"<div>{picture}{''.join(f'<div>{escape(line)}</div>' for line in lines if line)}</div>"
