"""The spec that a search is started from: a file, one that ships, a dict of its sections, a RunSpec, or the name of a task."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w

from circuits.errors import UserError
from circuits.files import read_text
from circuits.zoo import ZOO, zoo
from evo.spec.founders import founders
from evo.spec.run_spec import LARGEST, RunSpec, changed, checked_with_task, parse
from evo.spec.starter import starter
from fitness.judges import LEARNING
from fitness.sandbox.code import Code
from fitness.tasks import BUILT_IN


class Given(NamedTuple):
    """spec  as resolved;   source  the code of the user's own task, or None;   stem  what to call the run
    ships   is it one that ships, in place of a file that is not there?"""

    spec: RunSpec
    source: Code | None
    stem: str
    ships: bool = False


def given(
    what,
    changes: dict[str, str] | None = None,
    before_code: Callable[[RunSpec, Path], None] = lambda *_: None,
    **overrides,
) -> Given:
    """The spec that `what` stands for, checked, its task and bounds included.

    what       a path to a TOML file; the same as a dict, {"task": {"name": "itd"}, "search": {...}}; a RunSpec; or the name of
               a task that ships, "itd", for the spec that `evo new itd` writes. A path runs/NAME.toml that is not there stands
               for the spec of that name that ships (`shipped`).
    changes    keys of the spec with their section, and values as TOML, as of `evo run --set`
    before_code  called with the spec and the folder in which code of the user's own is sought, before any of it may be executed
    overrides  keys of [search]; those that are None are left out

    The file of a task of the user's own is sought beside the spec, of a dict or RunSpec in the working folder, and executed.
    Founders are sought there as well, and checked; `evo.spec.founders.founders` gives them.
    Raises UserError with one line that names the place, the key and the remedy.
    """
    place, folder, stem, text, ships = "the spec", Path(), "run", "", False
    if isinstance(what, RunSpec):
        text = what.to_toml()
    elif isinstance(what, dict):
        text = as_toml(what)
    elif isinstance(what, str | Path):
        place, folder, stem = str(what), Path(what).parent, Path(what).stem
        found = None if Path(what).exists() else starter(place) if place in (*BUILT_IN, LEARNING) else shipped(place)
        text, ships = (read_text(what, LARGEST), False) if found is None else (found, True)
    else:
        raise UserError(f"a run starts from a path, a dict, a RunSpec or the name of a task, not from {type(what).__name__}")
    spec = parse(text, place, **overrides)
    if changes:
        spec = changed(spec, changes)
    if not isinstance(what, str | Path):
        stem = spec.judged_by.rpartition("/")[2].partition(".")[0]
    before_code(spec, folder)
    source = checked_with_task(spec, folder, place)
    founders(spec, spec.make_judge(source).interface, folder, place)
    return Given(spec, source, stem, ships)


def shipped(name: str) -> str | None:
    """The text of a spec that ships: of runs/TASK.toml, which is what `evo new TASK` writes; of runs/zoo/NAME.toml, by which
    motifs of the zoo were found; and of zoo:MOTIF. None where there is no such spec."""
    if name.startswith(ZOO):
        name = zoo.card(name.removeprefix(ZOO)).made.spec
    path = Path(name)
    if path.suffix != ".toml" or path.parent.as_posix() not in ("runs", "runs/zoo"):
        return None
    if path.parent.name == "runs":
        return starter(path.stem) if path.stem in BUILT_IN else None
    file = zoo.folder / "specs" / path.name
    return read_text(file) if file.is_file() else None


def as_changes(settings) -> dict[str, str]:
    """Settings KEY=VALUE, as --set takes them, as a dict. Raises UserError."""
    changes = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UserError(f"--set {setting}: write KEY=VALUE, such as search.seed=2")
        changes[key.strip()] = value.strip()
    return changes


def as_toml(sections: dict[str, Any]) -> str:
    """Sections of a spec as TOML. Raises UserError."""
    try:
        return tomli_w.dumps(_plain(sections))
    except (TypeError, ValueError) as error:
        raise UserError(f"the spec: {error}: a dict holds what TOML does: text, numbers, lists and dicts") from None


def _plain(value):
    """Tuples as lists, numpy's numbers as Python's, and keys that are None left out: TOML has none of these."""
    if isinstance(value, dict):
        if any(not isinstance(key, str) for key in value):
            raise TypeError("a key is no text")
        return {key: _plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
