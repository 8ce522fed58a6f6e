"""Pictures with matplotlib: a circuit's wiring, its rasters, a run's convergence and front.

E and I are told apart by shape (triangle, circle; arrow, bar) as well as by colour (Okabe and Ito's blue and vermilion, which
colour-blind people can tell apart). Every function draws into axes it is given, or makes them.
"""

from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, Polygon, Rectangle

from circuits.circuit import Circuit
from circuits.errors import MachineError, UserError
from circuits.simulate import simulate
from circuits.worlds import replay
from evo.inspect.layout import positions

E_COLOUR, I_COLOUR, INPUT_COLOUR = "#0072B2", "#D55E00", "#555555"
COLUMN, ROW, RADIUS = 2.3, 1.0, 0.27
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "evocircuits",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def wiring(circuit: Circuit, ax=None, delays: bool | None = None, places: dict | None = None):
    """Draw a circuit's wiring; returns the axes. Line width follows the weight; delays (ms) are written at the synapses unless
    there are more than 30, or as `delays` says. places: where to draw what, if not by `layout.positions`."""
    places = {part: (x * COLUMN, y * ROW) for part, (x, y) in (places or positions(circuit)).items()}
    xs, ys = zip(*places.values(), strict=True)
    width, height = max(xs) - min(xs) + 2.4, max(ys) - min(ys) + 1.6
    if ax is None:
        ax = Figure(figsize=(0.75 * width, 0.75 * height)).add_axes((0, 0, 1, 1))
    ax.set(xlim=(min(xs) - 1.2, max(xs) + 1.2), ylim=(min(ys) - 0.8, max(ys) + 0.8), aspect="equal")
    ax.axis("off")
    sign = {n.id: n.sign for n in circuit.neurons}
    synapses: list[tuple[Any, Any, str]] = [(("input", c.name), s, "E") for c in circuit.inputs for s in c.synapses]
    synapses += [(("neuron", s.pre), s, sign[s.pre]) for s in circuit.synapses]
    heaviest = max((s.weight_mv for _, s, _ in synapses), default=1) or 1
    written = len(synapses) <= 30 if delays is None else delays
    for source, s, kind in synapses:
        _synapse(
            ax, places[source], places["neuron", s.post], kind, s.weight_mv / heaviest, f"{s.delay_ms:g}" if written else ""
        )
    for (what, name), (x, y) in places.items():
        colour = INPUT_COLOUR if what == "input" else E_COLOUR if sign[name] == "E" else I_COLOUR
        style: dict[str, Any] = {"facecolor": "white", "edgecolor": colour, "linewidth": 1.6, "zorder": 3}
        if what == "input":
            ax.add_patch(Rectangle((x - RADIUS, y - RADIUS * 0.8), 2 * RADIUS, 1.6 * RADIUS, **style))
            ax.text(x - RADIUS - 0.1, y, _plain(name), ha="right", va="center", color=colour)
            continue
        if sign[name] == "E":
            corners = [
                (x + 1.25 * RADIUS * np.sin(a), y + 1.25 * RADIUS * np.cos(a)) for a in (0, 2 * np.pi / 3, 4 * np.pi / 3)
            ]
            ax.add_patch(Polygon(corners, closed=True, **style))
        else:
            ax.add_patch(Circle((x, y), RADIUS, **style))
        ax.text(x, y - 0.02, _plain(name), ha="center", va="center", color=colour, fontsize=6.5, zorder=4)
        ports = [o.name for o in circuit.outputs if name in o.neurons]
        if ports:
            ax.text(x + RADIUS + 0.12, y, _plain(", ".join(ports)), ha="left", va="center", color="#222222")
    return ax


def _synapse(ax, start, end, kind, weight, label):
    colour = E_COLOUR if kind == "E" else I_COLOUR
    style = {"color": colour, "linewidth": 0.5 + 1.8 * weight, "alpha": 0.8, "zorder": 2}
    head = "-|>" if kind == "E" else "|-|, widthA=0, widthB=0.55"
    (x0, y0), (x1, y1) = start, end
    if start == end:
        x, y = x0, y0 + RADIUS
        ends, bend, middle = ((x - 0.15, y - 0.02), (x + 0.15, y - 0.02)), "arc3,rad=-1.6", (x, y + 0.3)
    else:
        dx, dy = x1 - x0, y1 - y0
        length = float(np.hypot(dx, dy))
        ux, uy = dx / length, dy / length
        gap = RADIUS + 0.08
        ends = ((x0 + ux * gap, y0 + uy * gap), (x1 - ux * gap, y1 - uy * gap))
        rad = 0.12 if dx > 0 else 0.3 if dx < 0 else 0.45
        bend, middle = f"arc3,rad={rad}", (x0 + 0.6 * dx + uy * rad * length * 0.48, y0 + 0.6 * dy - ux * rad * length * 0.48)
    ax.add_patch(
        FancyArrowPatch(
            *ends,
            arrowstyle=head,
            connectionstyle=bend,
            mutation_scale=7,
            shrinkA=0,
            shrinkB=0,
            **style,
        )
    )
    if label:
        box = {"boxstyle": "round,pad=0.08", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
        ax.text(*middle, label, fontsize=5.5, color=colour, ha="center", va="center", zorder=2.5, bbox=box)


def rasters(circuit: Circuit, spikes, titles=(), ax=None):
    """Simulate a circuit (float64) on trials, bool [trials, steps, channels], and draw their rasters side by side.

    Inputs on top, then neurons, output neurons last with their port. Returns the axes.
    """
    spikes = np.asarray(spikes)
    trials, rows = len(spikes), len(circuit.inputs) + len(circuit.neurons)
    if ax is None:
        left, width, below, height = 1.1, 1.7 * trials, 0.45, 0.17 * rows
        whole = (left + width + 0.1, below + height + 0.3)  # inches; laying out by hand halves the time
        place = (left / whole[0], below / whole[1], width / whole[0], height / whole[1])
        ax = Figure(figsize=whole).add_axes(place)
    raster = simulate(circuit, spikes)
    ports = {n: o.name for o in circuit.outputs for n in o.neurons}
    order = sorted(
        range(len(circuit.neurons)), key=lambda k: list(ports).index(i) if (i := circuit.neurons[k].id) in ports else -1
    )
    labels = [c.name for c in circuit.inputs]
    labels += [f"{circuit.neurons[k].id} {ports.get(circuit.neurons[k].id, '')}".strip() for k in order]
    colours = [INPUT_COLOUR] * len(circuit.inputs)
    colours += [E_COLOUR if circuit.neurons[k].sign == "E" else I_COLOUR for k in order]
    pitch = raster.duration_ms * 1.06  # one trial beside the next on one axis: many times faster to draw than axes of their own
    for trial in range(trials):
        left = trial * pitch
        times = [(np.flatnonzero(column) + 1) * circuit.dt_ms for column in spikes[trial].T]
        times += [raster.times(trial)[k] for k in order]
        at, y = np.concatenate(times) + left, np.repeat(np.arange(rows), [len(t) for t in times])
        ax.vlines(at, y - 0.4, y + 0.4, color=np.array(colours)[y], linewidth=0.9)
        ax.plot([left, left + raster.duration_ms], [rows - 0.5] * 2, color="#444444", linewidth=0.8)
        ax.plot([left, left + raster.duration_ms], [len(circuit.inputs) - 0.5] * 2, color="#bbbbbb", linewidth=0.5)
        if trial < len(titles):
            ax.text(left + raster.duration_ms / 2, -0.8, _plain(titles[trial]), ha="center", va="bottom")
    ax.set_xticks([0, raster.duration_ms], ["0", f"{raster.duration_ms:.4g}"])
    ax.set_yticks(range(rows), [_plain(label) for label in labels], fontsize=6.5)
    ax.set(xlim=(-0.01 * pitch, trials * pitch), ylim=(rows - 0.5, -0.6), xlabel="ms")
    ax.tick_params(axis="y", length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    return ax


def card(circuit: Circuit, spikes, titles=()):
    """One figure with a circuit's wiring and, below it, its rasters on some trials (see `rasters`); returns its axes."""
    rows = len(circuit.inputs) + len(circuit.neurons)
    below, above = 0.17 * rows + 0.8, 3.6
    figure = Figure(figsize=(7.2, below + above))
    upper = figure.add_axes((0.0, below / (below + above), 1.0, above / (below + above)))
    lower = figure.add_axes((0.16, 0.45 / (below + above), 0.83, 0.17 * rows / (below + above)))
    return [wiring(circuit, upper), rasters(circuit, spikes, titles, lower)]


def walks(raster, world, ax=None):
    """The ways of the bodies that the outputs in `raster` moved in a world of two ears: dots where they start, a cross where
    the source is. Returns the axes."""
    ax = ax or Figure(figsize=(3.4, 3.4), layout="constrained").add_subplot()
    ways = replay(world, raster.outputs, course=True)  # [trials, steps, states]
    for start, way in zip(world.start, ways, strict=True):
        (line,) = ax.plot(*np.vstack([start[:2], way[::4, :2], way[-1:, :2]]).T, linewidth=0.7, alpha=0.7)
        ax.plot(*start[:2], "o", color=line.get_color(), markersize=3)
    ax.plot(0, 0, "x", color="#222222", markersize=8, markeredgewidth=2)
    ax.set_aspect("equal")
    ax.axis("off")
    return ax


def convergence(run, ax=None):
    """Best score in search (lines) and held out (dots, after each epoch) of every island against generations."""
    ax = ax or Figure(figsize=(5, 2.6), layout="constrained").add_subplot()
    for island in range(run.spec.search.islands):
        epochs = [row for row in run.epochs if row["island"] == island]
        log = [entry for epoch in epochs for entry in epoch["log"]]
        colour = f"C{island % 10}"
        ax.plot([e["generation"] for e in log], [e["best"] for e in log], color=colour, linewidth=1, label=f"island {island}")
        held = [(e["generation"], e["held_out"]) for e in log if "held_out" in e]
        ax.plot(*zip(*held, strict=True), ".", color=colour, markersize=4) if held else None
    ax.set(xlabel="generation", ylabel="score", ylim=(-0.03, 1.05))
    if run.spec.search.islands <= 10:
        ax.legend(frameon=False, fontsize=6.5, title="best in search; dots: held out", title_fontsize=6.5)
    return ax


def front(run, ax=None):
    """The Pareto front: held-out score against energy, area by number of synapses."""
    ax = ax or Figure(figsize=(5, 2.6), layout="constrained").add_subplot()
    members = run.front
    energy = np.array([m.spikes + m.events for m in members])
    size = [4 + 1.5 * m.circuit.synapse_count for m in members]
    ax.scatter(energy, [m.held_out for m in members], s=size, color=E_COLOUR, alpha=0.6, linewidths=0)
    for m in members[:1]:
        ax.annotate(
            f"rank {m.rank}", (m.spikes + m.events, m.held_out), xytext=(4, -10), textcoords="offset points", fontsize=7
        )
    ax.set(xlabel="energy: spikes and synaptic events per trial", ylabel="held-out score", ylim=(-0.05, 1.05))
    ax.set_xscale("symlog", linthresh=10)
    ax.set_xlim(left=-0.5)
    return ax


def to_svg(draw, *args, **options) -> str:
    """The figure that `draw(*args, **options)` makes, as SVG text; the same input gives the same text."""
    with matplotlib.rc_context(_STYLE):
        drawn = draw(*args, **options)
        figure = np.ravel(drawn)[0].figure
        buffer = BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue().decode()


def save(figure: Figure, path: Path) -> Path:
    """Write a figure in the format of the file's ending. Raises UserError for one that there is not."""
    try:
        figure.savefig(path, dpi=150)
    except (ValueError, OSError) as error:
        raise (UserError if isinstance(error, ValueError) else MachineError)(f"{path}: cannot be drawn: {error}") from None
    return path


def _plain(text):
    """Text as it stands: a dollar sign in a stranger's name starts no formula."""
    return str(text).replace("$", r"\$")
