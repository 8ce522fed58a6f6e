"""The motif file: a circuit with its provenance as versioned JSON. Reading one executes no code."""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError, field_validator

from circuits.circuit import Circuit
from circuits.errors import MachineError, UserError, one_line
from circuits.files import decoded, is_stream, read_bytes
from circuits.part import Part, prose

VERSION: Final = 1
TIMING_RULE: Final = "iaf_psc_exp"


class Parent(Part):
    """The circuit that a motif was derived from, by pruning or by a search that started with it."""

    sha256: str = Field(description="digest of the circuit")
    name: str | None = None


class Provenance(Part):
    """Provenance of a motif. Everything is optional: a motif written by hand has no run."""

    run: str | None = None
    spec_sha256: str | None = None
    seed: int | None = None
    island: int | None = None
    generation: int | None = None
    task: dict[str, Any] | None = Field(None, description="name and settings of the task it was evolved for")
    scores: dict[str, float | None] | None = None
    versions: dict[str, str] | None = None
    parent: Parent | None = None
    timing_rule: Literal["iaf_psc_exp"] = TIMING_RULE

    @field_validator("task")
    @classmethod
    def _plain_json(cls, task):
        try:
            json.dumps(task, allow_nan=False)
        except (TypeError, ValueError):
            raise ValueError("must be plain JSON without NaN and infinity") from None
        return task


class Motif(Circuit):
    """A circuit saved with its provenance.

    Parameters
    ----------
    dt_ms, neuron_model, noise_mv, neurons, inputs, synapses, outputs : see `Circuit`
        The circuit.
    format : str
        "motif".
    version : int
        Version of the motif file, 1.
    provenance : Provenance
        The run, task, seed, scores and versions that the circuit comes from; all of them optional.

    Examples
    --------
    >>> import circuits
    >>> motif = circuits.zoo["gate-3"]
    >>> motif.provenance.task["name"], motif.circuit
    ('gate', <Circuit 2 E, 1 I, 6 synapses, inputs ['a', 'b', 'control'], outputs ['out'], dt 0.5 ms>)
    """

    format: Literal["motif"] = "motif"
    version: Literal[1] = VERSION
    provenance: Provenance = Provenance()

    @field_validator("version", mode="before")
    @classmethod
    def _known_version(cls, version):
        if isinstance(version, int) and version > VERSION:
            raise ValueError(f"{version} is from a newer evocircuits (this one reads {VERSION}); update evocircuits to open it")
        return version

    @property
    def circuit(self) -> Circuit:
        """The circuit alone."""
        return Circuit.model_construct(**{name: getattr(self, name) for name in Circuit.model_fields})

    @classmethod
    def of(cls, circuit: Circuit, **provenance) -> "Motif":
        """Make a motif of a circuit.

        Parameters
        ----------
        circuit : Circuit
            The circuit.
        **provenance
            Fields of the provenance, such as `run`, `seed` or `task`.

        Returns
        -------
        Motif
            The circuit with this provenance.
        """
        fields = {name: getattr(circuit, name) for name in Circuit.model_fields}
        return cls(**fields, provenance=Provenance(**provenance))


_FIELDS = ("format", "version", *Circuit.model_fields, "provenance")
_REQUIRED = ("version", "dt_ms", "neuron_model", "neurons", "inputs", "synapses", "outputs")


def dumps(motif: Motif) -> str:
    """The motif as JSON text, keys in the documented order, without absent features (noise, plasticity)."""
    data = motif.model_dump(mode="json", exclude_none=True)
    if motif.provenance.scores is not None:
        data["provenance"]["scores"] = motif.provenance.scores  # None: not measured
    if motif.provenance.task is not None:
        data["provenance"]["task"] = motif.provenance.task
    if not motif.noise_mv:
        del data["noise_mv"]
    return json.dumps({name: data[name] for name in _FIELDS if name in data}, indent=1, allow_nan=False) + "\n"


def digest(circuit: Circuit) -> str:
    """The sha256, hexadecimal, of a circuit's motif file without provenance; it depends on names and the order of parts."""
    alone = json.loads(dumps(Motif.of(circuit)))
    del alone["provenance"]
    return hashlib.sha256(json.dumps(alone, sort_keys=True).encode()).hexdigest()


def loads(text: str | bytes, where: str = "motif") -> Motif:
    """Parse and validate motif JSON; a UserError names the file (`where`), the key and the problem."""
    text = decoded(text, where, "motif file") if isinstance(text, bytes) else text.removeprefix("\ufeff")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not a motif file, or cut short: {error}") from None
    if not isinstance(data, dict) or data.get("format") != "motif":
        raise UserError(f'{where}: not a motif file (it has no "format": "motif")')
    if missing := [key for key in _REQUIRED if key not in data]:
        raise UserError(f"{where}: {missing[0]}: is missing")
    try:
        return Motif.model_validate_json(text, strict=True, context="file")
    except ValidationError as error:
        raise UserError(f"{where}: {one_line(error)}") from None


def load(path) -> Motif:
    """Read a motif file; nothing in it is executed.

    Parameters
    ----------
    path : str or path-like
        The file.

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
    text = read_bytes(path)
    if not text.strip():
        raise UserError(f"{path}: is empty, not a motif file")
    return loads(text, str(path))


def save(motif: Motif | Circuit, path) -> Path:
    """Write a motif file, whole or not at all.

    Parameters
    ----------
    motif : Motif or Circuit
        A circuit alone gets an empty provenance.
    path : str or path-like
        The file; an existing file is replaced.

    Returns
    -------
    pathlib.Path
        The path of the file.

    Raises
    ------
    circuits.errors.MachineError
        If the file cannot be written.

    Examples
    --------
    >>> import circuits
    >>> circuits.save(circuits.zoo["onset-2"], "onset.json").name
    'onset.json'
    """
    if not isinstance(motif, Motif):
        motif = Motif.of(motif)
    return write_whole(path, dumps(motif))


def write_whole(path, content: str | bytes) -> Path:
    """Write a file atomically, by renaming a temporary file beside it. Pipes and devices (/dev/stdout, /dev/null), which a file
    must not replace, are written directly."""
    path = Path(path)
    content = content.encode() if isinstance(content, str) else content
    if is_stream(path):
        _write_stream(path, content)
        return path
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise MachineError(f"{path}: cannot be written: {error.strerror}") from None
    return path


def _write_stream(path, content):
    try:
        end = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe that nobody reads is an error, not a wait
        with open(end, "wb") as file:
            if hasattr(os, "set_blocking"):
                os.set_blocking(end, True)
            file.write(content)
    except OSError as error:
        raise MachineError(f"{path}: cannot be written: {error.strerror}") from None


def schema() -> dict:
    """The JSON Schema of the motif file, version 1."""
    document = Motif.model_json_schema()
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    document["title"] = "evocircuits motif file, version 1"
    for part in (document, *document["$defs"].values()):
        if "description" in part:  # the docstring, without its numpydoc sections
            part["description"] = prose(part["description"])
    document["required"] = ["format", *_REQUIRED]
    return document
