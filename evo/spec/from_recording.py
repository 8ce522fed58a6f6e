"""The spec for a recording, which `evo new --recording` writes."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from circuits.errors import UserError
from circuits.files import read_bytes
from evo.spec.resolve import as_changes
from evo.spec.run_spec import RunSpec, changed, read_alone
from evo.spec.starter import starter
from fitness.recordings import Recording
from fitness.recordings.task import HELD_OUT, SEARCH, RecordingTask

LANES = 64  # windows that are simulated at once
LEAD_IN_MS = 300.0  # in which most circuits forget their initial state
SHORTEST_MS = 100.0  # of a window
MAX_WINDOWS = 256  # to search on
POLISHED = {"population": 100, "epoch": 100, "polish": 0.75}  # CMA-ES on three wirings at a time
FASTEST_HZ, FACTOR = 250.0, 4.0  # early stopping above this mean rate, or this factor times the fastest measured one


def from_recording(path, neuron_model: str | None = None, synapse_model: str | None = None, folder: Path | None = None) -> str:
    """A commented spec for the recording in a file, as TOML text, headed by a description of the recording.

    folder  of the spec, to which the path of the file is relative. Raises UserError for a file with too little in it.
    """
    path = Path(path)
    file = path if folder is None else Path(os.path.relpath(path, folder))
    settings = _fitting(path, {})
    task = RecordingTask(file=path.name, **settings).over(read_bytes(path))
    parts = np.bincount(task.prepared.part, minlength=3)
    recorded = len(task.outputs)
    values: dict[str, dict[str, Any]] = {
        "task": {"file": file.as_posix(), "teacher_forcing": True, **settings},
        "circuit": {"neurons": [recorded, recorded + 5], "excitatory_share": [0.3, 1.0]},
        "search": {"trials": int(min(parts[SEARCH], MAX_WINDOWS)), "held_out": int(parts[HELD_OUT]), **POLISHED},
        "stop": {"rate_hz": max(FASTEST_HZ, float(np.ceil(FACTOR * _rates(task.prepared.recording, "output").max())))},
    }
    comments = "".join(f"# {line}\n" for line in description(task))
    return f"{comments}#\n{starter(RecordingTask.name, neuron_model, synapse_model, folder, values)}"


def description(task: RecordingTask) -> list[str]:
    """Description of a recording and of its windows, in lines of text."""
    prepared = task.prepared
    recording, windows = prepared.recording, prepared.windows
    durations = [trial.duration_ms for trial in recording.trials]
    ends = f"{min(durations):g} ms" if len(set(durations)) == 1 else f"{min(durations):g} to {max(durations):g} ms"
    count = len(durations)
    lines = [
        f"{recording.source}: {_counted(count, 'trial', 'trials')} of {ends}, "
        f"{_counted(len(windows.trials), 'stimulus', 'stimuli')}"
    ]
    for role, names, rates in (
        ("inputs", recording.inputs, _rates(recording, "input")),
        ("outputs", recording.outputs, _rates(recording, "output")),
    ):
        lines.append(f"{role}: {', '.join(f'{n} ({r:.3g} Hz)' for n, r in zip(names, rates, strict=True))}")
    if recording.signals:
        lines.insert(1, f"sampled inputs: {', '.join(recording.signals)}{' and their inverses' if task.inverted else ''}")
    if recording.potentials:
        lines.append(f"membrane potentials: {', '.join(recording.potentials)}")
    if windows.merged:
        lines.append(f"{windows.merged} spikes fall into a step of {task.step_ms:g} ms with another of their train")
    parts = np.bincount(prepared.part, minlength=3)
    lines.append(f"{parts[0]} windows to search on, {parts[1]} to validate on, {parts[2]} held out")
    how = "one repeat predicts the others with" if prepared.repeats else "no repeats: perfect is"
    for name, low, high in zip(recording.outputs, prepared.low, prepared.high, strict=True):
        lines.append(f"{name}: {task.scored_by}: best constant rate {low:.3f} (score 0), {how} {high:.3f} (score 1)")
    return lines


def task_over(path, settings=(), chosen: dict[str, Any] | None = None) -> tuple[RecordingTask, Recording]:
    """The task over a recording, and the recording with the chosen trains.

    path      of the recording, for the settings of `from_recording`; or of a spec, for its settings
    settings  KEY=VALUE of the task, VALUE as TOML;   chosen  further values of settings
    Raises UserError.
    """
    path = Path(path)
    if path.suffix == ".toml":
        spec = read_alone(path)
        if spec.task["name"] != RecordingTask.name:
            raise UserError(f"{path}: its task is {spec.task['name']}, which has no recording")
        values = spec.task | {"file": str(path.parent / str(spec.data_file))}
    else:
        values = {"name": RecordingTask.name, "file": str(path)}
        values |= {key: tuple(names) for key, names in (chosen or {}).items()}
        with suppress(UserError):  # the recording can be shown without them
            values |= _fitting(path, chosen or {})
    spec = RunSpec(task=values)
    spec = changed(spec, {f"task.{key.removeprefix('task.')}": value for key, value in as_changes(settings).items()})
    values = spec.task | (chosen or {})
    values.pop("name")
    task = RecordingTask(**values)
    return task, task.recording()


def _counted(count, singular, plural):
    return f"{count} {singular if count == 1 else plural}"


def _fitting(path: Path, chosen: dict[str, Any]) -> dict[str, Any]:
    """Settings of the task that suit the file: windows of a length that gives one machine word of them to search on."""
    usual = RecordingTask(file=path.name)
    task = RecordingTask(file=path.name, lead_in_ms=LEAD_IN_MS, **chosen).over(read_bytes(path))
    w, part = task.prepared.windows, task.prepared.part
    searched = float((w.stop - w.start)[part == SEARCH].sum() * task.step_ms)
    window = max(np.ceil(searched / LANES / 10) * 10, SHORTEST_MS)
    return {"window_ms": float(min(window, 2000.0)), "lead_in_ms": LEAD_IN_MS, "precision_ms": usual.precision_ms}


def _rates(recording: Recording, role: str):
    seconds = sum(trial.duration_ms for trial in recording.trials) / 1000
    return np.array([[len(train) for train in trial.trains(role)] for trial in recording.trials]).sum(axis=0) / seconds
