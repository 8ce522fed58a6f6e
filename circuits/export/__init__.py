"""Taking a motif along: `export(motif, target, path)`, one file here per target.

A target's module has `FORMS`, what becomes of each feature of a motif (see `features.py`), and one function,
`write(motif, path, example_input)`, that leaves the whole export at `path` or nothing.
"""

import json
from importlib import import_module
from os.path import lexists
from pathlib import Path
from shlex import quote

import numpy as np

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.export.example import Example
from circuits.export.features import Kept, kept
from circuits.export.manifest import MANIFEST
from circuits.motif_file import Motif

# Imported when asked for: a target may need a package that is not installed.
TARGETS = {
    "motif": "circuits.export.motif",
    "torch": "circuits.export.torch",
    "nest": "circuits.export.nest",
    "brian2": "circuits.export.brian2",
    "sonata": "circuits.export.sonata",
    "nir": "circuits.export.nir",
    "graphml": "circuits.export.graphml",
}


def export(
    motif: Motif | Circuit,
    target: str,
    path,
    example_input: np.ndarray | None = None,
    example_drive: np.ndarray | None = None,
) -> Path:
    """Write `motif` for another tool at `path`, a file or a folder that does not exist yet. Returns the path.

    target         one of `TARGETS`
    example_input  bool [steps, channels]: the trial that targets with an example come with; if None, seeded Poisson spikes
    example_drive  float [steps, sampled channels]: what drives the sampled channels in that trial, centered and scaled

    Raises UserError for an unknown target, a path that exists and an example of another shape; MachineError if the disk refuses
    or a package is missing.
    """
    if not isinstance(motif, Circuit):
        raise UserError(f"motif: a Motif or a Circuit, not {type(motif).__name__}")
    if target not in TARGETS:
        raise UserError(f"target: one of {', '.join(TARGETS)}, not {target!r}")
    path = Path(path)
    if lexists(path):
        raise UserError(f"{path}: exists already; choose another path or remove it")
    if example_input is not None:
        example_input, channels = np.asarray(example_input), len(motif.inputs)
        shape = example_input.shape
        if example_input.dtype != bool or len(shape) != 2 or shape[0] == 0 or shape[1] != channels:
            given = f"{example_input.dtype} {list(shape)}"
            raise UserError(f"example_input: must be bool [steps, {channels} channels], not {given}")
    motif = motif if isinstance(motif, Motif) else Motif.of(motif)
    import_module(TARGETS[target]).write(motif, path, _example(motif, example_input, example_drive))
    return path


def _example(motif, spikes, drive):
    """Both together, None where targets make an example of their own."""
    sampled = sum(channel.signal is not None for channel in motif.inputs)
    if drive is None:
        return None if spikes is None or sampled else Example(spikes, np.zeros((len(spikes), 0)))
    drive = np.asarray(drive)
    if spikes is None or drive.dtype.kind != "f" or drive.shape != (len(spikes), sampled):
        wanted = f"float [steps, {sampled} sampled channels] with an example_input of as many steps"
        raise UserError(f"example_drive: must be {wanted}, not {drive.dtype} {list(drive.shape)}")
    return Example(spikes, drive)


def summary(motif: Motif | Circuit, target: str, path) -> str:
    """Describe the export at `path`: how each feature was translated, and the result of the check against the simulator, in
    lines of text."""
    checks, tables = [], kept(motif, import_module(TARGETS[target]).FORMS, target)
    if (Path(path) / MANIFEST).exists():
        manifest = json.loads((Path(path) / MANIFEST).read_text(encoding="utf-8"))
        checks = [text.replace("check with: ", f"check with: cd {quote(str(path))} && ") for text in manifest["checks"]]
        tables = {form: {name: Kept(**how) for name, how in table.items()} for form, table in manifest["features"].items()}
    lines = []
    for form, table in tables.items():
        lines += [f"{form}:", *(f"  {name:24} {status:12} {how}".rstrip() for name, (status, how) in table.items())]
    return "\n".join([*lines, *checks])
