"""The JSON documents of a store: a declared type for each, by which pydantic checks keys, types and ranges."""

from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any, NotRequired

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Json, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from circuits.circuit import Sampled
from circuits.errors import UserError, one_line
from fitness.base.trials import Interface

STRICT = ConfigDict(strict=True, allow_inf_nan=False)
NAMES, NAME = 10_000, 1000  # channels or ports of a task, characters of a name
TEXT = 100_000  # characters of a docstring
STEPS = 10**7  # of a trial

Count = Annotated[int, Field(ge=0, le=2**53)]
Seconds = Annotated[float, Field(ge=0)]
Name = Annotated[str, Field(min_length=1, max_length=NAME)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@with_config(STRICT)
class Row(TypedDict):
    """Log entry of a generation, see `evo.engine.island`."""

    generation: Count
    evaluations: Count
    repeats: Count
    simulated: Annotated[float, Field(ge=0, le=1.000001)]
    failed: Count
    fault: NotRequired[Annotated[str, Field(max_length=NAME)]]
    best: float
    median: float
    losses: list[float]
    archive: Count
    validation: float
    held_out: float
    worst: NotRequired[float]
    wirings: NotRequired[Count]


Log = Annotated[list[Row], Field(min_length=1)]


@with_config(STRICT)
class Epoch(TypedDict):
    """A row of the table `epoch`, see `evo.storage.store`."""

    island: Count
    epoch: Count
    generation: Count
    evaluations: Count
    elapsed: Seconds
    timings: Json[dict[Name, Seconds]]
    log: Json[Log]


class Origin(BaseModel):
    """The parent of a forked run."""

    model_config = STRICT
    run: Annotated[str, Field(max_length=NAME)]
    spec_sha256: Digest
    archive_sha256: Digest
    generation: Count


class _Founder(BaseModel):
    """A founder: its name in the spec, and the digest of its circuit (`circuits.motif_file.digest`)."""

    model_config = STRICT
    name: Name
    sha256: Digest


class Founded(BaseModel):
    """Founders of a run whose spec names some; `count` of each island's initial circuits are founders or, in turn, mutants of
    each."""

    model_config = STRICT
    founders: Annotated[list[_Founder], Field(min_length=1, max_length=NAMES)]
    count: Annotated[int, Field(ge=1, le=NAMES * 10)]


class _Signal(Sampled):
    """Source of a sampled channel, with names of limited length."""

    model_config = STRICT
    of: Name
    unit: Annotated[str, Field(max_length=NAME)]


class _Interface(BaseModel):
    """An `Interface`, stored as a list."""

    model_config = STRICT
    title: Annotated[str, Field(max_length=NAME)]
    inputs: Annotated[list[Name], Field(max_length=NAMES)]
    outputs: Annotated[list[Name], Field(min_length=1, max_length=NAMES)]
    dt_ms: Annotated[float, Field(gt=0, le=100)]
    duration_ms: Annotated[float, Field(ge=0)]
    sampled: Annotated[list[_Signal], Field(max_length=NAMES)] = []


def _named(parts):
    if not isinstance(parts, list) or not len(Interface._fields) - 1 <= len(parts) <= len(Interface._fields):
        raise ValueError(f"must be a list of {', '.join(Interface._fields)}")
    return dict(zip(Interface._fields, parts, strict=False))  # before version 0.6 nothing was sampled


class About(BaseModel):
    """Description of a task, see `fitness.analysis.about`."""

    model_config = STRICT
    text: Annotated[str, Field(max_length=TEXT)] = ""
    judged: Annotated[str, Field(max_length=TEXT)] = ""
    wanted: dict[Annotated[str, Field(max_length=NAME)], Annotated[list[Name], Field(max_length=NAMES)]] = {}


class Facts(BaseModel):
    """The table `run`."""

    model_config = STRICT
    spec_sha256: Digest
    interface: Json[Annotated[_Interface, BeforeValidator(_named)]]
    examples: bytes | None = None
    versions: Json[dict[Name, str]]
    heritage: bytes | None = None
    conditions: Json[Annotated[list[tuple[Name, Count]], Field(max_length=NAMES)]] = []
    about: Json[About] | None = None


def facts(rows: dict[str, Any], where) -> Facts:
    """The table `run` of a store, checked. Raises UserError, which begins with `where`."""
    return _valid(Facts, rows, where, "the table run")


def interface(facts: Facts, where) -> Interface:
    """The interface in the table `run`, checked."""
    stored = facts.interface
    steps = stored.duration_ms / stored.dt_ms
    whole = steps == 0 or (0.5 < steps <= STEPS and abs(steps - round(steps)) < 1e-6 * steps)
    repeated = any(len(set(names)) < len(names) for names in (stored.inputs, stored.outputs))
    if not whole or repeated or len(stored.sampled) > len(stored.inputs):
        raise damaged(where, "the interface of its task")
    sampled = tuple(Sampled(**signal.model_dump()) for signal in stored.sampled)
    return Interface(stored.title, tuple(stored.inputs), tuple(stored.outputs), stored.dt_ms, stored.duration_ms, sampled)


def log(value: list, where) -> list[Row]:
    """The log of an epoch in a state, checked."""
    return _valid(Log, value, where, "the log in a state")


def epochs(rows: Iterable[dict], where) -> list[Epoch]:
    """Rows of the table `epoch`, checked."""
    return _valid(list[Epoch], list(rows), where, "the log of an epoch")


def origin(value: Any, where) -> dict:
    """The parent or the founders of a run, checked, as plain JSON."""
    return _valid(Origin | Founded, value, where, "the parent or the founders").model_dump()


def damaged(where, what: str) -> UserError:
    """The error for a store with contents that no run can have stored."""
    return UserError(f"{where}: is damaged ({what}); restore the folder from a copy")


def _valid(kind, value, where, what):
    try:
        return _adapter(kind).validate_python(value)
    except ValidationError as error:
        raise damaged(where, f"{what}: {one_line(error)}") from None


@cache
def _adapter(kind):
    return TypeAdapter(kind)
