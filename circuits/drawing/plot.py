"""Pictures of rasters and traces with matplotlib.

E and I differ in colour (Okabe and Ito's blue and vermilion, distinguishable by colour-blind people), order and names.
"""

from circuits.drawing.canvas import Figure, Panels, drawn
from circuits.errors import harmless

E_COLOUR, I_COLOUR, INPUT_COLOUR = "#0072B2", "#D55E00", "#555555"


@drawn
def plot(raster, trial: int = 0, ax=None):
    """Draw one trial of a `circuits.simulation.raster.Raster`; see its method `plot`."""
    recorded = raster.traces is not None and trial in raster.traces.trials
    rows = len(raster.names) + (len(raster.stimulus.names) if raster.stimulus else 0)
    if ax is not None:
        return [_spikes(raster, trial, ax)]
    panels = len(raster.traces.names) if recorded else 0
    heights = [0.22 * rows + 0.2] + [1.0] * panels
    figure = Figure(figsize=(7, sum(heights) + 0.6), layout="constrained")
    axes = figure.subplots(1 + panels, 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    _spikes(raster, trial, axes[0])
    for n, panel in enumerate(axes[1:]):
        _trace(raster.traces, raster.traces.trials.index(trial), n, panel)
    axes[-1].set_xlabel("ms")
    return Panels(axes)


def plain(text) -> str:
    """Untrusted text for matplotlib: dollar signs start no formula, unprintable characters are escaped."""
    return harmless(str(text)).replace("$", r"\$")


def _spikes(raster, trial, ax):
    channels = [] if raster.stimulus is None else raster.stimulus.times(trial)
    names = [*(raster.stimulus.names if raster.stimulus else ()), *raster.names]
    signs = (True,) * len(raster.names) if raster.excitatory is None else raster.excitatory
    colours = [INPUT_COLOUR] * len(channels) + [E_COLOUR if e else I_COLOUR for e in signs]
    ax.eventplot([*channels, *raster.times(trial)], colors=colours, linelengths=0.8, linewidths=1)
    if channels:
        ax.axhline(len(channels) - 0.5, color="#bbbbbb", linewidth=0.6)
    ax.set_yticks(range(len(names)), [plain(name) for name in names], fontsize=7)
    for label, colour in zip(ax.get_yticklabels(), colours, strict=True):
        label.set_color(colour)
    ax.set(xlim=(0, raster.duration_ms), ylim=(len(names) - 0.5, -0.5))
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
    return ax


def _trace(traces, row, n, ax):
    """Potential on the left axis, currents on the right one."""
    ax.plot(traces.times_ms, traces.v_mv[row, :, n], color="#222222", linewidth=0.9)
    ax.set_ylabel(plain(f"{traces.names[n]}: V, mV"), fontsize=7)
    right = ax.twinx()
    right.plot(traces.times_ms, traces.i_e_mv[row, :, n], color=E_COLOUR, linewidth=0.7, alpha=0.8)
    right.plot(traces.times_ms, traces.i_i_mv[row, :, n], color=I_COLOUR, linewidth=0.7, alpha=0.8)
    right.set_ylabel("I, mV", fontsize=7)
    for axis in (ax, right):
        axis.tick_params(labelsize=7)
        axis.spines["top"].set_visible(False)
    ax.set_zorder(right.get_zorder() + 1)
    ax.patch.set_visible(False)
