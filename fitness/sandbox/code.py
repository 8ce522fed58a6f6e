"""The user's own code of a task, or of another part of a search: its files and their contents. Nothing here executes it.

A task is a file (agree.py:Agree) with the modules beside it that it imports and the files beside it that it reads, or a whole
package (mytask:Agree, mytask/trials.py:Agree).
"""

import ast
import hashlib
import importlib.util
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from circuits.errors import UserError

# (path, content) of each file, the path with / and relative to the folder that modules are imported from; the file with the
# class comes first. Only tuples and bytes, since a worker reads them before it has any of our modules.
Code = tuple[tuple[str, bytes], ...]

TASK = "task"
MAX_BYTES, MAX_FILES = 64 << 20, 2_000
INIT = "__init__.py"
NEVER_BESIDE = sys.stdlib_module_names | {"circuits", "fitness", "evo"}  # modules that no file beside a task replaces


class Location(NamedTuple):
    """Location of the class of a task: `file`, a path below `root`, the folder that its modules are imported from. `package` is
    the outermost package that holds the file, None for none."""

    root: Path
    file: str
    package: str | None

    @property
    def path(self) -> Path:
        return self.root / self.file


def is_own(name: str) -> bool:
    """Does the name mean the user's own code, FILE.py:CLASS or PACKAGE:CLASS?"""
    return ":" in name


def locate(name: str, folder: Path, what: str = TASK) -> Location:
    """Locate the user's own `name` relative to `folder`; what: its kind, for messages. Raises UserError where there is none."""
    where, _, class_name = name.rpartition(":")
    if not where or not class_name.isidentifier():
        kind, example = ("class", "my_task.py:MyTask") if what == TASK else ("function or class", "mine.py:name")
        raise UserError(f"{what} {name}: name the file and the {kind} in it, such as {example}, or a package and its {kind}")
    path = folder / where
    if not where.endswith(".py"):
        if path.is_dir() and not (path / INIT).is_file():
            raise UserError(
                f"{what} {name}: {path} holds no {INIT}: name the file in it, {where.rstrip('/')}/FILE.py:{class_name}"
            )
        path = path / INIT
    if not os.path.lexists(path):
        raise UserError(
            f"{what} {name}: {path if where.endswith('.py') else path.parent} cannot be read: No such file or directory"
        )
    path = Path(os.path.abspath(path))
    root = path.parent
    while (root / INIT).is_file() and root != root.parent:
        root = root.parent
    file = path.relative_to(root)
    return Location(root, file.as_posix(), file.parts[0] if len(file.parts) > 1 else None)


def gather(name: str, folder: Path, read: Iterable[str] = (), what: str = TASK) -> Code:
    """The code of a task: its package or, for a file, the modules beside it that it imports, directly or not, and the files
    `read`, paths below its folder. Raises UserError for a file that cannot be read, and for too many or too large files."""
    where = locate(name, folder, what)
    files = _Files(f"{what} {name}", where.root)
    files.add(where.file)
    if where.package:
        files.add_folder(where.package)
    scanned = 0
    while scanned < len(files.contents):
        path, content = list(files.contents.items())[scanned]
        scanned += 1
        for module in _imported(path, content):
            files.add_module(module)
    for path in read:
        files.add(path)
    return files.code()


def gather_whole(name: str, root: Path, file: str) -> Code:
    """All files below a folder that holds only a task's code; links are refused."""
    files = _Files(f"{TASK} {name}", root, links=False)
    files.add(file)
    files.add_folder("")
    return files.code()


def read_alone(name: str, root: Path, file: str) -> Code:
    """A single file, which must not be a link."""
    files = _Files(f"{TASK} {name}", root, links=False)
    files.add(file)
    return files.code()


def merged(first: Code, other: Code) -> Code:
    """The files of both codes, which have the same root; the first file stays the first."""
    files = dict(first) | dict(other)
    return (first[0], *sorted((path, content) for path, content in files.items() if path != first[0][0]))


def led_by(code: Code, name: str, what: str) -> Code:
    """The same files in the order that begins with the file of the user's own `name`. Raises UserError."""
    path_of_name = name.rpartition(":")[0].rstrip("/")
    file = path_of_name if path_of_name.endswith(".py") else f"{path_of_name}/{INIT}"
    candidates = [path for path, _ in code if file == path or file.endswith(f"/{path}")]
    if not candidates:
        raise UserError(f"{what} {name}: is not among the files that are kept with the run")
    first = max(candidates, key=len)
    return ((first, dict(code)[first]), *sorted(file for file in code if file[0] != first))


def digests(code: Code) -> dict[str, str]:
    """sha256 of each file by its path, sorted."""
    return {path: hashlib.sha256(content).hexdigest() for path, content in sorted(code)}


def identity(code: str | Code) -> str | dict[str, str]:
    """Identity of this code: the text of a single file, the digests of several."""
    if isinstance(code, str):
        return code
    if len(code) == 1:
        try:
            text = code[0][1].decode("utf-8-sig")
        except UnicodeDecodeError:
            return digests(code)
        return text.replace("\r\n", "\n").replace("\r", "\n")
    return digests(code)


def beside(root: Path, module: str) -> Path | None:
    """The file or folder below `root` that `import module` means; None if it means an installed module."""
    if module in NEVER_BESIDE:
        return None
    folder, file = root / module, root / f"{module}.py"
    if (folder / INIT).is_file():
        return folder
    if file.is_file():
        return file
    if folder.is_dir() and any(folder.glob("*.py")):  # a folder of modules, unless there is a package of that name
        spec = importlib.util.find_spec(module)
        if spec is None or spec.origin is None:
            return folder
    return None


class _Files:
    """Files below a folder, limited in number and size."""

    def __init__(self, name, root, links=True):
        self.name, self.root, self.links = name, root, links
        self.contents: dict[str, bytes] = {}
        self.bytes = 0

    def code(self):
        first, *others = self.contents
        return ((first, self.contents[first]), *((path, self.contents[path]) for path in sorted(others)))

    def add(self, path):
        if path in self.contents:
            return
        if len(self.contents) == MAX_FILES:
            raise UserError(f"{self.name}: more than {MAX_FILES:,} files in {self.root}: give the task a folder of its own")
        content = self._read(self.root / path)
        self.bytes += len(content)
        self.contents[path] = content

    def add_folder(self, path, above=()):
        """Add all files in a folder, without hidden ones and Python's caches."""
        folder = self.root / path
        if not self.links and folder.is_symlink():
            raise UserError(f"{self.name}: {folder} is a link, which may lead out of the folder; put the folder itself there")
        try:
            real, entries = os.path.realpath(folder), sorted(os.listdir(folder))
        except OSError as error:
            raise UserError(f"{self.name}: {folder} cannot be read: {error.strerror}") from None
        if real in above:
            raise UserError(f"{self.name}: {folder} is a link to a folder that holds it")
        for entry in entries:
            if entry.startswith(".") or entry == "__pycache__" or entry.endswith(".pyc"):
                continue
            inner = f"{path}/{entry}" if path else entry
            if (self.root / inner).is_dir():
                self.add_folder(inner, (*above, real))
            else:
                self.add(inner)

    def add_module(self, module):
        path = beside(self.root, module)
        if path is not None:
            relative = path.relative_to(self.root).as_posix()
            self.add(relative) if path.suffix == ".py" and path.is_file() else self.add_folder(relative)

    def _read(self, path):
        where = f"{self.name}: {path}"
        try:
            # not to wait for the writer of a pipe
            file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if self.links else os.O_NOFOLLOW))
        except OSError as error:
            if not self.links and path.is_symlink():
                raise UserError(f"{where} is a link, which may lead out of the folder; put the file itself there") from None
            raise UserError(f"{where} cannot be read: {error.strerror}") from None
        with open(file, "rb") as stream:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise UserError(f"{where} cannot be read: it is no regular file")
            space = MAX_BYTES - self.bytes
            try:
                content = stream.read(space + 1) if status.st_size <= space else None
            except OSError as error:
                raise UserError(f"{where} cannot be read: {error.strerror}") from None
        if content is None or len(content) > space:
            raise UserError(
                f"{self.name}: {self.root} holds more than the {MAX_BYTES >> 20} MB that a task may consist of, "
                f"{path.name} included: leave out of the folder what is not read, or read it by its whole path"
            )
        return content


def _imported(path, content):
    """The top names of modules that a Python file imports absolutely or, outside packages, relatively."""
    if not path.endswith(".py"):
        return
    try:
        nodes = list(ast.walk(ast.parse(content)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # execution reports the fault
        return
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.level == 0 or (node.level == 1 and "/" not in path)):
            yield from [node.module.partition(".")[0]] if node.module else (alias.name for alias in node.names)
