"""Export of motifs to other tools: `export(motif, target, path)`, one module per target.

A target's module has `FORMS`, the translation of each feature of a motif (see `features.py`), and one function,
`write(motif, path, example_input)`, that writes the whole export to `path` or nothing.
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
from circuits.export.features import Translation, translated
from circuits.export.manifest import MANIFEST
from circuits.motif_file import Motif

# Imported on use: a target may need a package that is not installed.
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
    example_input  bool [steps, channels]: the trial for targets that include an example; if None, seeded Poisson spikes
    example_drive  float [steps, sampled channels]: the drive of the sampled channels in this trial, centered and scaled

    Raises UserError for an unknown target, an existing path and an example of another shape; MachineError if writing fails
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
            actual = f"{example_input.dtype} {list(shape)}"
            raise UserError(f"example_input: must be bool [steps, {channels} channels], not {actual}")
    motif = motif if isinstance(motif, Motif) else Motif.of(motif)
    import_module(TARGETS[target]).write(motif, path, _example(motif, example_input, example_drive))
    return path


def _example(motif, spikes, drive):
    """The checked example; None where targets make their own."""
    sampled = sum(channel.signal is not None for channel in motif.inputs)
    if drive is None:
        return None if spikes is None or sampled else Example(spikes, np.zeros((len(spikes), 0)))
    drive = np.asarray(drive)
    if spikes is None or drive.dtype.kind != "f" or drive.shape != (len(spikes), sampled):
        expected = f"float [steps, {sampled} sampled channels] with an example_input of as many steps"
        raise UserError(f"example_drive: must be {expected}, not {drive.dtype} {list(drive.shape)}")
    return Example(spikes, drive)


def summary(motif: Motif | Circuit, target: str, path) -> str:
    """Describe the export at `path` in lines of text: the translation of each feature and the check against the simulator."""
    checks, tables = [], translated(motif, import_module(TARGETS[target]).FORMS, target)
    if (Path(path) / MANIFEST).exists():
        manifest = json.loads((Path(path) / MANIFEST).read_text(encoding="utf-8"))
        checks = [text.replace("check with: ", f"check with: cd {quote(str(path))} && ") for text in manifest["checks"]]
        tables = {
            form: {name: Translation(**how) for name, how in table.items()} for form, table in manifest["features"].items()
        }
    lines = []
    for form, table in tables.items():
        lines += [f"{form}:", *(f"  {name:24} {status:12} {how}".rstrip() for name, (status, how) in table.items())]
    return "\n".join([*lines, *checks])
