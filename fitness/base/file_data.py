"""Tasks over a file of the user's, which is kept with the run, is part of the run's digest, and is sent to the workers."""

from pathlib import Path, PurePath

from pydantic import Field, PrivateAttr

from circuits.files import read_bytes
from fitness.base.finite_data import FiniteData

FOLDER = "data"  # of a run, with the file
MAX_BYTES = 1 << 29  # of the file, which is held in memory and sent to every worker


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
