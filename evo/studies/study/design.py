"""The design of a study: which specs with which settings, and which seeds. It lies in the study's folder as study.toml, which
says everything about the study but the code and the founders that specs may name: these lie in the run folders."""

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
from evo.spec.given import Given, given
from evo.spec.run_spec import RunSpec, parse

STUDY = "study.toml"
LARGEST = 100_000_000  # bytes of that
MOST = 1_000_000  # runs
TARGET = 0.9
LONGEST = 80  # characters of a folder's name, without the seed


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


class Arm(_Part):
    """A spec with its settings, which is run with every seed.

    name      what tells it from the other arms;   stem  what the names of its run folders begin with
    given     the file or the name of the spec, as it was given
    settings  keys of the spec with their section, and values as TOML, by which it differs from the spec that was given
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

    seeds         those of every arm
    target        the score on held-out trials that a run shall reach;   worst  likewise that in the worst condition
    until_target  is a run over once it has reached the target?
    versions      of evocircuits and of what it computes with, when the study was begun
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
    """The design of the study in a folder. Raises UserError where there is none, or a damaged one."""
    path = folder / STUDY
    if not path.exists():
        raise UserError(f"{folder}: holds no study (there is no {STUDY})")
    try:
        found = Design.model_validate(tomllib.loads(read_text(path, LARGEST)))
    except ValidationError as error:
        raise UserError(f"{path}: {one_line(error, ())}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid TOML: {error}") from None
    names = [name for *_, name in found.runs]
    if len(set(names)) < len(names):
        raise UserError(f"{path}: two runs have the same folder; restore the file from a copy")
    return found


class GivenArm(NamedTuple):
    """An arm before its study is made: its name and settings as of `Arm`, what was given, and the spec that this stands for."""

    name: str
    settings: dict[str, str]
    given: Any
    checked: Given


def arms(
    specs, settings: Mapping[str, Sequence[str]], before_code: Callable[[RunSpec, Path], None] = lambda *_: None
) -> list[GivenArm]:
    """Every spec with every combination of settings, checked.

    specs     what `evo.run` takes, several of them; or a mapping of names to such
    settings  keys of the spec with their section, and the values of each as TOML
    before_code  see `evo.spec.given.given`

    Raises UserError.
    """
    by_name = dict(specs) if isinstance(specs, Mapping) else dict(zip(_names(specs), specs, strict=True))
    if not by_name:
        raise UserError("a study: name a spec")
    for key, values in settings.items():
        if not values:
            raise UserError(f"--set {key}: gives no value")
    varied = {key: key.rpartition(".")[2] for key, values in settings.items() if len(values) > 1}
    shown = {key: short if list(varied.values()).count(short) == 1 else key for key, short in varied.items()}
    found = []
    for name, what in by_name.items():
        for values in product(*settings.values()):
            changes = dict(zip(settings, values, strict=True))
            label = " ".join([name, *(f"{short}={changes[key]}" for key, short in shown.items())])
            found.append(GivenArm(label, changes, what, given(what, changes, before_code)))
    return found


def check_reachable(found: Sequence[GivenArm], **scores: float | None):
    """Raise UserError for a score, by what it is called, that no circuit of a task can have."""
    for name, score in scores.items():
        if score is None:
            continue
        if not math.isfinite(score) or (any(arm.checked.spec.is_task for arm in found) and not 0 < score <= 1):
            raise UserError(f"--{name} {score:g}: must be above 0 and at most 1, the score of a perfect circuit")


def check_seeds(seeds: Sequence[int]) -> list[int]:
    """Seeds as numbers, each once. Raises UserError."""
    if not seeds or len(set(seeds)) < len(seeds) or not all(isinstance(k, int) and 0 <= k < 2**63 for k in seeds):
        raise UserError(f"--seeds {list(seeds)}: must be whole numbers from 0, each once")
    return list(seeds)


def stems(names: Sequence[str]) -> list[str]:
    """What the names of run folders begin with, each another one, for arms of these names."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9.+=]+", "-", name).strip("-.+=")[:LONGEST] or "run"
        taken = {known.lower() for known in found}  # some file systems know no case
        found.append(next(free for free in _numbered(plain) if free.lower() not in taken))
    return found


def _numbered(name):
    yield name
    yield from (f"{name}.{k}" for k in count(2))


def seeds_of(text: str) -> list[int]:
    """Seeds as the command takes them: 20 for 1 to 20, 11-30, or 1,5,9 and more of these. Raises UserError."""
    wrong = UserError(f"--seeds {text}: write how many, such as 20 for 1 to 20; or which, such as 11-30 or 3,5,8")
    found: list[int] = []
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        low, dash, high = part.partition("-")
        if not low.isdecimal() or (dash and not high.isdecimal()):
            raise wrong
        first, last = (int(low), int(high)) if dash else (int(low), int(low)) if len(parts) > 1 else (1, int(low))
        if not 0 <= last - first < MOST:
            raise wrong
        found += range(first, last + 1)
    if len(set(found)) < len(found):
        raise UserError(f"--seeds {text}: names a seed twice")
    return found


def values_of(text: str) -> list[str]:
    """The values in a text, apart by commas outside brackets and quotes."""
    found, depth, quote, begin = [], 0, "", 0
    for k, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter == "," and not depth:
            found.append(text[begin:k].strip())
            begin = k + 1
        depth += 0 if quote else (letter in "[{") - (letter in "]}")
    return [*found, text[begin:].strip()]


def named(what: Any) -> str:
    """What a spec is called that `evo.run` takes."""
    if isinstance(what, str | Path):
        return str(what)
    task = what.task if isinstance(what, RunSpec) else what.get("task", {}) if isinstance(what, dict) else {}
    return str(task.get("name", task.get("judge", "spec")))


def _names(specs):
    """A name for each of the specs."""
    if isinstance(specs, str | Path | RunSpec):
        raise UserError(f"a study: give a list of specs, [{named(specs)!r}]")
    names = [named(what) for what in specs]
    names = [Path(name).stem if name.endswith(".toml") else name for name in names]
    return [name if names.count(name) == 1 else f"{name}.{names[:k].count(name) + 1}" for k, name in enumerate(names)]
