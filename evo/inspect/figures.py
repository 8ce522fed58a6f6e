"""The figures of the report page with matplotlib, for papers: vector files, sizes and fonts as wanted.

    run = evo.open_run("runs/itd-1")
    figures.save("front.pdf", figures.front, run, x="energy", size_mm=(85, 60), font="Helvetica", font_size=7)

Every function draws into axes it is given, or makes them, and returns them. Those of one circuit take its analysis
(`evo.analysis`, from `run.analysis(rank)`). Wiring, rasters and walks: `evo.inspect.pictures`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from circuits.circuit import Circuit
from circuits.diagram import wiring
from circuits.errors import UserError
from circuits.layout import positions
from circuits.plot import E_COLOUR, I_COLOUR, plain
from evo.inspect import pictures
from evo.inspect.changes import aligned
from evo.inspect.course import course
from evo.run_folder import Run, Step

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
FRONT = {
    "held_out": ("held-out score", lambda m: m.held_out),
    "score": ("score in the search", lambda m: m.score),
    "energy": ("energy: spikes and synaptic events per trial", lambda m: m.spikes + m.events),
    "spikes": ("spikes per trial", lambda m: m.spikes),
    "synapses": ("synapses", lambda m: m.circuit.synapse_count),
    "neurons": ("neurons", lambda m: len(m.circuit.neurons)),
    "share": ("share of E neurons", lambda m: m.excitatory / len(m.circuit.neurons)),
}


def save(path, draw: Callable, *args, size_mm=(85.0, 60.0), font: str | None = None, font_size: float = 7, **options) -> Path:
    """Draw a figure into a file, in the format of its ending (pdf, svg, png ...); returns the path.

    draw     a function here or in `pictures`, called with the arguments and options that follow
    size_mm  width and height;   font  a family that matplotlib knows [default: its own];   font_size  in points
    Raises UserError for a format that there is not.
    """
    style = STYLE | {"font.size": font_size} | ({"font.family": font} if font else {})
    for part in ("axes.labelsize", "axes.titlesize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize"):
        style[part] = font_size
    with matplotlib.rc_context(style):
        figure = np.ravel(draw(*args, **options))[0].figure
        figure.set_size_inches(size_mm[0] * MM, size_mm[1] * MM)
        return pictures.save(figure, Path(path))


def front(run: Run, x: str = "energy", y: str = "held_out", ax=None):
    """The circuits of the front by any two of `FRONT` or objectives of the run; confidence intervals where one is held_out."""
    ax = _axes(ax)
    named = FRONT | {
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


def convergence(run: Run, what: str = "best", ax=None):
    """A logged value of every island over evaluations: "best", "median", "held_out", "archive", "new" or an objective."""
    ax = _axes(ax)
    islands = course(run)["islands"]
    key = what if what in islands[0] else f"objective {what}"
    if key not in islands[0]:
        raise UserError(f"convergence: nothing is logged as {what!r}; there are {', '.join(islands[0])}")
    for k, island in enumerate(islands):
        ax.plot(
            island["evaluations"], [np.nan if v is None else v for v in island[key]], label=f"island {k}", color=f"C{k % 10}"
        )
    ax.set(xlabel="evaluations of an island", ylabel={"best": "best score", "held_out": "held-out score"}.get(what, what))
    if len(islands) <= 8:
        ax.legend()
    return ax


def hypervolume(run: Run, ax=None):
    """How much of the front's hypervolume was there after so many evaluations (`evo.inspect.course.hypervolume`)."""
    ax = _axes(ax)
    found = course(run)["hypervolume"] or {"evaluations": [], "value": []}
    ax.step(found["evaluations"], found["value"], where="post", color="#222222")
    ax.set(xlabel="evaluations", ylabel="share of the front's hypervolume", ylim=(0, 1.03))
    return ax


def seconds(run: Run, ax=None):
    """Where the time went, by phase."""
    ax = _axes(ax)
    found = sorted(course(run)["seconds"].items(), key=lambda pair: pair[1])
    ax.barh([name for name, _ in found], [s for _, s in found], color="#4477aa")
    ax.set(xlabel="seconds of computing")
    return ax


def rates(circuit: Circuit, analysis: dict, ax=None):
    """Mean rate of every neuron; their irregularity (CV) beside it."""
    ax = _axes(ax)
    activity = analysis["activity"]
    names, colours = [str(n) for n in activity["neurons"]], [E_COLOUR if e else I_COLOUR for e in circuit.excitatory]
    ax.barh([plain(name) for name in names], activity["rate_hz"], color=colours)
    for k, (rate, cv) in enumerate(zip(activity["rate_hz"], activity["cv"], strict=True)):
        if cv is not None:
            ax.annotate(f"CV {cv:.2f}", (rate, k), xytext=(3, 0), textcoords="offset points", va="center")
    ax.invert_yaxis()
    ax.set(xlabel="rate, Hz")
    return ax


def tuning(analysis: dict, ax=None):
    """Spikes per trial of each output over the task's variable, with 95 % confidence bands."""
    ax, found = _axes(ax), analysis["tuning"]
    for k, (port, band) in enumerate(found["outputs"].items()):
        _band(ax, found["x"], band["mean"], band["low"], band["high"], f"C{k % 10}", plain(port))
    ax.set(xlabel=_unit(found["variable"]), ylabel="spikes per trial", ylim=(0, None))
    if len(found["outputs"]) > 1:
        ax.legend()
    return ax


def spectrum(analysis: dict, ax=None):
    """Power of all spikes together over that of random ones."""
    ax, found = _axes(ax), analysis["activity"]["spectrum"]
    if found is None:
        raise UserError("spectrum: the trials are too short, or hold too few spikes, to show a rhythm")
    ax.axhline(1, color="#bbbbbb", linewidth=0.6, linestyle="--")
    ax.plot(found["hz"], found["power"], color="#222222")
    ax.set(xlabel="frequency, Hz", ylabel="power", ylim=(0, None))
    return ax


def lesions(analysis: dict, kind: str | None = None, most: int = 20, ax=None):
    """The score without each part, the most harmful lesions first; kind: one of those in `evo.analysis.Lesion`."""
    ax = _axes(ax)
    found = [lesion for lesion in analysis["lesions"] if kind in (None, lesion["kind"])][:most]
    ax.barh(
        [plain(lesion["part"].replace(">", " \N{RIGHTWARDS ARROW} ")) for lesion in found],
        [lesion["score"] for lesion in found],
        color="#777f88",
    )
    ax.axvline(analysis["base"]["score"], color="#222222", linewidth=0.8)
    ax.axvspan(analysis["base"]["low"], analysis["base"]["high"], color="#222222", alpha=0.1, linewidth=0)
    ax.invert_yaxis()
    ax.set(xlabel="score without it", xlim=(0, 1.02))
    return ax


def perturbation(analysis: dict, name: str, ax=None):
    """Score against how much is changed: one of `analysis["perturbation"]`."""
    if name not in analysis["perturbation"]:
        raise UserError(f"perturbation: there is no {name!r}; there are {', '.join(analysis['perturbation'])}")
    ax, found = _axes(ax), analysis["perturbation"][name]
    _band(ax, found["x"], found["score"], found["low"], found["high"], "#222222", "")
    ax.set(xlabel=_unit(name), ylabel="score", ylim=(0, 1.03))
    return ax


def states(analysis: dict, ax=None):
    """The circuit as a state machine: circles of states, arrows with the symbols that lead from one to another."""
    found, ax = analysis["states"], _axes(ax)
    if found is None:
        raise UserError("states: the task is not over sequences of symbols")
    n = len(found["states"])
    at = [(-np.cos(2 * np.pi * k / n), np.sin(2 * np.pi * k / n)) if n > 1 else (0.0, 0.0) for k in range(n)]
    lines: dict = {}
    for t in found["transitions"]:
        if t["probability"] >= 0.05:
            lines.setdefault((t["source"], t["target"]), []).append(t)
    for (a, b), moves in lines.items():
        text = ", ".join(t["symbol"] + (f" {t['probability']:.0%}" if t["probability"] < 0.95 else "") for t in moves)
        _move(ax, np.array(at[a]), np.array(at[b]), plain(text), max(t["probability"] for t in moves))
    for k, (x, y) in enumerate(at):
        ax.plot(
            x,
            y,
            "o",
            markersize=20,
            markerfacecolor="white",
            markeredgecolor="#222222",
            markeredgewidth=1.6 if k == found["start"] else 0.8,
        )
        ax.text(x, y, plain(found["states"][k]["name"]), ha="center", va="center")
    ax.set(xlim=(-1.7, 1.7), ylim=(-1.7, 1.7), aspect="equal")
    ax.axis("off")
    return ax


def descent(steps: list[Step], ax=None):
    """The score of a line of circuits over generations (`run.lineage(rank)`); hollow: a father gave something."""
    ax = _axes(ax)
    at, score = [s.generation for s in steps], [s.score for s in steps]
    ax.step(at, score, where="post", color="#222222")
    ax.scatter(
        at, score, s=14, c=["white" if s.crossed else "#222222" for s in steps], edgecolors="#222222", linewidths=0.8, zorder=3
    )
    ax.set(xlabel="generation", ylabel="score in the search", ylim=(-0.03, 1.03))
    return ax


def change(step: Step, axes=None):
    """Mother and child of a step side by side, in one frame; returns both axes."""
    if step.mother is None:
        raise UserError("change: a founder has no mother")
    both = axes if axes is not None else Figure(layout="constrained").subplots(1, 2)
    mother, union = aligned(step.mother, step.circuit)
    places = positions(union)
    for ax, title, circuit in zip(both, ("mother", "child"), (mother, step.circuit), strict=True):
        here = {("input", c.name) for c in circuit.inputs} | {("neuron", n.id) for n in circuit.neurons}
        wiring(circuit, ax, places={part: place for part, place in places.items() if part in here})
        ax.set_title(title)
    return both


def _axes(ax):
    return ax if ax is not None else Figure(layout="constrained").add_subplot()


def _band(ax, x, y, low, high, colour, label):
    ax.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    ax.plot(x, y, color=colour, marker="o", markersize=2.5, label=label)


def _unit(name):
    return plain(name.replace(" [", ", ").replace("]", ""))


def _move(ax, start, end, text, probability):
    """An arrow between states, or from one to itself on its outer side."""
    style: dict[str, Any] = {"arrowstyle": "-|>", "color": "#222222", "alpha": 0.35 + 0.65 * probability, "linewidth": 0.8}
    if (start == end).all():
        out = start / np.hypot(*start) if start.any() else np.array([0.0, 1.0])
        side = 0.16 * np.array([out[1], -out[0]])
        ends, rad, label = (start + 0.2 * out - side, start + 0.2 * out + side), -2.0, start + 0.62 * out
    else:
        way = end - start
        ends, rad, label = (start, end), 0.22, (start + end) / 2 + 0.16 * np.array([way[1], -way[0]])
    gap = 0 if (start == end).all() else 11
    ax.annotate("", ends[1], ends[0], arrowprops=style | {"connectionstyle": f"arc3,rad={rad}", "shrinkA": gap, "shrinkB": gap})
    ax.text(*label, text, ha="center", va="center", color="#555555")
