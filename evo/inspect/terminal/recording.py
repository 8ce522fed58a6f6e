"""A recording as a table and as a picture."""

from pathlib import Path
from typing import Any

import numpy as np

from circuits.drawing.canvas import Figure, drawn
from circuits.drawing.plot import E_COLOUR, INPUT_COLOUR, plain
from circuits.errors import UserError
from evo.inspect import pictures
from evo.inspect.finite import finite
from evo.inspect.terminal.text import raster_lines
from evo.spec.from_recording import description
from fitness.recordings import Recording, statistics
from fitness.recordings.task import RecordingTask

SHOWN_MS = 1000.0  # of the first trial, in text
TRIALS, TRAINS = 20, 8  # that are drawn
LOOK_MS = 3000.0
BINS = 100  # of a rate over the trial at most
SIGNAL = 0.9  # inches that a sampled signal is high


def lines(task: RecordingTask, recording: Recording) -> list[str]:
    """The spike trains, the windows of the recording and their scores, and the beginning of its first trial as a raster."""
    header = ("role", "name", "spikes", "rate Hz", "median ISI ms", "shortest ms", "CV", "silent trials")
    rows = [header] + [
        (t.role, t.name, str(t.spikes), *(f"{v:.4g}" for v in (t.rate_hz, t.isi_ms, t.shortest_ms, t.cv)), str(t.silent))
        for t in statistics.trains(recording)
    ]
    widths = [max(len(row[k]) for row in rows) for k in range(len(header))]
    text = [
        "  ".join(cell.rjust(w) if k > 1 else cell.ljust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]
    if recording.signals or recording.potentials:
        text += ["", *_signals(recording)]
    try:
        text += ["", *description(task)]
    except UserError as error:
        text += ["", f"no search can be run on it as it is: {error}"]
    trial = recording.trials[0]
    end = min(trial.duration_ms, SHOWN_MS)
    trains = {**dict(zip(recording.inputs, trial.inputs, strict=True))}
    trains |= {f"> {name}": times for name, times in zip(recording.outputs, trial.outputs, strict=True)}
    steps = {name: np.histogram(times, np.arange(int(end) + 1))[0] > 0 for name, times in trains.items()}
    return [*text, "", f"trial {trial.name}:", *raster_lines(steps, 1.0)]


def _signals(recording):
    """The sampled signals, a line each."""
    for name in (*recording.signals, *recording.potentials):
        sampled = [trial.signals[name] for trial in recording.trials if name in trial.signals]
        values, steps = np.concatenate([signal.values for signal in sampled]), sorted({signal.dt_ms for signal in sampled})
        unit = f" {sampled[0].unit}" if sampled[0].unit else ""
        every = f"{steps[0]:g} ms" if len(steps) == 1 else f"{steps[0]:g} to {steps[-1]:g} ms"
        trials = "" if len(sampled) == len(recording.trials) else f", in {len(sampled)} of {len(recording.trials)} trials"
        spread = (
            f"mean {values.mean():.4g}{unit}, standard deviation {values.std():.4g}, {values.min():.4g} to {values.max():.4g}"
        )
        kind = "potential of" if name in recording.potentials else "signal"
        yield f"{kind} {name}: {len(values):,} samples every {every}{trials}: {spread}"


def as_json(task: RecordingTask, recording: Recording) -> dict[str, Any]:
    """The summary of a recording for machines."""
    summary: dict[str, Any] = {
        "source": recording.source,
        "sha256": recording.sha256,
        "trials": [{"name": trial.name, "duration_ms": trial.duration_ms} for trial in recording.trials],
        "trains": [{key: finite(value) for key, value in train._asdict().items()} for train in statistics.trains(recording)],
        "signals": list(recording.signals),
        "potentials": list(recording.potentials),
    }
    try:
        prepared = task.prepared
    except UserError as error:
        return summary | {"refused": str(error)}
    parts = np.bincount(prepared.part, minlength=3).tolist()
    return summary | {
        "stimuli": len(prepared.windows.trials),
        "windows": dict(zip(("search", "validation", "held_out"), parts, strict=True)),
        "merged": prepared.windows.merged,
        "scored_by": task.scored_by,
        "repeats": prepared.repeats,
        "constant_rate": dict(zip(recording.outputs, prepared.low.tolist(), strict=True)),
        "ceiling": dict(zip(recording.outputs, prepared.high.tolist(), strict=True)),
    }


@drawn
def draw(recording: Recording, path: Path, bin_ms: float = 10.0) -> Path:
    """A picture of a recording: sampled signals of the first trial, rasters of the first trials, interspike intervals, rate
    over the trial, the rate that follows the inputs' spikes, and the mean of the signals around spikes; the format is that of
    the file's ending."""
    shown = recording.trials[:TRIALS]
    outputs, inputs = recording.outputs[:TRAINS], recording.inputs[:TRAINS]
    signals = recording.signals[:TRAINS]
    sampled = [*signals, *recording.potentials[:TRAINS]]
    rows = 0.8 + 0.13 * (len(inputs) + len(outputs) * len(shown))
    columns = 2 + bool(inputs or not signals) + bool(signals)
    height = rows + SIGNAL * len(sampled)
    figure = Figure(figsize=(3.0 * columns, 1.4 + height + 1.5 * len(outputs)), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[height, 1.5 * max(len(outputs), 1)])
    above, below = parts
    ratios = [SIGNAL] * len(sampled) + [rows]
    *waves, trains = above.subplots(len(ratios), sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    for name, ax in zip(sampled, waves, strict=True):
        _signal(ax, name, shown, E_COLOUR if name in recording.potentials else INPUT_COLOUR)
    _rasters(trains, shown, inputs, outputs)
    panels = np.atleast_2d(below.subplots(len(outputs), columns, squeeze=False))
    for n, (name, (isi, psth, *more)) in enumerate(zip(outputs, panels, strict=True)):
        intervals = statistics.intervals(recording, "output", n)
        longest = float(np.percentile(intervals, 99)) if len(intervals) else 1.0
        isi.hist(intervals[intervals <= longest], bins=50, color=E_COLOUR)
        end = max(trial.duration_ms for trial in recording.trials)
        edges, rate = statistics.histogram(recording, n, max(bin_ms, end / BINS))
        psth.stairs(rate, edges, color=E_COLOUR)
        labels = ["interspike interval, ms", "rate, Hz, by ms"]
        if inputs or not signals:
            labels.append("rate, Hz, by ms after an input")
            for k, channel in enumerate(inputs):
                lags = statistics.following(recording, k, n)
                more[0].stairs(lags, statistics.LAGS_MS, color=f"C{k}", label=plain(channel))
        if signals:
            labels.append("mean signal, by ms from a spike")
            for k, channel in enumerate(signals):
                more[-1].plot(*statistics.triggered(recording, channel, n), color=f"C{k}", label=plain(channel))
        isi.set_ylabel(plain(name))
        for ax, label in zip((isi, psth, *more), labels, strict=True):
            ax.tick_params(labelsize="small")
            ax.locator_params(axis="x", nbins=5)
            if n == len(outputs) - 1:
                ax.set_xlabel(label, fontsize="small")
    if len(outputs) and len(inputs) > 1:
        panels[0, 2].legend(fontsize="x-small")
    if len(outputs) and len(signals) > 1:
        panels[0, -1].legend(fontsize="x-small")
    return pictures.save(figure, path)


def _signal(ax, name, trials, colour):
    """A sampled signal in the first trial that has it, each sample until the next."""
    signal = next((trial.signals[name] for trial in trials if name in trial.signals), None)
    if signal is not None:
        values = signal.values[: int(np.ceil(LOOK_MS / signal.dt_ms))]
        ax.plot(np.arange(len(values)) * signal.dt_ms, values, color=colour, linewidth=0.7, drawstyle="steps-post")
        ax.set_ylabel(f"{plain(name)}\n{plain(signal.unit)}".rstrip(), fontsize="small")
    ax.tick_params(labelsize="small")
    ax.locator_params(axis="y", nbins=3)


def _rasters(ax, trials, inputs, outputs):
    """Inputs of the first trial on top, then every output, trial by trial."""
    trains = [trials[0].inputs[k] for k in range(len(inputs))]
    trains += [trial.outputs[n] for n in range(len(outputs)) for trial in trials]
    end = min(max(trial.duration_ms for trial in trials), LOOK_MS)
    trains = [times[times <= end] for times in trains]
    y = np.repeat(np.arange(len(trains)), [len(times) for times in trains])
    colours = np.array([INPUT_COLOUR] * len(inputs) + [E_COLOUR] * (len(trains) - len(inputs)))
    ax.vlines(np.concatenate([*trains, []]), y - 0.4, y + 0.4, color=colours[y], linewidth=0.8)
    middle = len(inputs) + (np.arange(len(outputs)) + 0.5) * len(trials) - 0.5
    ax.set_yticks([*range(len(inputs)), *middle], [plain(name) for name in (*inputs, *outputs)], fontsize="small")
    ax.set(xlim=(0, end), ylim=(len(trains) - 0.5, -0.6), xlabel="ms")
    ax.tick_params(axis="y", length=0)
