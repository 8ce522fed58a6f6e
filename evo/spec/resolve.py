"""The spec of a search from a file, a built-in spec, a dict of sections, a RunSpec, or the name of a task."""

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


class Resolved(NamedTuple):
    """spec  as resolved;   source  the user's own code, or None;   stem  for the name of the run
    ships   is it a built-in spec, in place of a file that does not exist?"""

    spec: RunSpec
    source: Code | None
    stem: str
    ships: bool = False


def resolve(
    what,
    changes: dict[str, str] | None = None,
    before_code: Callable[[RunSpec, Path], None] = lambda *_: None,
    **overrides,
) -> Resolved:
    """The spec given by `what`, checked, its task and bounds included.

    what       a path to a TOML file; a dict, {"task": {"name": "itd"}, "search": {...}}; a RunSpec; or the name of a built-in
               task, "itd", for the spec that `evo new itd` writes. A path runs/NAME.toml that does not exist stands for the
               built-in spec of that name (`shipped`).
    changes    keys of the spec with their section, and values as TOML, as of `evo run --set`
    before_code  called with the spec and the folder of the user's own code, before any of it may be executed
    overrides  keys of [search]; those that are None are left out

    The user's own code and founders are relative to the folder of the spec, or to the working folder for a dict or RunSpec. The
    code is executed, the founders are checked; `evo.spec.founders.founders` returns them.
    Raises UserError with one line that names the place, the key and the remedy.
    """
    where, folder, stem, text, ships = "the spec", Path(), "run", "", False
    if isinstance(what, RunSpec):
        text = what.to_toml()
    elif isinstance(what, dict):
        text = as_toml(what)
    elif isinstance(what, str | Path):
        where, folder, stem = str(what), Path(what).parent, Path(what).stem
        built_in = None if Path(what).exists() else starter(where) if where in (*BUILT_IN, LEARNING) else shipped(where)
        text, ships = (read_text(what, LARGEST), False) if built_in is None else (built_in, True)
    else:
        raise UserError(f"a run starts from a path, a dict, a RunSpec or the name of a task, not from {type(what).__name__}")
    spec = parse(text, where, **overrides)
    if changes:
        spec = changed(spec, changes)
    if not isinstance(what, str | Path):
        stem = spec.judged_by.rpartition("/")[2].partition(".")[0]
    before_code(spec, folder)
    source = checked_with_task(spec, folder, where)
    founders(spec, spec.make_judge(source).interface, folder, where)
    return Resolved(spec, source, stem, ships)


def shipped(name: str) -> str | None:
    """The text of a built-in spec: runs/TASK.toml, which `evo new TASK` writes; runs/zoo/NAME.toml, with which motifs of the
    zoo were evolved, for a TASK that of version 0.4; and that of zoo:MOTIF. None where there is no such spec."""
    if name.startswith(ZOO):
        name = zoo.card(name.removeprefix(ZOO)).made.spec
    path = Path(name)
    if path.suffix != ".toml" or path.parent.as_posix() not in ("runs", "runs/zoo"):
        return None
    if path.stem in BUILT_IN:
        return starter(path.stem, growing=path.parent.name == "runs")
    if path.parent.name == "runs":
        return None
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
    """The value with lists for tuples, Python's numbers for numpy's, and without keys that are None, which TOML lacks."""
    if isinstance(value, dict):
        if any(not isinstance(key, str) for key in value):
            raise TypeError("a key is no text")
        return {key: _plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
