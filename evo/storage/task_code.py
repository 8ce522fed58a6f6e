"""The code of a run's own task, or the file that its task is over, in the folder of the run: kept there, and compared before a
line of it is executed.

A single file lies beside run.toml; a task of several files has the folder `task` for itself. The store has the digest of spec
and code together, by which a run goes on, and one of each file, by which the one that was changed can be named.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from circuits.errors import UserError
from circuits.files import read_bytes
from circuits.motif_file import write_whole
from evo.spec.run_spec import RunSpec
from evo.storage.store import Store
from fitness.file_data import FOLDER as DATA
from fitness.file_data import MOST
from fitness.registry import data_file
from fitness.sandbox.code import INIT, Code, digests, gather_whole, is_own, read_alone

FOLDER = "task"  # a file that a task is over has another, see `fitness.file_data`
FACT = "task_files"  # in the store: sha256 by path, as JSON


def kept(spec: RunSpec, code: Code) -> RunSpec:
    """The spec as it lies in the run folder, where the task has the name by which it is found there, and a file its path."""
    if data_file(spec.task) is not None:
        return spec.model_copy(update={"task": spec.task | {"file": code[0][0]}})
    where, _, class_name = spec.task["name"].rpartition(":")
    path = code[0][0]
    if len(code) > 1 or "/" in path:
        path = f"{FOLDER}/{path if where.endswith('.py') else path.removesuffix(f'/{INIT}')}"
    return spec.model_copy(update={"task": spec.task | {"name": f"{path}:{class_name}"}})


def keep(code: Code, folder: Path):
    """Write the code into a run folder. Raises UserError where others' files are in its place."""
    if len(code) == 1 and ("/" not in code[0][0] or code[0][0].startswith(f"{DATA}/")):
        write_whole(folder / code[0][0], code[0][1])
        return
    new, there = folder / f".{FOLDER}.part", folder / FOLDER
    shutil.rmtree(new, ignore_errors=True)
    for path, content in code:
        write_whole(new / path, content)
    try:
        if there.is_dir() and digests(gather_whole(FOLDER, there, code[0][0])) == digests(code):
            shutil.rmtree(there)
        os.rename(new, there)
    except (OSError, UserError):
        shutil.rmtree(new, ignore_errors=True)
        raise UserError(f"{there}: is there already, and is no copy of this task; choose another --out") from None


def stored_code(spec: RunSpec, folder: Path) -> Code | None:
    """The code of a run's task as it lies in its folder; None for a task that ships. Executes nothing. Raises UserError for a
    name that leads out of the folder, and for links."""
    name = spec.task["name"]
    if (file := data_file(spec.task)) is not None:
        if Path(file).parent.as_posix() == DATA and Path(file).name not in ("", ".", "..") and "\0" not in file:
            path = folder / file
            if path.is_symlink() or path.parent.is_symlink():
                raise UserError(f"{path}: is a link, which may lead out of the folder; put the file itself there")
            return ((Path(file).as_posix(), read_bytes(path, MOST)),)
        raise UserError(f"{folder / 'run.toml'}: task.file: {file!r} is no file that a run keeps in {DATA}/; undo the change")
    if not is_own(name):
        return None
    path, _, class_name = name.rpartition(":")
    parts = path.split("/")
    plain = class_name.isidentifier() and not any(part in ("", ".", "..") or "\0" in part for part in parts)
    if plain and len(parts) == 1 and path.endswith(".py"):
        return read_alone(name, folder, path)
    if plain and len(parts) > 1 and parts[0] == FOLDER:
        inner = "/".join(parts[1:])
        return gather_whole(name, folder / FOLDER, inner if inner.endswith(".py") else f"{inner}/{INIT}")
    raise UserError(
        f"{folder / 'run.toml'}: task.name: {name!r} is no file that a run keeps in its folder, FILE.py:CLASS or "
        f"{FOLDER}/...:CLASS; undo the change"
    )


def checked_code(spec: RunSpec, folder: Path) -> Code | None:
    """The same, known to be what the run began with: what is executed has to come from here. Raises UserError that names the
    file that was changed."""
    code = stored_code(spec, folder)
    if code is None:
        return None
    path = folder / "run.db"
    if not path.exists():
        raise UserError(
            f"{folder}: has no run.db, which says what its task's code was: that is not executed; begin again with "
            f"evo run {folder / 'run.toml'} --out ANOTHER"
        )
    with Store.open(path) as store:
        refuse_changes(spec, code, store, folder)
    return code


def forked_code(
    parent: RunSpec, spec: RunSpec, folder: Path, before_code: Callable[[str, Path], None] = lambda *_: None
) -> Code | None:
    """The code of the task of a fork, whose parent is in `folder`: the parent's, checked, or where the file was changed another
    one of the user's own, named from the working folder. `before_code` is called before any of it may be executed, with the
    task's name and the folder."""
    name = spec.task["name"]
    theirs, ours = (data_file(one.task) or one.task["name"].rpartition(":")[0] for one in (parent, spec))
    code = checked_code(parent, folder) if theirs == ours else None
    before_code(name, folder if theirs == ours else Path())
    return code if theirs == ours else spec.collect()


def refuse_changes(spec: RunSpec, code: Code | None, store: Store, folder: Path):
    """Raise UserError if spec or code are not those that the run began with."""
    if store.fact("spec_sha256") == spec.digest(code):
        return
    if code is None:
        changed = "run.toml: was"
    elif (then := _files_then(store)) is None:  # of a run by 0.4, a single file
        changed = f"{code[0][0]} or run.toml: one of them was"
    else:
        now = digests(code)
        files = sorted(path for path in then.keys() | now.keys() if then.get(path) != now.get(path))
        inside = f"{FOLDER}/" if spec.task["name"].startswith(f"{FOLDER}/") else ""
        more = f" (and {len(files) - 1} more)" if len(files) > 1 else ""
        changed = f"{inside}{files[0]}{more}: was" if files else "run.toml: was"
    raise UserError(f"{folder}/{changed} changed since the run began; undo the change, or start a new run from it")


def files_fact(code: Code) -> str:
    """What the store keeps of the code."""
    return json.dumps(digests(code))


def _files_then(store):
    stored = store.fact(FACT)
    if stored is None:
        return None
    try:
        found = json.loads(stored)
        if isinstance(found, dict) and all(isinstance(digest, str) for digest in found.values()):
            return found
    except (TypeError, ValueError):
        pass
    raise UserError(f"{store.path}: is damaged (no readable {FACT}); restore the folder from a copy")
