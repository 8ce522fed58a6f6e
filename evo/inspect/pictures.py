"""Pictures with matplotlib: a circuit's wiring, its rasters, the walks of closed loops.

E and I are told apart by shape (triangle, circle; arrow, bar) as well as by colour (Okabe and Ito's blue and vermilion, which
colour-blind people can tell apart). Every function draws into given axes, or makes them.
"""

import io
from pathlib import Path

import numpy as np

from circuits.circuit import Circuit
from circuits.drawing.canvas import Figure, drawn
from circuits.drawing.diagram import wiring
from circuits.drawing.plot import E_COLOUR, I_COLOUR, INPUT_COLOUR, plain
from circuits.errors import UserError
from circuits.motif_file import write_whole
from circuits.simulation.environments import replay
from circuits.simulation.simulate import simulate


@drawn
def rasters(circuit: Circuit, spikes, titles=(), ax=None):
    """Simulate a circuit (float64) on trials and draw the rasters side by side.

    Inputs are on top, then neurons, output neurons last with their port.

    Parameters
    ----------
    circuit : Circuit
        The circuit.
    spikes : ndarray
        Input spikes, bool [trials, steps, channels].
    titles : sequence of str
        Titles of the trials.
    ax : sequence of matplotlib.axes.Axes, optional
        Axes to draw into, one for each trial; by default those of a new figure.

    Returns
    -------
    sequence of matplotlib.axes.Axes
        The axes.
    """
    spikes = np.asarray(spikes)
    raster = simulate(circuit, spikes)
    ports = {n: o.name for o in circuit.outputs for n in o.neurons}
    order = sorted(
        range(len(circuit.neurons)), key=lambda k: list(ports).index(i) if (i := circuit.neurons[k].id) in ports else -1
    )
    labels = [c.name for c in circuit.inputs]
    labels += [f"{circuit.neurons[k].id} {ports.get(circuit.neurons[k].id, '')}".strip() for k in order]
    colours = [INPUT_COLOUR] * len(circuit.inputs)
    colours += [E_COLOUR if circuit.neurons[k].sign == "E" else I_COLOUR for k in order]
    times = [[*_times(trial, circuit.dt_ms), *(raster.times(t)[k] for k in order)] for t, trial in enumerate(spikes)]
    return _side_by_side(times, raster.duration_ms, labels, colours, len(circuit.inputs), titles, ax)


def stimuli(task, spikes, titles=(), ax=None):
    """Draw the inputs of trials of a task, bool [trials, steps, channels], side by side. Returns the axes."""
    colours = [INPUT_COLOUR] * len(task.inputs)
    times = [_times(trial, task.dt_ms) for trial in np.asarray(spikes)]
    return _side_by_side(times, task.duration_ms, list(task.inputs), colours, len(task.inputs), titles, ax)


def _times(trial, dt_ms):
    return [(np.flatnonzero(column) + 1) * dt_ms for column in trial.T]


def _side_by_side(times, duration_ms, labels, colours, inputs, titles, ax):
    """Spike times by trial and row, with the name and the colour of each row; the first rows are inputs."""
    trials, rows = len(times), len(labels)
    if ax is None:
        left, width, below, height = 1.1, 1.7 * trials, 0.45, 0.17 * max(rows, 1)
        size = (left + width + 0.1, below + height + 0.3)  # inches; laying out by hand halves the time
        box = (left / size[0], below / size[1], width / size[0], height / size[1])
        ax = Figure(figsize=size).add_axes(box)
    pitch = duration_ms * 1.06  # one trial beside the next on one axis: many times faster to draw than axes of their own
    for trial in range(trials):
        left = trial * pitch
        at, y = np.concatenate([*times[trial], []]) + left, np.repeat(np.arange(rows), [len(t) for t in times[trial]])
        ax.vlines(at, y - 0.4, y + 0.4, color=np.array(colours)[y], linewidth=0.9)
        ax.plot([left, left + duration_ms], [rows - 0.5] * 2, color="#444444", linewidth=0.8)
        ax.plot([left, left + duration_ms], [inputs - 0.5] * 2, color="#bbbbbb", linewidth=0.5)
        if trial < len(titles):
            ax.text(left + duration_ms / 2, -0.8, plain(titles[trial]), ha="center", va="bottom")
    ax.set_xticks([0, duration_ms], ["0", f"{duration_ms:.4g}"])
    ax.set_yticks(range(rows), [plain(label) for label in labels], fontsize="small")
    ax.set(xlim=(-0.01 * pitch, trials * pitch), ylim=(rows - 0.5, -0.6), xlabel="ms")
    ax.tick_params(axis="y", length=0)
    ax.spines[:].set_visible(False)
    return ax


@drawn
def card(circuit: Circuit, spikes, titles=()):
    """One figure with a circuit's wiring and, below it, its rasters on some trials (see `rasters`); returns its axes."""
    rows = len(circuit.inputs) + len(circuit.neurons)
    below, above = 0.17 * rows + 0.8, 3.6
    figure = Figure(figsize=(7.2, below + above))
    upper = figure.add_axes((0.0, below / (below + above), 1.0, above / (below + above)))
    lower = figure.add_axes((0.16, 0.45 / (below + above), 0.83, 0.17 * rows / (below + above)))
    return [wiring(circuit, upper), rasters(circuit, spikes, titles, lower)]


@drawn
def walks(raster, environment, ax=None):
    """The walks of bodies in an environment of two ears: dots at the starts, a cross at the source.

    Parameters
    ----------
    raster : Raster
        Spikes of the circuit in the trials.
    environment : Environment
        The environment of the trials.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    ax = ax or Figure(figsize=(3.4, 3.4), layout="constrained").add_subplot()
    courses = replay(environment, raster.outputs, course=True)  # [trials, steps, states]
    for start, course in zip(environment.start, courses, strict=True):
        (line,) = ax.plot(*np.vstack([start[:2], course[::4, :2], course[-1:, :2]]).T, linewidth=0.7, alpha=0.7)
        ax.plot(*start[:2], "o", color=line.get_color(), markersize=3)
    ax.plot(0, 0, "x", color="#222222", markersize=8, markeredgewidth=2)
    ax.set_aspect("equal")
    ax.axis("off")
    return ax


def save(figure: Figure, path: Path) -> Path:
    """Write a figure in the format of the file's ending, whole or not at all. Raises UserError for an unknown format."""
    drawn, ending = io.BytesIO(), path.suffix.removeprefix(".")
    if not ending:
        raise UserError(f"{path}: cannot be drawn: add the ending of its format: .svg, .png or .pdf")
    try:
        figure.savefig(drawn, dpi=150, format=ending)
    except ValueError as error:
        raise UserError(f"{path}: cannot be drawn: {error}") from None
    return write_whole(path, drawn.getvalue())
