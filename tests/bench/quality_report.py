"""The tables and the picture of bench_quality."""

import math

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from evo.studies.study.intervals import share
from tests.bench.rows import markdown

NEVER = math.inf
COLUMNS = 3
COLOURS = ["black", *matplotlib.color_sequences["tab10"]]
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "quality",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def evaluations(found, task, arm) -> np.ndarray:
    """Circuits tried until the task was solved, one number per seed, inf for those that did not solve it."""
    mine = [r["to_solve"] for r in found if r["task"] == task and r["arm"] == arm]
    return np.sort([NEVER if n is None else n for n in mine])


def median(tried: np.ndarray) -> float:
    """Of an even number the upper one of the two in the middle: unsolved runs count as more than any."""
    return float(np.sort(tried)[len(tried) // 2])


def bootstrap(tried: np.ndarray, samples: int = 10_000) -> tuple[float, float]:
    """The 95 % confidence interval of the median, by drawing seeds again."""
    drawn = np.random.default_rng(0).choice(tried, (samples, len(tried)))
    medians = np.sort(np.sort(drawn, axis=1)[:, len(tried) // 2])
    return float(medians[int(0.025 * samples)]), float(medians[int(0.975 * samples)])


def tables(found: list[dict], tasks, arms) -> list[str]:
    """Two tables in Markdown: solved runs and median by arm and task, and every figure with its interval."""
    short = [("search", *tasks)]
    full = [("task", "search", "solved", "95 % interval", "median evaluations", "95 % interval", "of the default's")]
    for arm in arms:
        cells = [arm]
        for task in tasks:
            tried = evaluations(found, task, arm)
            cells.append(f"{np.isfinite(tried).sum()}/{len(tried)}, {_number(median(tried))}" if len(tried) else "")
        short.append(cells)
    for task in tasks:
        base = evaluations(found, task, arms[0])
        for arm in arms:
            tried = evaluations(found, task, arm)
            if len(tried):
                solved = int(np.isfinite(tried).sum())
                _, low, high = share(solved, len(tried))
                solved_of = [f"{solved}/{len(tried)}", f"{low:.0%} to {high:.0%}"]
                middle = [_number(median(tried)), " to ".join(map(_number, bootstrap(tried)))]
                ratio = median(tried) / median(base) if len(base) and median(base) < NEVER else math.nan
                full.append([task, arm, *solved_of, *middle, _times(ratio)])
    return [markdown(short), markdown(full)]


def _number(n):
    return f"{n:,.0f}" if n < NEVER else "-"


def _times(ratio):
    return "" if math.isnan(ratio) else f"{ratio:.2g}" if ratio < NEVER else "never"


def drawn(found: list[dict], tasks, arms, limit: int, path):
    """The share of runs that have solved their task over the circuits tried: a panel for each task, a line for each search."""
    rows, columns = -(-len(tasks) // COLUMNS), min(COLUMNS, len(tasks))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(2.3 * columns, 1.9 * rows + 0.7), layout="constrained")
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for ax, task in zip(axes, tasks, strict=False):
            ax.set_title(task)
            for k, arm in enumerate(arms):
                tried = evaluations(found, task, arm)
                if len(tried):
                    style = {"lw": 1.2, "zorder": 2} if k else {"lw": 2.2, "zorder": 3}
                    _curve(ax, tried, limit, color=COLOURS[k % len(COLOURS)], label=arm, **style)
            ax.set(xscale="log", xlim=(100, limit), ylim=(-0.03, 1.03))
        for ax in axes[len(tasks) :]:
            ax.set_visible(False)
        figure.supxlabel("circuits tried")
        figure.supylabel("share of runs that have solved the task")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=6, frameon=False)
        figure.savefig(path, metadata={"Date": None})


def _curve(ax, tried, limit, **style):
    solved = tried[np.isfinite(tried)]
    share = np.arange(len(solved) + 1) / len(tried)
    ax.step(np.concatenate([[100], solved, [limit]]), np.append(share, share[-1]), where="post", **style)
