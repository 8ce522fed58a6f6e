"""A circuit's wiring drawn with matplotlib.

E and I differ in shape (triangle, circle; arrow, bar) and in colour (Okabe and Ito's blue and vermilion, distinguishable by
colour-blind people).
"""

from typing import Any

import numpy as np

from circuits.circuit import Circuit
from circuits.drawing.canvas import Figure, drawn, patches, path
from circuits.drawing.drawable import drawable
from circuits.drawing.layout import RADIUS, Part, Place, extent, positions, routes
from circuits.drawing.plot import E_COLOUR, I_COLOUR, INPUT_COLOUR, plain

MAX_DELAYS = 30  # more delays are unreadable


@drawn
def wiring(circuit: Circuit, ax=None, delays: bool | None = None, places: dict[Part, Place] | None = None):
    """Draw the wiring of a circuit; the line width is the weight.

    Parameters
    ----------
    circuit : Circuit
        The circuit; of a large one a part is drawn, with a note of the rest.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default those of a new figure.
    delays : bool, optional
        Write the delays (ms) at the synapses; by default if there are at most 30.
    places : dict, optional
        Positions of the parts, see `circuits.drawing.layout.positions`, which is the default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    left_out = None
    if places is None:
        circuit, left_out = drawable(circuit)
        places = positions(circuit)
    synapse_routes = routes(circuit, places)
    left, right, bottom, top = extent(places, synapse_routes)
    width, height = right - left + 1.8, top - bottom + 0.5
    if ax is None:
        ax = Figure(figsize=(0.75 * width, 0.75 * height)).add_axes((0, 0, 1, 1))
    ax.set(xlim=(left - 0.9, right + 0.9), ylim=(bottom - 0.25, top + 0.25), aspect="equal")
    ax.axis("off")
    if left_out is not None:
        ax.text(0, 0, str(left_out), transform=ax.transAxes, ha="left", va="bottom", fontsize="small")
    sign = {n.id: n.sign for n in circuit.neurons}
    synapses = [s for _, s in circuit.all_synapses]
    heaviest = max((s.weight_mv for s in synapses), default=1) or 1
    write_delays = len(synapses) <= MAX_DELAYS if delays is None else delays
    for route, s in zip(synapse_routes, synapses, strict=True):
        inhibits = route.source[0] == "neuron" and sign[route.source[1]] == "I"
        _synapse(ax, route, I_COLOUR if inhibits else E_COLOUR, inhibits, s.weight_mv / heaviest)
        if write_delays:
            _delay(ax, route.label, f"{s.delay_ms:g}", I_COLOUR if inhibits else E_COLOUR)
    for (kind, name), (x, y) in places.items():
        if kind == "input":
            _input(ax, x, y, name)
        else:
            _neuron(ax, x, y, name, sign[name], [o.name for o in circuit.outputs if name in o.neurons])
    return ax


def _synapse(ax, route, colour, inhibits, weight):
    curve = path.Path(route.curve, [path.Path.MOVETO, path.Path.CURVE4, path.Path.CURVE4, path.Path.CURVE4])
    head = "|-|, widthA=0, widthB=0.55" if inhibits else "-|>"
    style: dict[str, Any] = {"color": colour, "linewidth": 0.5 + 1.8 * weight, "alpha": 0.8, "zorder": 2}
    ax.add_patch(patches.FancyArrowPatch(path=curve, arrowstyle=head, mutation_scale=7, shrinkA=0, shrinkB=0, **style))


def _delay(ax, position, text, colour):
    box = {"boxstyle": "round,pad=0.08", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
    ax.text(*position, text, fontsize="x-small", color=colour, ha="center", va="center", zorder=2.5, bbox=box)


def _input(ax, x, y, name):
    style: dict[str, Any] = {"facecolor": "white", "edgecolor": INPUT_COLOUR, "linewidth": 1.6, "zorder": 3}
    ax.add_patch(patches.Rectangle((x - RADIUS, y - RADIUS * 0.8), 2 * RADIUS, 1.6 * RADIUS, **style))
    ax.text(x - RADIUS - 0.1, y, plain(name), ha="right", va="center", color=INPUT_COLOUR)


def _neuron(ax, x, y, name, sign, ports):
    colour = E_COLOUR if sign == "E" else I_COLOUR
    style: dict[str, Any] = {"facecolor": "white", "edgecolor": colour, "linewidth": 1.6, "zorder": 3}
    if sign == "E":
        corners = [(x + 1.25 * RADIUS * np.sin(a), y + 1.25 * RADIUS * np.cos(a)) for a in (0, 2 * np.pi / 3, 4 * np.pi / 3)]
        ax.add_patch(patches.Polygon(corners, closed=True, **style))
    else:
        ax.add_patch(patches.Circle((x, y), RADIUS, **style))
    size = "small" if len(str(name)) < 4 else "x-small"
    ax.text(x, y - 0.02, plain(name), ha="center", va="center", color=colour, fontsize=size, zorder=4)
    if ports:
        ax.text(x + RADIUS + 0.12, y, plain(", ".join(ports)), ha="left", va="center", color="#222222")
