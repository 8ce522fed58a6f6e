"""The design of a study: specs, settings and seeds. It is stored in the study's folder as study.toml, which says everything
about the study except the code and the founders that specs may name: these are in the run folders."""

import math
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from itertools import count, product
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from circuits.errors import UserError, one_line
from circuits.files import read_text
from evo.spec.resolve import Resolved, resolve
from evo.spec.run_spec import RunSpec, parse

STUDY = "study.toml"
LARGEST = 100_000_000  # bytes of study.toml
MAX_RUNS = 1_000_000
TARGET = 0.9
LONGEST = 80  # characters of a folder's name, without the seed


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


class Arm(_Part):
    """A spec with its settings, run with every seed.

    name      its name, different from those of other arms;   stem  the beginning of its run folders' names
    given     the file or the name of the spec, as given
    settings  keys with their section, and values as TOML, that differ from the given spec
    sections  the spec with every default filled in
    """

    name: str
    stem: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+=-]*$")]
    given: str
    settings: dict[str, str]
    sections: dict[str, Any] = Field(alias="spec")

    @property
    def task(self) -> str:
        """The name of the task, or of another judge."""
        return str(self.sections.get("task", {}).get("name", self.sections.get("task", {}).get("judge", "")))

    def spec(self, seed: int) -> RunSpec:
        """The spec of the run with this seed. Raises UserError."""
        return parse(tomli_w.dumps(self.sections), f"{STUDY}: {self.name}", seed=seed)


class Design(_Part):
    """A whole study.

    seeds         of every arm
    target        the score on held-out trials that a run shall reach;   worst  the score in the worst condition
    until_target  is a run over once it has reached the target?
    versions      of evocircuits and its libraries when the study was begun
    """

    seeds: Annotated[list[Annotated[int, Field(ge=0, lt=2**63)]], Field(min_length=1)]
    target: float = TARGET
    worst: float | None = None
    until_target: bool = False
    versions: dict[str, str]
    arms: Annotated[list[Arm], Field(min_length=1)]

    @property
    def runs(self) -> list[tuple[Arm, int, str]]:
        """Every run: its arm, its seed and the name of its folder; all arms with the first seed come first."""
        return [(arm, seed, f"{arm.stem}-{seed}") for seed in self.seeds for arm in self.arms]

    def to_toml(self) -> str:
        """The design as TOML."""
        return tomli_w.dumps(self.model_dump(mode="json", by_alias=True, exclude_none=True))


def read_design(folder: Path) -> Design:
    """The design of the study in a folder. Raises UserError if it is missing or damaged."""
    path = folder / STUDY
    if not path.exists():
        raise UserError(f"{folder}: holds no study (there is no {STUDY})")
    try:
        design = Design.model_validate(tomllib.loads(read_text(path, LARGEST)))
    except ValidationError as error:
        raise UserError(f"{path}: {one_line(error, ())}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid TOML: {error}") from None
    names = [name for *_, name in design.runs]
    if len(set(names)) < len(names):
        raise UserError(f"{path}: two runs have the same folder; restore the file from a copy")
    return design


class GivenArm(NamedTuple):
    """An arm before its study is made: name and settings as in `Arm`, the given spec, and that spec checked."""

    name: str
    settings: dict[str, str]
    given: Any
    checked: Resolved


def arms(
    specs, settings: Mapping[str, Sequence[str]], before_code: Callable[[RunSpec, Path], None] = lambda *_: None
) -> list[GivenArm]:
    """Every spec with every combination of settings, checked.

    specs     several specs as `evo.run` takes them, or a mapping of names to these
    settings  keys of the spec with their section, and the values of each as TOML
    before_code  see `evo.spec.resolve.resolve`

    Raises UserError.
    """
    by_name = dict(specs) if isinstance(specs, Mapping) else dict(zip(_names(specs), specs, strict=True))
    if not by_name:
        raise UserError("a study: needs a spec")
    for key, values in settings.items():
        if not values:
            raise UserError(f"--set {key}: gives no value")
    if "search.seed" in settings:
        raise UserError("--set search.seed: a study has seeds of its own; choose them by --seeds, such as --seeds 11-30")
    varied = {key: key.rpartition(".")[2] for key, values in settings.items() if len(values) > 1}
    shown = {key: short if list(varied.values()).count(short) == 1 else key for key, short in varied.items()}
    given_arms = []
    for name, spec in by_name.items():
        for values in product(*settings.values()):
            changes = dict(zip(settings, values, strict=True))
            label = " ".join([name, *(f"{short}={changes[key]}" for key, short in shown.items())])
            given_arms.append(GivenArm(label, changes, spec, resolve(spec, changes, before_code)))
    return given_arms


def check_reachable(given_arms: Sequence[GivenArm], **scores: float | None):
    """Raise UserError for a score, by name, that no circuit can have."""
    bounded = any(arm.checked.spec.judge_class.unit_score for arm in given_arms)
    for name, score in scores.items():
        if score is not None and (not math.isfinite(score) or (bounded and not 0 < score <= 1)):
            raise UserError(f"--{name} {score:g}: must be above 0 and at most 1, the score of a perfect circuit")


def check_seeds(seeds: Sequence[int]) -> list[int]:
    """Seeds as numbers, each once. Raises UserError."""
    if not seeds or len(set(seeds)) < len(seeds) or not all(isinstance(k, int) and 0 <= k < 2**63 for k in seeds):
        raise UserError(f"--seeds {list(seeds)}: must be whole numbers from 0, each once")
    return list(seeds)


def stems(names: Sequence[str]) -> list[str]:
    """Different beginnings of the names of run folders, for arms of these names."""
    unique: list[str] = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9.+=]+", "-", name).strip("-.+=")[:LONGEST] or "run"
        used = {known.lower() for known in unique}  # some file systems ignore case
        unique.append(next(free for free in _numbered(plain) if free.lower() not in used))
    return unique


def _numbered(name):
    yield name
    yield from (f"{name}.{k}" for k in count(2))


def seeds_of(text: str) -> list[int]:
    """Seeds as the command takes them: 20 for 1 to 20, 11-30, or 1,5,9 and more of these. Raises UserError."""
    error = UserError(f"--seeds {text}: write how many, such as 20 for 1 to 20; or which, such as 11-30 or 3,5,8")
    seeds: list[int] = []
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        low, dash, high = part.partition("-")
        if not low.isdecimal() or (dash and not high.isdecimal()):
            raise error
        first, last = (int(low), int(high)) if dash else (int(low), int(low)) if len(parts) > 1 else (1, int(low))
        if not 0 <= last - first < MAX_RUNS:
            raise error
        seeds += range(first, last + 1)
    if len(set(seeds)) < len(seeds):
        raise UserError(f"--seeds {text}: names a seed twice")
    return seeds


def values_of(text: str) -> list[str]:
    """The values in a text, separated by commas outside brackets and quotes."""
    values, depth, quote, start = [], 0, "", 0
    for k, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter == "," and not depth:
            values.append(text[start:k].strip())
            start = k + 1
        depth += 0 if quote else (letter in "[{") - (letter in "]}")
    return [*values, text[start:].strip()]


def named(spec: Any) -> str:
    """The name of a spec as `evo.run` takes it."""
    if isinstance(spec, str | Path):
        return str(spec)
    task = spec.task if isinstance(spec, RunSpec) else spec.get("task", {}) if isinstance(spec, dict) else {}
    return str(task.get("name", task.get("judge", "spec")))


def _names(specs):
    """A name for each of the specs."""
    if isinstance(specs, str | Path | RunSpec):
        raise UserError(f"a study: give a list of specs, [{named(specs)!r}]")
    names = [named(spec) for spec in specs]
    names = [Path(name).stem if name.endswith(".toml") else name for name in names]
    return [name if names.count(name) == 1 else f"{name}.{names[:k].count(name) + 1}" for k, name in enumerate(names)]
