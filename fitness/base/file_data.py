"""Tasks over a file of the user's, which is kept with the run, is part of the run's digest, and is sent to the workers."""

from pathlib import Path, PurePath

from pydantic import Field, PrivateAttr

from circuits.files import read_bytes
from fitness.base.finite_data import FiniteData
from fitness.sandbox.code import Code

FOLDER = "data"  # of a run, with the file
MAX_BYTES = 1 << 29  # of the file, which is held in memory and sent to every worker


def code_and_data(source: Code, file: str | None) -> tuple[Code | None, Code | None]:
    """The user's own code, and the file of data of this name, if any; None where there is none."""
    path = None if file is None else f"{FOLDER}/{PurePath(file).name}"
    own = tuple(part for part in source if part[0] != path)
    data = tuple(part for part in source if part[0] == path)
    return own or None, data or None


def content_of(file: str, source: Code) -> bytes | None:
    """The content of a file of data, None where it is not in `source`."""
    _, data = code_and_data(source, file)
    return None if data is None else data[0][1]


def joined(own: Code | None, data: Code | None) -> Code | None:
    """The user's own code and the file of data in one code, see `code_and_data`."""
    return None if own is None and data is None else (*(own or ()), *(data or ()))


def read_data(file: str | None, folder: Path) -> Code | None:
    """A file of data, read relative to `folder`, in the form kept with a run; None for none."""
    return None if file is None else ((f"{FOLDER}/{PurePath(file).name}", read_bytes(folder / file, MAX_BYTES)),)


class FileData(FiniteData):
    """Base of built-in tasks over a file, which a subclass reads by `content()`; `file` is relative to the spec."""

    file: str = Field(description="the file, sought beside the spec; kept with the run, and sent to the workers")

    _content: bytes | None = PrivateAttr(None)
    _folder: Path = PrivateAttr(Path())

    def content(self) -> bytes:
        """Contents of the file, those given to `over` or else read from it."""
        if self._content is None:
            self._content = read_bytes(self._folder / self.file, MAX_BYTES)
        return self._content

    def over(self, content: bytes | None = None, folder: Path = Path()):
        """The task itself, set to this content, or else to the file relative to `folder`."""
        self._content, self._folder = content, folder
        return self

    @property
    def folder(self) -> Path:
        """The folder to which the file is relative."""
        return self._folder

    @property
    def file_name(self) -> str:
        """The file's name without its folder."""
        return PurePath(self.file).name
