"""The figures of the report page with matplotlib, for papers: vector files, sizes and fonts as wanted.

    run = evo.open_run("runs/itd-1")
    figures.save("front.pdf", figures.front, run, x="energy", size_mm=(85, 60), font="Helvetica", font_size=7)

Every function draws into given axes, or makes them, and returns them. Those of one circuit take its analysis
(`fitness.analysis`, from `run.analysis(rank)`).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t

from circuits.drawing.canvas import drawn, own_style
from circuits.errors import UserError
from evo.inspect import pictures
from evo.inspect.circuit_figures import (
    axes,
    change,
    descent,
    lesions,
    perturbation,
    rates,
    spectrum,
    states,
    traces,
    tuning,
)
from evo.inspect.page.course import course
from evo.inspect.pictures import rasters, walks, wiring
from evo.storage.run_folder import Run
from fitness.evaluation.objectives import objective

__all__ = [
    "change",
    "convergence",
    "descent",
    "front",
    "hypervolume",
    "lesions",
    "parallel",
    "perturbation",
    "rasters",
    "rates",
    "save",
    "seconds",
    "spectrum",
    "states",
    "traces",
    "tuning",
    "walks",
    "wiring",
]

MM = 1 / 25.4
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text
    "pdf.fonttype": 42,
    "svg.hashsalt": "evocircuits",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
}
FRONT: dict[str, tuple[str, Callable]] = {
    "held_out": ("held-out score", lambda m: m.held_out),
    "worst": ("held-out score in the worst condition", lambda m: m.worst),
    "score": ("score in the search", lambda m: m.score),
    "energy": ("energy: spikes and synaptic events per trial", lambda m: m.spikes + m.events),
    "spikes": ("spikes per trial", lambda m: m.spikes),
    "synapses": ("synapses", lambda m: m.circuit.synapse_count),
    "neurons": ("neurons", lambda m: len(m.circuit.neurons)),
    "share": ("share of E neurons", lambda m: m.excitatory / len(m.circuit.neurons)),
}


def save(path, draw: Callable, *args, size_mm=(85.0, 60.0), font: str | None = None, font_size: float = 7, **options) -> Path:
    """Draw a figure into a file, in the format of its ending (pdf, svg, png, ...).

    Parameters
    ----------
    path : str or path-like
        The file.
    draw : callable
        A function of this module.
    *args
        Arguments of that function.
    size_mm : tuple of float
        Width and height in mm.
    font : str, optional
        A font family that matplotlib knows.
    font_size : float
        Font size in points.
    **options
        Further arguments of that function.

    Returns
    -------
    pathlib.Path
        The path of the file.

    Raises
    ------
    circuits.errors.UserError
        For an unknown format.
    """
    style: Any = STYLE | {"font.size": font_size} | ({"font.family": font} if font else {})
    for part in ("axes.labelsize", "axes.titlesize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize"):
        style[part] = font_size
    with own_style(style):
        figure: Any = np.ravel(draw(*args, **options))[0].figure
        figure.set_size_inches(size_mm[0] * MM, size_mm[1] * MM)
        return pictures.save(figure, Path(path))


@drawn
def front(run: Run, x: str | None = None, y: str = "held_out", ax=None):
    """The circuits of the front by two of their measures.

    Parameters
    ----------
    run : Run
        The run.
    x, y : str
        Names of measures of a circuit, or of objectives of the run. "held_out" is drawn with its confidence interval. `x` is
        "energy" by default, or "synapses" where nothing was simulated.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    circuits.errors.UserError
        For an unknown measure.
    """
    ax, x = axes(ax), x or ("energy" if run.spec.judge_class.simulates else "synapses")
    named: dict[str, tuple[str, Callable]] = {
        name: (f"objective {name}", lambda m, name=name: m.objectives[name]) for name in run.spec.search.objectives
    }
    named |= FRONT
    for axis in (x, y):
        if axis not in named:
            raise UserError(f"front: there is no {axis!r}; there are {', '.join(named)}")
    members = run.front
    at = {axis: np.array([named[axis][1](m) for m in members]) for axis in (x, y)}
    for axis, bars in ((x, "xerr"), (y, "yerr")):
        if axis == "held_out":
            below, above = (np.array([getattr(m, end) for m in members]) for end in ("low", "high"))
            spread = np.abs(np.stack([at[axis] - below, above - at[axis]]))
            ax.errorbar(at[x], at[y], **{bars: spread}, fmt="none", ecolor="#bbbbbb", elinewidth=0.5)
    overfitted = np.array([m.overfitted for m in members], bool)
    faces = np.where(overfitted, "none", "#333333")
    ax.scatter(at[x], at[y], s=[3 + 2 * len(m.circuit.neurons) for m in members], c=faces, edgecolors="#333333", linewidths=0.6)
    ax.set(xlabel=named[x][0], ylabel=named[y][0])
    for axis, scale in ((x, ax.set_xscale), (y, ax.set_yscale)):
        if axis in ("energy", "spikes") and len(members) and at[axis].max() > 50:
            scale("symlog", linthresh=10)
    return ax


@drawn
def parallel(run: Run, ax=None):
    """The circuits of the front by all objectives at once, in parallel coordinates.

    Each objective has an axis from its worst value to its best one, each circuit is a line across them. The score is the
    held-out score.

    Parameters
    ----------
    run : Run
        The run.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    ax = axes(ax)
    names, members = run.spec.search.objectives, run.front
    values = np.array([[m.held_out if name == "score" else m.objectives[name] for name in names] for m in members])
    sign = np.array([-objective(name).sign for name in names])  # 1: more is better
    for k in range(len(names) if len(members) else 0):
        low, high = values[:, k].min(), values[:, k].max()
        worst, best = (low, high) if sign[k] > 0 else (high, low)
        values[:, k] = (values[:, k] - worst) / (best - worst if best != worst else 1)
        ax.axvline(k, color="#bbbbbb", linewidth=0.6)
        for height, value in ((0, worst), (1, best)):
            at = {"xytext": (0, 4 if height else -4), "textcoords": "offset points", "ha": "center"}
            ax.annotate(f"{value:.4g}", (k, height), va="bottom" if height else "top", **at)
    for k, line in enumerate(values):
        ax.plot(line, color="#0b62a4" if k == 0 else "#333333", alpha=1 if k == 0 else 0.35, zorder=3 if k == 0 else 2)
    ax.set_xticks(range(len(names)), [name.replace("_", " ") for name in names])
    ax.set_yticks([])
    ax.set(xlim=(-0.3, len(names) - 0.7), ylim=(-0.12, 1.12))
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(axis="x", length=0)
    return ax


@drawn
def convergence(run: Run, what: str = "best", ax=None):
    """A logged value of every island over the evaluations.

    For three islands or more also their mean with its 95 % confidence band.

    Parameters
    ----------
    run : Run
        The run.
    what : str
        "best", "median", "held_out", "archive", "wirings" or an objective.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    circuits.errors.UserError
        For a value that is not logged.
    """
    ax = axes(ax)
    islands = course(run)["islands"]
    key = what if what in islands[0] else f"objective {what}"
    if key not in islands[0]:
        raise UserError(f"convergence: nothing is logged as {what!r}; there are {', '.join(islands[0])}")
    for k, island in enumerate(islands):
        values = [np.nan if v is None else v for v in island[key]]
        ax.plot(island["evaluations"], values, label=f"island {k}", color=f"C{k % 10}", alpha=0.8)
    if len(islands) > 2:
        at, mean, half = _mean(islands, key)
        ax.fill_between(at, mean - half, mean + half, color="#222222", alpha=0.15, linewidth=0)
        ax.plot(at, mean, color="#222222", linewidth=1.6, label="mean, 95 %")
    ax.set(xlabel="evaluations of an island", ylabel={"best": "best score", "held_out": "held-out score"}.get(what, what))
    if what in ("best", "median", "validation", "held_out"):
        ax.set_ylim(0, 1.02)
    if len(islands) <= 8:
        ax.legend()
    return ax


def _mean(islands, key):
    """Evaluations, the mean of the islands then, and half of its 95 % confidence interval (Student's t)."""
    evaluations = np.linspace(0, min(island["evaluations"][-1] for island in islands), 61)[1:]
    values = np.full((len(islands), len(evaluations)), np.nan)
    for k, island in enumerate(islands):
        rows = np.minimum(np.searchsorted(island["evaluations"], evaluations), len(island["evaluations"]) - 1)
        values[k] = np.array([np.nan if v is None else v for v in island[key]])[rows]
    half_width = t.ppf(0.975, len(islands) - 1) * values.std(axis=0, ddof=1) / np.sqrt(len(islands))
    return evaluations, values.mean(axis=0), half_width


@drawn
def hypervolume(run: Run, ax=None):
    """The share of the hypervolume of the front that was reached, over the evaluations.

    Parameters
    ----------
    run : Run
        The run.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    ax = axes(ax)
    curve = course(run)["hypervolume"] or {"evaluations": [], "value": []}
    ax.step(curve["evaluations"], curve["value"], where="post", color="#222222")
    ax.set(xlabel="evaluations", ylabel="share of the front's hypervolume", ylim=(0, 1.03))
    return ax


@drawn
def seconds(run: Run, ax=None):
    """The computing time by phase.

    Parameters
    ----------
    run : Run
        The run.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    ax = axes(ax)
    phases = sorted(course(run)["seconds"].items(), key=lambda pair: pair[1])
    ax.barh([name for name, _ in phases], [s for _, s in phases], color="#4477aa")
    ax.set(xlabel="seconds of computing")
    return ax
