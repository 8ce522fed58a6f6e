"""Motifs from what other tools wrote: NIR graphs, SONATA networks, edge lists and GraphML, one file here per format.

A format's module has one function, `read(path, report, dt_ms, split, ...)`, that returns the motif and tells the report what it
had to change. `read` here finds the format, `load` is what `circuits.load` is.
"""

import logging
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from circuits import motif_file
from circuits.errors import UserError
from circuits.export.features import Kept
from circuits.files import MOST, check_regular
from circuits.imports.hdf5 import is_hdf5
from circuits.imports.report import Report, inexact
from circuits.imports.sonata_files import CONFIGS, is_network
from circuits.motif_file import Motif
from circuits.zoo import ZOO, zoo

MOTIF = "motif"  # a file of our own
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
    """A motif from another tool's file: its format, and what became of each feature."""

    motif: Motif
    format: str
    table: dict[str, Kept]

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
    """Read a motif from the file or folder of another tool, and what became of each of its features.

    Parameters
    ----------
    path : a .nir file, a SONATA folder or configuration, an edge list (.csv, .tsv), a .graphml file, or a motif file
    dt_ms : the time step [default: what the file tells, or 0.1 ms]
    split : make two neurons of one that excites some and inhibits others, against Dale's law
    inputs, outputs : of edge lists and GraphML, the names of nodes that are input channels, and of neurons that are read, each
        by an output port of its own
    spikes : of NIR, what a spike is: "pulses" of area 1, "steps" (1 for a step), or "auto", what the file's constants tell

    Raises
    ------
    UserError : one line, for a file that is none of these, is damaged or too large, or has what no motif can have
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
    given = {"inputs": tuple(inputs), "outputs": tuple(outputs), "spikes": spikes}
    default: dict[str, Any] = {"inputs": (), "outputs": (), "spikes": "auto"}
    own = {name: given[name] for name in OPTIONS.get(kind, ())}
    for name, value in given.items():
        if name not in own and value != default[name]:
            raise UserError(f"{name}: {path} is of the format {kind}, which has no use for it")
    report = Report(str(path))
    if kind == MOTIF:
        motif = motif_file.load(path)
        return Imported(motif, kind, report.table(motif))
    try:
        motif = import_module(MODULES[kind]).read(path, report, dt_ms, split, **own)
    except RecursionError:
        raise UserError(f"{path}: is too deep to be read") from None
    return Imported(motif, kind, report.table(motif))


def load(path) -> Motif:
    """Read a motif file, or a circuit of another tool (see `circuits.imports.read`); nothing in it is executed.

    Parameters
    ----------
    path : str or path-like
        A motif file, a NIR or GraphML file, an edge list, or the folder or configuration of a SONATA network. What a motif
        cannot hold exactly is said in one line on stderr.

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
    found = read(path)
    changed = inexact(found.table)
    if changed:
        say.warning("%s: not taken exactly: %s; evo import shows all", path, "; ".join(changed))
    return found.motif


def named(name: str) -> Motif:
    """The motif that MOTIF stands for in commands, specs and configurations: a path as of `load`, or zoo:NAME."""
    return zoo[name.removeprefix(ZOO)] if name.startswith(ZOO) else load(name)


def kind_of(path: Path) -> str:
    """The format of a file or folder: `MOTIF` or a key of `MODULES`. What it cannot tell counts as a motif file, whose reader
    says what is wrong."""
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
        check_regular(path, MOST)
        start = path.read_bytes()
        if b'"format"' not in start and any(key in start for key in (b'"networks"', b'"network"')):
            return "sonata"
    return MOTIF
