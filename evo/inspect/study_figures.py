"""Figures of a study for papers: the cost of reaching the target, and the final scores.

study = evo.open_study("runs/study-1")
figures.save("sooner.pdf", study_figures.reached, study, task="gate", size_mm=(85, 60))
"""

from pathlib import Path

import numpy as np

from circuits.drawing.canvas import Figure, drawn, own_style, ticker
from circuits.drawing.plot import plain
from evo.inspect import pictures
from evo.inspect.figures import MM, STYLE
from evo.studies.study.folder import Study
from evo.studies.study.intervals import curve, median

COLOURS = ("#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c8c00")  # Okabe and Ito's
DASHES = ("-", "--", ":", "-.")
ACROSS, WIDE, HIGH = 3, 58.0, 48.0  # panels in a row, and mm of each
SIZE = 7


def draw(study: Study, path: Path) -> Path:
    """Write the picture of a whole study, in the format of the file's ending (svg, pdf, png): for each task the share of runs
    that reached the target, and the scores of all runs. Raises UserError for another ending."""
    sizes = ("font.size", "axes.labelsize", "axes.titlesize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize")
    with own_style(STYLE | dict.fromkeys(sizes, SIZE)):
        return pictures.save(picture(study), path)


def picture(study: Study) -> Figure:
    """The picture of a whole study, see `draw`."""
    tasks = list(dict.fromkeys(arm.task for arm in study.design.arms))
    across = min(len(tasks), ACROSS)
    down = -(-len(tasks) // across)
    figure = Figure(figsize=(across * WIDE * MM, 2 * down * HIGH * MM), layout="constrained")
    axes = figure.subplots(2 * down, across, squeeze=False)
    for ax in axes.ravel():
        ax.set_visible(False)
    for k, task in enumerate(tasks):
        above, below = (axes[2 * (k // across) + row, k % across] for row in (0, 1))
        for ax, plot in ((above, reached), (below, scores)):
            ax.set_visible(True)
            plot(study, task, ax=ax)
        above.set_title(plain(task))
    return figure


@drawn
def reached(study: Study, task: str | None = None, cost: str = "evaluations", ax=None):
    """The share of runs that reached the target over the cost: Kaplan and Meier's estimate with 95 % intervals.

    Parameters
    ----------
    study : Study
        The study.
    task : str, optional
        The task whose arms are drawn, by default the first one.
    cost : {"evaluations", "core_seconds"}
        The cost.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into, by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    ax = Figure().subplots() if ax is None else ax
    arms = _arms(study, task)
    all_runs = [run for _, runs in arms for run in runs]
    spent = [max(getattr(run, f"{cost}_to_target"), 1e-3) for run in all_runs]
    low, high = min(spent, default=1.0) * 0.8, max(spent, default=10.0)
    for k, (name, runs) in enumerate(arms):
        style = {"color": COLOURS[k % len(COLOURS)], "linestyle": DASHES[k // len(COLOURS) % len(DASHES)]}
        values, events = [getattr(run, f"{cost}_to_target") for run in runs], [run.reached for run in runs]
        end = max(values, default=low)
        x, share, below, above = curve(values, events) if any(events) else (np.empty(0),) * 4
        xs = np.concatenate([[low], x, [end]])
        bottom, middle, top = (np.concatenate([[0.0], y, y[-1:] if len(y) else [0.0]]) for y in (below, share, above))
        ax.step(xs, middle, where="post", label=plain(name), **style)
        ax.fill_between(xs, bottom, top, step="post", color=style["color"], alpha=0.12, linewidth=0)
    ax.set(xscale="log", xlim=(low, max(high, 1.01 * low)), ylim=(-0.02, 1.02))
    ax.xaxis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0), numticks=6))
    ax.xaxis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"{x:,.4g}" if x < 10_000 else f"{x / 1000:,.4g}k"))
    ax.xaxis.set_minor_formatter(ticker.NullFormatter())
    ax.set(xlabel=cost.replace("_", " "), ylabel=f"share that reached {study.design.target:g}")
    if arms:
        ax.legend(fontsize="small", handlelength=1.5)
    return ax


@drawn
def scores(study: Study, task: str | None = None, measure: str = "held_out", ax=None):
    """The score of every run, and medians with bootstrap intervals.

    Parameters
    ----------
    study : Study
        The study.
    task : str, optional
        The task whose arms are drawn, by default the first one.
    measure : {"held_out", "worst", "best_held_out"}
        Which score.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into, by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    ax = Figure().subplots() if ax is None else ax
    arms = _arms(study, task)
    for k, (_, runs) in enumerate(arms):
        values = [getattr(run, measure) for run in runs]
        beside = np.linspace(-0.25, 0.25, len(values)) if len(values) > 1 else [0.0]
        ax.plot(np.full(len(values), k) + beside, values, "o", color=COLOURS[k % len(COLOURS)], markersize=2, alpha=0.6)
        middle = median(values)
        ax.errorbar(
            [k + 0.38], [middle.value], [[middle.value - middle.low], [middle.high - middle.value]], fmt="_k", capsize=1.5
        )
    ax.axhline(study.design.target, color="#999999", linewidth=0.5, linestyle=":")
    ax.set_xticks(range(len(arms)), [plain(name) for name, _ in arms], rotation=30, ha="right")
    ax.set(xlim=(-0.6, len(arms) - 0.4), ylabel=measure.replace("_", "-").replace("held-out", "held-out score"))
    return ax


def _arms(study, task):
    """The arms of a task by name, each with its runs that are over."""
    task = study.design.arms[0].task if task is None else task
    arms = [(arm.name, [run for run in study.arm(arm.name) if run.over]) for arm in study.design.arms if arm.task == task]
    return [(name, runs) for name, runs in arms if runs]
