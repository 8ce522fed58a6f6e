"""Tasks over a file of the user's: it is kept with the run, is part of the run's digest, and is sent to the workers."""

from pathlib import Path, PurePath

from pydantic import Field, PrivateAttr

from circuits.files import read_bytes
from fitness.finite_data import FiniteData

FOLDER = "data"  # of a run, in which the file is kept
MOST = 1 << 29  # bytes of such a file: it is held in memory, and sent to every worker


class FileData(FiniteData):
    """Base of tasks that ship and are over a file. A subclass reads it by `content()`; `file` is sought beside the spec."""

    file: str = Field(description="the file, sought beside the spec; kept with the run, and sent to the workers")

    _content: bytes | None = PrivateAttr(None)
    _folder: Path = PrivateAttr(Path())

    def content(self) -> bytes:
        """Contents of the file: as they were given, else as they lie there."""
        if self._content is None:
            self._content = read_bytes(self._folder / self.file, MOST)
        return self._content

    def over(self, content: bytes | None = None, folder: Path = Path()):
        """Itself, over this content, or the file as it is found from `folder`."""
        self._content, self._folder = content, folder
        return self

    @property
    def folder(self) -> Path:
        """From where the file is sought."""
        return self._folder

    @property
    def file_name(self) -> str:
        """The file's name without its folder."""
        return PurePath(self.file).name
