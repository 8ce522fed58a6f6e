"""Reading HDF5 files that may be anybody's: plain data sets of numbers and text, from the file itself, and no more of them
than makes sense.

An HDF5 file can name other files (external links, external storage, virtual data sets) and can hold data far larger than
itself (compression): neither is followed or unpacked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from circuits.errors import MachineError, UserError
from circuits.files import check_regular

LARGEST = 256_000_000  # bytes of a file
MOST = 4_000_000  # numbers of one data set
TEXT = 64_000_000  # bytes of one text
MEMBERS = 100_000  # of a group
MAGIC = b"\x89HDF\r\n\x1a\n"


class Group:
    """A group of an open file. `place` is the path to it, for messages."""

    def __init__(self, node: Any, place: str):
        self._node, self.place = node, place

    def names(self) -> list[str]:
        """The names of what is in it, in the file's order."""
        if len(self._node) > MEMBERS:
            raise UserError(f"{self.place}: is too large: more than {MEMBERS:,} members")
        return [str(name) for name in self._node]

    def __contains__(self, name: str) -> bool:
        return self._member(name) is not None

    def groups(self) -> list[str]:
        """The names of the groups in it."""
        return [name for name in self.names() if self._is_group(name)]

    def group(self, name: str) -> "Group":
        """The group of this name. Raises UserError where there is none."""
        if not self._is_group(name):
            raise UserError(f"{self.place}: has no group {name!r}")
        return Group(self._node[name], f"{self.place}/{name}")

    def numbers(self, name: str, default: Any = None) -> np.ndarray:
        """A data set of numbers, float64 or int64; `default`, if given, where there is none."""
        found = self._read(name)
        if found is None:
            if default is None:
                raise UserError(f"{self.place}: has no {name!r}")
            return np.asarray(default)
        if found.dtype.kind not in "biuf":
            raise UserError(f"{self.place}/{name}: must hold numbers, not {found.dtype}")
        if found.dtype.kind == "f" and not np.isfinite(found).all():
            raise UserError(f"{self.place}/{name}: holds numbers that are not finite")
        if found.dtype.kind == "u" and found.size and found.max() > 2**62:
            raise UserError(f"{self.place}/{name}: holds numbers that are too large")
        return found.astype("f8" if found.dtype.kind == "f" else "i8")

    def texts(self, name: str, default: Any = None) -> np.ndarray:
        """A data set of texts, an object array of str; `default`, if given, where there is none."""
        found = self._read(name)
        if found is None:
            if default is None:
                raise UserError(f"{self.place}: has no {name!r}")
            return np.asarray(default, object)
        if found.dtype.kind not in "OSU":
            raise UserError(f"{self.place}/{name}: must hold text, not {found.dtype}")
        shown = [_text(value, f"{self.place}/{name}") for value in found.ravel().tolist()]
        if sum(map(len, shown)) > TEXT:
            raise UserError(f"{self.place}/{name}: is too large: more than {TEXT:,} bytes of text")
        texts = np.empty(found.size, object)
        texts[:] = shown
        return texts.reshape(found.shape)

    def text(self, name: str, default: str | None = None) -> str:
        """A single text."""
        found = self.texts(name, default)
        if found.size != 1:
            raise UserError(f"{self.place}/{name}: must hold one text")
        return str(found.ravel()[0])

    def is_text(self, name: str) -> bool:
        """Is there a data set of texts of this name?"""
        found = self._dataset(name)
        return found is not None and found.dtype.kind in "OSU"

    def attribute(self, name: str, key: str) -> str | None:
        """An attribute of the member `name`, as text; None where there is none."""
        member = self._member(name)
        if member is None or key not in member.attrs:
            return None
        try:
            value = np.asarray(member.attrs[key]).ravel()
        except (OSError, TypeError, ValueError, RuntimeError):
            return None
        return _text(value[0], f"{self.place}/{name}") if value.size == 1 else None

    def _is_group(self, name):
        member = self._member(name)
        return member is not None and hasattr(member, "keys")

    def _dataset(self, name):
        member = self._member(name)
        return member if member is not None and hasattr(member, "dtype") and hasattr(member, "shape") else None

    def _member(self, name):
        from h5py import h5l

        if "/" in name or name in (".", ""):
            return None
        try:
            kind = self._node.id.links.get_info(name.encode()).type
        except (KeyError, RuntimeError):
            return None
        if kind != h5l.TYPE_HARD:
            raise UserError(f"{self.place}/{name}: is a link, and links are not followed; put the data in its place")
        return self._node[name]

    def _read(self, name):
        data = self._dataset(name)
        if data is None:
            return None
        if data.is_virtual or data.external:
            raise UserError(f"{self.place}/{name}: lies in another file, which is not read")
        if data.shape is None or data.size > MOST or data.size * data.dtype.itemsize > LARGEST:
            what = "holds nothing" if data.shape is None else f"is too large: {data.size:,} values, at most {MOST:,}"
            raise UserError(f"{self.place}/{name}: {what}")
        return np.asarray(data[()])


@contextmanager
def opened(path, install: str) -> Iterator[Group]:
    """The root of an HDF5 file, open for reading. Raises UserError for what is no such file or is damaged, MachineError where
    h5py is missing: `install` is the remedy."""
    path = Path(path)
    check_regular(path, LARGEST)
    try:
        import h5py
    except ModuleNotFoundError:
        raise MachineError(f"{path}: reading it needs h5py, which is not installed: {install}") from None
    try:
        with h5py.File(path, "r") as file:
            yield Group(file, str(path))
    except UserError:
        raise
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, UnicodeError, OverflowError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path}: no HDF5 file, or damaged: {said}") from None


def is_hdf5(path) -> bool:
    """Does a file begin as HDF5 files do?"""
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def _text(value, place):
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise UserError(f"{place}: a text is not in UTF-8") from None
    return str(value)
