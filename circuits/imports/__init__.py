"""Import motifs from other tools' files: NIR graphs, SONATA networks, edge lists and GraphML, one module per format.

Each module has a function `read(path, report, dt_ms, split, ...)` that returns the motif and reports what it had to change.
`read` here detects the format; `load` is `circuits.load`.
"""

import logging
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from circuits import motif_file
from circuits.errors import UserError
from circuits.export.features import Translation
from circuits.files import MAX_BYTES, check_regular
from circuits.imports.hdf5 import is_hdf5
from circuits.imports.report import Report, inexact
from circuits.imports.sonata_files import CONFIGS, is_network
from circuits.motif_file import Motif
from circuits.zoo import ZOO, zoo

MOTIF = "motif"  # the format of motif files
MODULES = {
    "nir": "circuits.imports.nir",
    "sonata": "circuits.imports.sonata",
    "csv": "circuits.imports.edge_list",
    "graphml": "circuits.imports.graphml",
}
OPTIONS = {"nir": ("spikes",), "sonata": (), "csv": ("inputs", "outputs"), "graphml": ("inputs", "outputs")}
SUFFIXES = {".nir": "nir", ".csv": "csv", ".tsv": "csv", ".graphml": "graphml"}
SPIKES = ("auto", "pulses", "steps")
say = logging.getLogger("circuits")


class Imported(NamedTuple):
    """A motif from another tool's file, the file's format, and the translation of each feature."""

    motif: Motif
    format: str
    table: dict[str, Translation]

    def summary(self) -> str:
        """The table as text, a line for each feature."""
        lines = [f"  {name:24} {status:12} {how}".rstrip() for name, (status, how) in self.table.items()]
        return "\n".join([f"{self.format}:", *lines])


def read(
    path,
    dt_ms: float | None = None,
    split: bool = False,
    inputs: tuple[str, ...] = (),
    outputs: tuple[str, ...] = (),
    spikes: str = "auto",
) -> Imported:
    """Import a motif from another tool's file or folder, with the translation of each of its features.

    Parameters
    ----------
    path : a .nir file, a SONATA folder or configuration, an edge list (.csv, .tsv), a .graphml file, or a motif file
    dt_ms : the time step [default: that of the file, or 0.1 ms]
    split : split a neuron that excites some and inhibits others, against Dale's law, into two
    inputs, outputs : of edge lists and GraphML, the names of nodes that are input channels, and of neurons that get an output
        port each
    spikes : of NIR, the unit of a spike: "pulses" of area 1, "steps" (1 for a step), or "auto", from the file's constants

    Raises
    ------
    UserError : one line, for a file of another format, damaged, too large, or with features that no motif can have
    MachineError : for a package that is missing

    Examples
    --------
    >>> circuits.imports.read("net.nir").motif          # doctest: +SKIP
    >>> print(circuits.imports.read("net.nir").summary())    # doctest: +SKIP
    """
    path = Path(path)
    kind = kind_of(path)
    if dt_ms is not None and not 0 < dt_ms <= 100:
        raise UserError(f"dt_ms: must be above 0 and at most 100, not {dt_ms!r}")
    if spikes not in SPIKES:
        raise UserError(f"spikes: one of {', '.join(SPIKES)}, not {spikes!r}")
    options: dict[str, Any] = {"inputs": tuple(inputs), "outputs": tuple(outputs), "spikes": spikes}
    for name, default in (("inputs", ()), ("outputs", ()), ("spikes", "auto")):
        if name not in OPTIONS.get(kind, ()) and options.pop(name) != default:
            raise UserError(f"{name}: {path} is of the format {kind}, which does not use it")
    report = Report(str(path))
    if kind == MOTIF:
        motif = motif_file.load(path)
        return Imported(motif, kind, report.table(motif))
    try:
        motif = import_module(MODULES[kind]).read(path, report, dt_ms, split, **options)
    except RecursionError:
        raise UserError(f"{path}: is nested too deeply") from None
    return Imported(motif, kind, report.table(motif))


def load(path) -> Motif:
    """Read a motif file, or a circuit of another tool (see `circuits.imports.read`); nothing in it is executed.

    Parameters
    ----------
    path : str or path-like
        A motif file, a NIR or GraphML file, an edge list, or the folder or configuration of a SONATA network. A warning on
        stderr names the features that could not be imported exactly.

    Returns
    -------
    Motif
        The circuit with its provenance.

    Raises
    ------
    circuits.errors.UserError
        With one line that names the file, the key, and what would be right.

    Examples
    --------
    >>> import circuits
    >>> path = circuits.save(circuits.zoo["onset-2"], "onset.json")
    >>> circuits.load(path).circuit.synapse_count
    3
    """
    if kind_of(Path(path)) == MOTIF:
        return motif_file.load(path)
    imported = read(path)
    changed = inexact(imported.table)
    if changed:
        say.warning("%s: not taken exactly: %s; evo import shows all", path, "; ".join(changed))
    return imported.motif


def named(name: str) -> Motif:
    """The motif that a command, spec or configuration names: a path as in `load`, or zoo:NAME."""
    return zoo[name.removeprefix(ZOO)] if name.startswith(ZOO) else load(name)


def kind_of(path: Path) -> str:
    """The format of a file or folder: a key of `MODULES`, else `MOTIF`, whose reader reports what is wrong."""
    if path.is_dir():
        if not is_network(path):
            raise UserError(f"{path}: cannot be read: it is a folder, not a file, and no SONATA network (no {CONFIGS[0]})")
        return "sonata"
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if not path.is_file():
        return MOTIF
    if is_hdf5(path):
        return "nir"
    if suffix == ".json":
        check_regular(path, MAX_BYTES)
        start = path.read_bytes()
        if b'"format"' not in start and any(key in start for key in (b'"networks"', b'"network"')):
            return "sonata"
    return MOTIF
