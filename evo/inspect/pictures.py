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

from circuits.circuit import Circuit
from circuits.diagram import wiring
from circuits.errors import MachineError, UserError
from circuits.plot import E_COLOUR, I_COLOUR, INPUT_COLOUR, plain
from circuits.simulate import simulate
from circuits.worlds import replay

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "evocircuits",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


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
            ax.text(left + raster.duration_ms / 2, -0.8, plain(titles[trial]), ha="center", va="bottom")
    ax.set_xticks([0, raster.duration_ms], ["0", f"{raster.duration_ms:.4g}"])
    ax.set_yticks(range(rows), [plain(label) for label in labels], fontsize=6.5)
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
