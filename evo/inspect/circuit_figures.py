"""Figures of one circuit with matplotlib: see `evo.inspect.figures`."""

from typing import Any

import numpy as np

from circuits.circuit import Circuit
from circuits.drawing.canvas import Figure, drawn
from circuits.drawing.diagram import wiring
from circuits.drawing.layout import positions
from circuits.drawing.plot import E_COLOUR, I_COLOUR, plain
from circuits.errors import UserError
from circuits.simulation.raster import Raster
from evo.inspect.page.changes import aligned
from evo.storage.run_folder import Step

INK = "#222222"


@drawn
def traces(raster: Raster, neuron, trial: int = 0, both=None):
    """Membrane potential of a neuron with its spikes, and its excitatory and inhibitory currents.

    Parameters
    ----------
    raster : Raster
        A raster with traces of the neuron: `circuits.simulate(..., record=[neuron])`.
    neuron : str or int
        Id of the neuron.
    trial : int
        Number of the trial.
    both : sequence of matplotlib.axes.Axes, optional
        Two axes to draw into; by default those of a new figure.

    Returns
    -------
    sequence of matplotlib.axes.Axes
        Both axes.

    Raises
    ------
    circuits.errors.UserError
        If the neuron was not recorded in this trial.
    """
    recorded = raster.traces
    if recorded is None or neuron not in recorded.names or trial not in recorded.trials:
        how = f"record=[{neuron!r}], record_trials=[{trial}]"
        raise UserError(f"traces: neuron {neuron} is not recorded in trial {trial}; simulate with {how}")
    upper, lower = both if both is not None else Figure(layout="constrained").subplots(2, 1, sharex=True)
    k, n = recorded.trials.index(trial), recorded.names.index(neuron)
    upper.plot(recorded.times_ms, recorded.v_mv[k, :, n], color=INK)
    spikes = raster.times(trial)[raster.names.index(neuron)]
    upper.plot(spikes, np.full(len(spikes), 0.97), "|", color=INK, transform=upper.get_xaxis_transform(), in_layout=False)
    upper.margins(y=0.2)
    lower.axhline(0, color="#bbbbbb", linewidth=0.6, linestyle="--")
    lower.plot(recorded.times_ms, recorded.i_e_mv[k, :, n], color=E_COLOUR)
    lower.plot(recorded.times_ms, recorded.i_i_mv[k, :, n], color=I_COLOUR)
    upper.set_ylabel("potential, mV")
    lower.set(xlabel="time, ms", ylabel="currents, mV", xlim=(0, raster.duration_ms))
    return [upper, lower]


@drawn
def rates(circuit: Circuit, analysis: dict, ax=None):
    """Mean firing rate of every neuron, and the irregularity (CV) of its spikes.

    Parameters
    ----------
    circuit : Circuit
        The circuit.
    analysis : dict
        An analysis, see `Run.analysis`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    ax = axes(ax)
    activity = analysis["activity"]
    names, colours = [str(n) for n in activity["neurons"]], [E_COLOUR if e else I_COLOUR for e in circuit.excitatory]
    ax.barh([plain(name) for name in names], activity["rate_hz"], color=colours)
    for k, (rate, cv) in enumerate(zip(activity["rate_hz"], activity["cv"], strict=True)):
        if cv is not None:
            ax.annotate(f"CV {cv:.2f}", (rate, k), xytext=(3, 0), textcoords="offset points", va="center")
    ax.invert_yaxis()
    ax.set(xlabel="rate, Hz")
    return ax


@drawn
def tuning(analysis: dict, ax=None):
    """Spikes per trial of each output over the variable of the task, with 95 % confidence bands.

    Parameters
    ----------
    analysis : dict
        An analysis, see `Run.analysis`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    ax, curves = axes(ax), analysis["tuning"]
    for k, (port, band) in enumerate(curves["outputs"].items()):
        _band(ax, curves["x"], band["mean"], band["low"], band["high"], f"C{k % 10}", plain(port))
    ax.set(xlabel=_unit(curves["variable"]), ylabel="spikes per trial", ylim=(0, None))
    if len(curves["outputs"]) > 1:
        ax.legend()
    return ax


@drawn
def spectrum(analysis: dict, ax=None):
    """Power spectrum of all spikes together, relative to that of random spikes.

    Parameters
    ----------
    analysis : dict
        An analysis, see `Run.analysis`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    circuits.errors.UserError
        If the trials are too short, or hold too few spikes.
    """
    ax, power = axes(ax), analysis["activity"]["spectrum"]
    if power is None:
        raise UserError("spectrum: the trials are too short, or hold too few spikes, to show a rhythm")
    ax.axhline(1, color="#bbbbbb", linewidth=0.6, linestyle="--")
    ax.plot(power["hz"], power["power"], color=INK)
    ax.set(xlabel="frequency, Hz", ylabel="power", ylim=(0, None))
    return ax


@drawn
def lesions(analysis: dict, kind: str | None = None, max_parts: int = 20, ax=None):
    """The score without each part, the most harmful lesions first.

    Parameters
    ----------
    analysis : dict
        An analysis, see `Run.analysis`.
    kind : {"neuron", "synapse", "input", "channel", "class"}, optional
        Only lesions of this kind.
    max_parts : int
        Maximum number of lesions.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    ax = axes(ax)
    shown = [lesion for lesion in analysis["lesions"] if kind in (None, lesion["kind"])][:max_parts]
    names = [plain(lesion["part"].replace(">", " \N{RIGHTWARDS ARROW} ")) for lesion in shown]
    ax.barh(names, [lesion["score"] for lesion in shown], color="#777f88")
    ax.axvline(analysis["base"]["score"], color=INK, linewidth=0.8)
    ax.axvspan(analysis["base"]["low"], analysis["base"]["high"], color=INK, alpha=0.1, linewidth=0)
    ax.invert_yaxis()
    ax.set(xlabel="score without it", xlim=(0, 1.02))
    return ax


@drawn
def perturbation(analysis: dict, name: str, ax=None):
    """The score over the strength of a perturbation.

    Parameters
    ----------
    analysis : dict
        An analysis, see `Run.analysis`.
    name : str
        One of `analysis["perturbation"]`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    circuits.errors.UserError
        For an unknown perturbation.
    """
    if name not in analysis["perturbation"]:
        raise UserError(f"perturbation: there is no {name!r}; there are {', '.join(analysis['perturbation'])}")
    ax, curve = axes(ax), analysis["perturbation"][name]
    _band(ax, curve["x"], curve["score"], curve["low"], curve["high"], INK, "")
    ax.set(xlabel=_unit(name), ylabel="score", ylim=(0, 1.03))
    return ax


@drawn
def states(analysis: dict, ax=None):
    """The circuit as a state machine: states, and the symbols that lead from one to another.

    Parameters
    ----------
    analysis : dict
        An analysis, see `Run.analysis`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    circuits.errors.UserError
        If the task is not over sequences of symbols.
    """
    machine, ax = analysis["states"], axes(ax)
    if machine is None:
        raise UserError("states: the task is not over sequences of symbols")
    n = len(machine["states"])
    at = [(-np.cos(2 * np.pi * k / n), np.sin(2 * np.pi * k / n)) if n > 1 else (0.0, 0.0) for k in range(n)]
    transitions: dict = {}
    minimum = 0.25 if n > 4 else 0.05  # among many states only the likelier transitions can be told apart
    for t in machine["transitions"]:
        if t["probability"] >= minimum:
            transitions.setdefault((t["source"], t["target"]), []).append(t)
    for (a, b), parallel in transitions.items():
        text = ", ".join(t["symbol"] + (f" {t['probability']:.0%}" if t["probability"] < 0.95 else "") for t in parallel)
        _move(ax, np.array(at[a]), np.array(at[b]), plain(text), max(t["probability"] for t in parallel))
    for k, (x, y) in enumerate(at):
        edge: dict[str, Any] = {"markeredgecolor": INK, "markeredgewidth": 1.6 if k == machine["start"] else 0.8}
        ax.plot(x, y, "o", markersize=20, markerfacecolor="white", **edge)
        ax.text(x, y, plain(machine["states"][k]["name"]), ha="center", va="center")
    ax.set(xlim=(-1.7, 1.7), ylim=(-1.7, 1.7), aspect="equal")
    ax.axis("off")
    return ax


@drawn
def descent(steps: list[Step], ax=None):
    """The score of a line of circuits over the generations; hollow where a crossover changed the circuit.

    Parameters
    ----------
    steps : list of Step
        The lineage of a circuit, see `Run.lineage`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    ax = axes(ax)
    at, score = [s.generation for s in steps], [s.score for s in steps]
    ax.step(at, score, where="post", color=INK)
    faces = ["white" if s.crossed else INK for s in steps]
    ax.scatter(at, score, s=14, c=faces, edgecolors=INK, linewidths=0.8, zorder=3)
    ax.set(xlabel="generation", ylabel="score in the search", ylim=(-0.03, 1.03))
    return ax


@drawn
def change(step: Step, both=None):
    """Mother and child of a step of a lineage, side by side.

    Parameters
    ----------
    step : Step
        A step of a lineage, see `Run.lineage`.
    both : sequence of matplotlib.axes.Axes, optional
        Two axes to draw into; by default those of a new figure.

    Returns
    -------
    sequence of matplotlib.axes.Axes
        Both axes.

    Raises
    ------
    circuits.errors.UserError
        For a founder, which has no mother.
    """
    if step.mother is None:
        raise UserError("change: a founder has no mother")
    both = both if both is not None else Figure(layout="constrained").subplots(1, 2)
    mother, union = aligned(step.mother, step.circuit)
    places = positions(union)
    for ax, title, circuit in zip(both, ("mother", "child"), (mother, step.circuit), strict=True):
        wiring(circuit, ax, places={part: place for part, place in places.items() if part in circuit.nodes})
        ax.set_title(title)
    return both


def axes(ax):
    """The given axes, or new ones."""
    return ax if ax is not None else Figure(layout="constrained").add_subplot()


def _band(ax, x, y, low, high, colour, label):
    ax.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    ax.plot(x, y, color=colour, marker="o", markersize=2.5, label=label)


def _unit(name):
    return plain(name.replace(" [", ", ").replace("]", ""))


def _move(ax, start, end, text, probability):
    """An arrow between states, or from one to itself on its outer side."""
    style: dict[str, Any] = {"arrowstyle": "-|>", "color": INK, "alpha": 0.35 + 0.65 * probability, "linewidth": 0.8}
    if (start == end).all():
        out = start / np.hypot(*start) if start.any() else np.array([0.0, 1.0])
        side = 0.16 * np.array([out[1], -out[0]])
        ends, rad, label = (start + 0.2 * out - side, start + 0.2 * out + side), -2.0, start + 0.62 * out
    else:
        direction = end - start
        ends, rad, label = (start, end), 0.22, (start + end) / 2 + 0.16 * np.array([direction[1], -direction[0]])
    gap = 0 if (start == end).all() else 11
    ax.annotate("", ends[1], ends[0], arrowprops=style | {"connectionstyle": f"arc3,rad={rad}", "shrinkA": gap, "shrinkB": gap})
    ax.text(*label, text, ha="center", va="center", color="#555555")
