"""The tables and the picture of bench_assembly."""

import matplotlib
import numpy as np
from matplotlib import ticker
from matplotlib.figure import Figure
from scipy.stats import t

from tests.bench.assembly_tasks import PRICED
from tests.bench.quality_report import COLOURS, STYLE
from tests.bench.rivals.classify import LOOK
from tests.bench.rows import markdown


def interval(values) -> tuple[float, float]:
    """The mean of values from different seeds, and half the width of its 95 % confidence interval (Student's t)."""
    values = np.asarray(values, float)
    half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return float(values.mean()), float(half)


def tables(found: list[dict], tasks, arms) -> list[str]:
    """Two tables in Markdown: accuracy by arm and task, and everything measured."""
    short = [("network", *tasks)]
    full = [("data", "network", "accuracy, %", "first arm ahead by", "spikes", "steps to 95 %", "parameters")]
    for arm in arms:
        cells = [_spread(100 * _of(found, task, arm, "accuracy")) for task in tasks]
        if any(cells):
            short.append([arm, *cells])
    for task, arm in ((task, arm) for task in tasks for arm in arms):
        accuracy = 100 * _of(found, task, arm, "accuracy")
        if not len(accuracy):
            continue
        first = 100 * _of(found, task, arms[0], "accuracy")
        paired = len(first) == len(accuracy) and arm != arms[0]
        ahead = _spread(first - accuracy, sign="+") if paired else ""
        cells = [_spread(accuracy), ahead, _spread(_of(found, task, arm, "spikes"), digits=0)]
        cells += [
            _spread(_of(found, task, arm, "steps_to_95"), digits=0),
            f"{np.mean(_of(found, task, arm, 'parameters')):,.0f}",
        ]
        full.append([task, arm, *cells])
    return [markdown(short), markdown(full)]


def _of(found, task, arm, name):
    """One number per seed, in their order; none for what the arm does not have."""
    mine = sorted((r for r in found if (r["task"], r["arm"]) == (task, arm)), key=lambda r: r["seed"])
    return np.array([r[name] for r in mine if r[name] is not None], float)


def _spread(values, digits=1, sign=""):
    if not len(values):
        return ""
    mean, half = interval(values)
    return f"{mean:{sign},.{digits}f}" + ("" if np.isnan(half) else f" ± {half:,.{digits}f}")


def drawn(found: list[dict], tasks, arms, path):
    """Above, how fast each arm learns; below, accuracy over spikes, each dot a seed: hollow where spikes had a price."""
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": "assembly"}):
        columns = list(dict.fromkeys(task.removesuffix(PRICED) for task in tasks))
        figure = Figure(figsize=(2.4 * len(columns), 4.6), layout="constrained")
        upper, lower = figure.subplots(2, len(columns), squeeze=False)
        for (above, below), task in zip(zip(upper, lower, strict=True), columns, strict=True):
            above.set(title=task, xlabel="steps of training")
            below.set(xlabel="spikes per inference", xscale="log")
            below.xaxis.set_major_locator(ticker.LogLocator(base=2))
            below.xaxis.set_major_formatter("{x:g}")
            below.xaxis.set_minor_locator(ticker.NullLocator())
            for arm, colour in zip(arms, COLOURS, strict=False):
                curves = [r["curve"] for r in found if (r["task"], r["arm"]) == (task, arm)]
                if curves:
                    steps = LOOK * np.arange(1, len(curves[0]) + 1)
                    above.plot(steps, 100 * np.mean(curves, axis=0), color=colour, lw=2 if arm == arms[0] else 1, label=arm)
                for name, inside in ((task, colour), (task + PRICED, "none")):
                    spikes, accuracy = _of(found, name, arm, "spikes"), _of(found, name, arm, "accuracy")
                    if len(spikes):
                        below.plot(spikes, 100 * accuracy, "o", ms=3.5, color=colour, mfc=inside)
                    elif len(accuracy):
                        below.axhline(100 * accuracy.mean(), color=colour, lw=1, ls=":")
        upper[0].set_ylabel("validation accuracy, %")
        lower[0].set_ylabel("test accuracy, %")
        handles = {label: handle for ax in upper for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
        figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=5, frameon=False)
        figure.savefig(path, metadata={"Date": None})
