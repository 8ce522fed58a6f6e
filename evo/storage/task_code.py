"""The user's own code of a run, or the file of a task over a file, in the run folder: kept there, and compared before any of it
is executed.

A single file lies beside run.toml; a task of several files has the folder `task`. The store has the digest of spec and code
together, which must match for a run to go on, and one of each file, to name the one that was changed.
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
from fitness.base.file_data import FOLDER as DATA
from fitness.base.file_data import MAX_BYTES, code_and_data, joined, read_data
from fitness.base.task import Task
from fitness.sandbox.code import INIT, Code, digests, gather_whole, led_by, read_alone

BeforeCode = Callable[[RunSpec, Path], None]

FOLDER = "task"  # of code; the file of a task over a file is in another, see `fitness.base.file_data`
FACT = "task_files"  # in the store: sha256 by path, as JSON


def kept(spec: RunSpec, code: Code) -> RunSpec:
    """The spec with the names that the user's own code and data have in the run folder."""
    names = {}
    own, data = code_and_data(code, spec.data_file)
    alone = own is not None and len(own) == 1 and "/" not in own[0][0]
    for key, name in spec.own_code.items():
        where, _, inner = name.rpartition(":")
        path = led_by(own or (), name, key)[0][0]
        if not alone:
            path = f"{FOLDER}/{path if where.endswith('.py') else path.removesuffix(f'/{INIT}')}"
        names[key] = f"{path}:{inner}"
    if data is not None:
        names[f"task.{spec.judge_class.data_key(spec.task)}"] = data[0][0]
    return spec.with_own(names)


def keep(spec: RunSpec, code: Code, folder: Path):
    """Write the user's own code and data of `spec` into a run folder. Raises UserError where other files are in the way."""
    own, data = code_and_data(code, spec.data_file)
    for path, content in data or ():
        write_whole(folder / path, content)
    if own is not None:
        _keep_own(own, folder)


def _keep_own(code, folder):
    if len(code) == 1 and "/" not in code[0][0]:
        write_whole(folder / code[0][0], code[0][1])
        return
    new, target = folder / f".{FOLDER}.part", folder / FOLDER
    shutil.rmtree(new, ignore_errors=True)
    for path, content in code:
        write_whole(new / path, content)
    try:
        if target.is_dir() and digests(gather_whole(FOLDER, target, code[0][0])) == digests(code):
            shutil.rmtree(target)
        os.rename(new, target)
    except (OSError, UserError):
        shutil.rmtree(new, ignore_errors=True)
        raise UserError(f"{target}: is there already, and is no copy of this task; choose another --out") from None


def stored_code(spec: RunSpec, folder: Path) -> Code | None:
    """The user's own code and data in a run folder; None where all is built in. Executes nothing. Raises UserError for names
    that lead out of the folder, and for links."""
    return joined(_stored_own(spec, folder), _stored_data(spec, folder))


def _stored_data(spec, folder):
    """The file of a task over a file, in the run folder."""
    file = spec.data_file
    if file is None:
        return None
    if Path(file).parent.as_posix() != DATA or Path(file).name in ("", ".", "..") or "\0" in file:
        where = f"{folder / 'run.toml'}: task.{spec.judge_class.data_key(spec.task)}"
        raise UserError(f"{where}: {file!r} is no file that a run keeps in {DATA}/; undo the change")
    path = folder / file
    if path.is_symlink() or path.parent.is_symlink():
        raise UserError(f"{path}: is a link, which may lead out of the folder; put the file itself there")
    return ((Path(file).as_posix(), read_bytes(path, MAX_BYTES)),)


def _stored_own(spec, folder):
    names: dict[str, str] = {}
    for key, name in spec.own_code.items():
        names.setdefault(_place(key, name, folder), name)
    if not names:
        return None
    first, name = next(iter(names.items()))
    if len(names) == 1 and "/" not in first:
        return read_alone(name, folder, first)
    outside = next((name for path, name in names.items() if "/" not in path), None)
    if outside is not None:
        raise _misplaced("task", outside, folder)
    inner = first.removeprefix(f"{FOLDER}/")
    return gather_whole(name, folder / FOLDER, inner if inner.endswith(".py") else f"{inner}/{INIT}")


def _place(key, name, folder):
    """The path of a name in a run folder, a file or a package."""
    path, _, inner = name.rpartition(":")
    parts = path.split("/")
    plain = inner.isidentifier() and not any(part in ("", ".", "..") or "\0" in part for part in parts)
    if not plain or not (path.endswith(".py") if len(parts) == 1 else parts[0] == FOLDER):
        raise _misplaced(key, name, folder)
    return path


def _misplaced(key, name, folder):
    return UserError(
        f"{folder / 'run.toml'}: {key}: {name!r} is no file that a run keeps in its folder, FILE.py:NAME or "
        f"{FOLDER}/...:NAME; undo the change"
    )


def checked_code(spec: RunSpec, folder: Path) -> Code | None:
    """The user's own code and data in a run folder, unchanged since the run began; only these may be executed. Raises UserError
    that names the file that was changed."""
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


def checked_task(spec: RunSpec, folder: Path, missing: str, before_code: BeforeCode | None = None) -> Task:
    """The task of a run. Its own code, if it has any, is executed if it is unchanged; `before_code` is called before that, with
    the spec and the folder. Raises UserError, also where a run's circuits are judged otherwise, with `missing`, the reason
    why a task is needed."""
    if not spec.judge_class.simulates:
        raise UserError(f"{folder}: its circuits are judged by {spec.judged_by}, which is no task: {missing}")
    code = checked_code(spec, folder)
    if code is not None and before_code:
        before_code(spec, folder)
    return spec.make_task(code)


def forked_code(
    parent: RunSpec, spec: RunSpec, folder: Path, before_code: Callable[[RunSpec, Path], None] = lambda *_: None
) -> Code | None:
    """The user's own code and data of a fork, whose parent is in `folder`: the parent's, checked, or other files that the spec
    names, relative to the working folder. `before_code` is called with the spec and the folder before any code may be
    executed."""
    old, new = ({name.rpartition(":")[0] for name in s.own_code.values()} for s in (parent, spec))
    file, same = spec.data_file, spec.data_file == parent.data_file
    if not new and file is None:
        return None
    inherited = checked_code(parent, folder) if (new and new == old) or (file is not None and same) else None
    own, data = (None, None) if inherited is None else code_and_data(inherited, parent.data_file)
    if new:
        before_code(spec, folder if new == old else Path())
    if new != old:
        own = spec.collect_code()
    return joined(own if new else None, data if same else read_data(spec.data_file, Path()))


def refuse_changes(spec: RunSpec, code: Code | None, store: Store, folder: Path):
    """Raise UserError if spec or code are not those that the run began with."""
    if store.fact("spec_sha256") == spec.digest(code):
        return
    if code is None:
        changed = "run.toml: was"
    elif (then := _files_then(store)) is None:  # a run of 0.4, with a single file
        changed = f"{code[0][0]} or run.toml: one of them was"
    else:
        now = digests(code)
        files = sorted(path for path in then.keys() | now.keys() if then.get(path) != now.get(path))
        inside = f"{FOLDER}/" if any(name.startswith(f"{FOLDER}/") for name in spec.own_code.values()) else ""
        more = f" (and {len(files) - 1} more)" if len(files) > 1 else ""
        changed = f"{inside}{files[0]}{more}: was" if files else "run.toml: was"
    raise UserError(f"{folder}/{changed} changed since the run began; undo the change, or start a new run from it")


def files_fact(code: Code) -> str:
    """The digests of the code, as kept in the store."""
    return json.dumps(digests(code))


def _files_then(store):
    stored = store.fact(FACT)
    if stored is None:
        return None
    try:
        files = json.loads(stored)
        if isinstance(files, dict) and all(isinstance(digest, str) for digest in files.values()):
            return files
    except (TypeError, ValueError):
        pass
    raise UserError(f"{store.path}: is damaged (no readable {FACT}); restore the folder from a copy")
