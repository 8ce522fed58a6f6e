"""The spec that `evo new --recording` writes after looking at the file."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from circuits.errors import UserError
from circuits.files import read_bytes
from evo.spec.run_spec import RunSpec, changed, read_alone
from evo.spec.starter import starter
from fitness.recordings import Recording
from fitness.recordings.task import HELD_OUT, SEARCH, RecordingTask
from fitness.registry import data_file

LANES = 64  # windows that are simulated at once
LEAD_IN_MS = 300.0  # by then most circuits have forgotten that they began at rest
SHORTEST_MS = 100.0  # of a window
MOST = 256  # windows to search on
POLISHED = {"population": 100, "epoch": 100, "polish": 0.75}  # CMA-ES on three wirings at a time
FASTEST_HZ, TIMES = 250.0, 4.0  # neurons that fire faster on average are hopeless: this, or so many times the fastest measured


def from_recording(path, neuron_model: str | None = None, synapse_model: str | None = None, folder: Path | None = None) -> str:
    """A commented spec for the recording in a file, as TOML text, which says above what was found in it.

    folder  where the spec is to lie: from there the file is named. Raises UserError for a file that says too little.
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
        "search": {"trials": int(min(parts[SEARCH], MOST)), "held_out": int(parts[HELD_OUT]), **POLISHED},
        "stop": {"rate_hz": max(FASTEST_HZ, float(np.ceil(TIMES * _rates(task.prepared.recording, "output").max())))},
    }
    said = "".join(f"# {line}\n" for line in described(task))
    return f"{said}#\n{starter(RecordingTask.name, neuron_model, synapse_model, folder, values)}"


def described(task: RecordingTask) -> list[str]:
    """Describe a recording, and how it is cut into windows, in lines of text."""
    prepared = task.prepared
    recording, windows = prepared.recording, prepared.windows
    durations = [trial.duration_ms for trial in recording.trials]
    ends = f"{min(durations):g} ms" if len(set(durations)) == 1 else f"{min(durations):g} to {max(durations):g} ms"
    count = len(durations)
    found = [
        f"{recording.source}: {_some(count, 'trial', 'trials')} of {ends}, {_some(len(windows.trials), 'stimulus', 'stimuli')}"
    ]
    for what, names, rates in (
        ("inputs", recording.inputs, _rates(recording, "input")),
        ("outputs", recording.outputs, _rates(recording, "output")),
    ):
        found.append(f"{what}: {', '.join(f'{n} ({r:.3g} Hz)' for n, r in zip(names, rates, strict=True))}")
    if recording.signals:
        found.insert(1, f"sampled inputs: {', '.join(recording.signals)}{' and their inverses' if task.inverted else ''}")
    if recording.potentials:
        found.append(f"membrane potentials: {', '.join(recording.potentials)}")
    if windows.merged:
        found.append(f"{windows.merged} spikes fall into a step of {task.step_ms:g} ms with another of their train")
    parts = np.bincount(prepared.part, minlength=3)
    found.append(f"{parts[0]} windows to search on, {parts[1]} to validate on, {parts[2]} held out")
    how = "one repeat predicts the others with" if prepared.repeats else "no repeats: perfect is"
    for name, low, high in zip(recording.outputs, prepared.low, prepared.high, strict=True):
        found.append(f"{name}: {task.scored_by}: best constant rate {low:.3f} (score 0), {how} {high:.3f} (score 1)")
    return found


def task_over(path, settings=(), chosen: dict[str, Any] | None = None) -> tuple[RecordingTask, Recording]:
    """The task over a recording, and the recording with the trains that are chosen.

    path      of the recording, for which the settings of `from_recording` are taken; or of a spec, whose settings are
    settings  KEY=VALUE of the task, VALUE as TOML;   chosen  values of settings as they are
    Raises UserError.
    """
    path = Path(path)
    if path.suffix == ".toml":
        spec = read_alone(path)
        if spec.task["name"] != RecordingTask.name:
            raise UserError(f"{path}: its task is {spec.task['name']}, which has no recording")
        values = spec.task | {"file": str(path.parent / str(data_file(spec.task)))}
    else:
        values = {"name": RecordingTask.name, "file": str(path)}
        values |= {key: tuple(names) for key, names in (chosen or {}).items()}
        with suppress(UserError):  # for what can be shown all the same
            values |= _fitting(path, chosen or {})
    given = RunSpec(task=values)
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UserError(f"--set {setting}: write KEY=VALUE, such as precision_ms=4")
        given = changed(given, {f"task.{key.strip().removeprefix('task.')}": value.strip()})
    found = given.task | (chosen or {})
    found.pop("name")
    task = RecordingTask(**found)
    return task, task.recording()


def _some(count, one, many):
    return f"{count} {one if count == 1 else many}"


def _fitting(path: Path, chosen: dict[str, Any]) -> dict[str, Any]:
    """Settings of the task that suit the file: windows so long that a whole machine word of them is searched on."""
    usual = RecordingTask(file=path.name)
    task = RecordingTask(file=path.name, lead_in_ms=LEAD_IN_MS, **chosen).over(read_bytes(path))
    w, part = task.prepared.windows, task.prepared.part
    searched = float((w.stop - w.start)[part == SEARCH].sum() * task.step_ms)
    window = max(np.ceil(searched / LANES / 10) * 10, SHORTEST_MS)
    return {"window_ms": float(min(window, 2000.0)), "lead_in_ms": LEAD_IN_MS, "precision_ms": usual.precision_ms}


def _rates(recording: Recording, role: str):
    seconds = sum(trial.duration_ms for trial in recording.trials) / 1000
    return np.array([[len(train) for train in trial.trains(role)] for trial in recording.trials]).sum(axis=0) / seconds
