"""Reading untrusted HDF5 files: plain data sets of numbers and text, from the file itself and up to a size.

An HDF5 file can name other files (external links, external storage, virtual data sets) and can hold data far larger than
itself (compression): neither is followed or unpacked.
"""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from circuits.errors import UserError
from circuits.files import check_regular
from circuits.imports.hdf5_heaps import MAGIC, check_heaps
from circuits.optional import optional

MAX_BYTES = 256_000_000  # of a file
MAX_VALUES = 4_000_000  # of one data set
MAX_TEXT_BYTES = 64_000_000  # of one data set of texts
MAX_MEMBERS = 100_000  # of a group


class Group:
    """A group of an open file. `location` is its path, for messages."""

    def __init__(self, node: Any, location: str):
        self._node, self.location = node, location

    def names(self) -> list[str]:
        """The names of the group's members, in the file's order."""
        if len(self._node) > MAX_MEMBERS:
            raise UserError(f"{self.location}: is too large: more than {MAX_MEMBERS:,} members")
        return [str(name) for name in self._node]

    def __contains__(self, name: str) -> bool:
        return self._member(name) is not None

    def groups(self) -> list[str]:
        """The names of the groups in the group."""
        return [name for name in self.names() if self._is_group(name)]

    def group(self, name: str) -> "Group":
        """The group of this name. Raises UserError where there is none."""
        if not self._is_group(name):
            raise UserError(f"{self.location}: has no group {name!r}")
        return Group(self._node[name], f"{self.location}/{name}")

    def numbers(self, name: str, default: Any = None) -> np.ndarray:
        """A data set of numbers, float64 or int64; the default where there is none."""
        values = self._read(name)
        if values is None:
            if default is None:
                raise UserError(f"{self.location}: has no {name!r}")
            return np.asarray(default)
        if values.dtype.kind not in "biuf":
            raise UserError(f"{self.location}/{name}: must hold numbers, not {values.dtype}")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise UserError(f"{self.location}/{name}: holds numbers that are not finite")
        if values.dtype.kind == "u" and values.size and values.max() > 2**62:
            raise UserError(f"{self.location}/{name}: holds numbers that are too large")
        return values.astype("f8" if values.dtype.kind == "f" else "i8")

    def texts(self, name: str, default: Any = None) -> np.ndarray:
        """A data set of texts, an object array of str; the default where there is none."""
        raw = self._read(name)
        if raw is None:
            if default is None:
                raise UserError(f"{self.location}: has no {name!r}")
            return np.asarray(default, object)
        if raw.dtype.kind not in "OSU":
            raise UserError(f"{self.location}/{name}: must hold text, not {raw.dtype}")
        strings = [_text(value, f"{self.location}/{name}") for value in raw.ravel().tolist()]
        if sum(map(len, strings)) > MAX_TEXT_BYTES:
            raise UserError(f"{self.location}/{name}: is too large: more than {MAX_TEXT_BYTES:,} bytes of text")
        texts = np.empty(raw.size, object)
        texts[:] = strings
        return texts.reshape(raw.shape)

    def text(self, name: str, default: str | None = None) -> str:
        """A single text."""
        texts = self.texts(name, default)
        if texts.size != 1:
            raise UserError(f"{self.location}/{name}: must hold one text")
        return str(texts.ravel()[0])

    def is_text(self, name: str) -> bool:
        """Is there a data set of texts of this name?"""
        dataset = self._dataset(name)
        return dataset is not None and dataset.dtype.kind in "OSU"

    def attribute(self, name: str, key: str) -> str | None:
        """An attribute of the member `name`, as text; None where there is none."""
        member = self._member(name)
        if member is None or key not in member.attrs:
            return None
        try:
            value = np.asarray(member.attrs[key]).ravel()
        except (OSError, TypeError, ValueError, RuntimeError):
            return None
        return _text(value[0], f"{self.location}/{name}") if value.size == 1 else None

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
            raise UserError(f"{self.location}/{name}: is a link, and links are not followed; copy the data into the file")
        return self._node[name]

    def _read(self, name):
        dataset = self._dataset(name)
        if dataset is None:
            return None
        if dataset.is_virtual or dataset.external:
            raise UserError(f"{self.location}/{name}: lies in another file, which is not read")
        if dataset.shape is None or dataset.size > MAX_VALUES or dataset.size * dataset.dtype.itemsize > MAX_BYTES:
            size = (
                "holds nothing" if dataset.shape is None else f"is too large: {dataset.size:,} values, at most {MAX_VALUES:,}"
            )
            raise UserError(f"{self.location}/{name}: {size}")
        return np.asarray(dataset[()])


@contextmanager
def opened(path, install: str) -> Iterator[Group]:
    """The root of an HDF5 file, open for reading. Raises UserError for a damaged file or one of another format, MachineError
    with the remedy `install` where h5py is missing."""
    path = Path(path)
    check_regular(path, MAX_BYTES)
    h5py = optional("h5py", f"{path}:", install)
    if is_hdf5(path):
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            check_heaps(content, str(path))
    try:
        with h5py.File(path, "r") as file:
            yield Group(file, str(path))
    except UserError:
        raise
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, UnicodeError, OverflowError) as error:
        message = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path}: no HDF5 file, or damaged: {message}") from None


def is_hdf5(path) -> bool:
    """Does the file begin with the signature of HDF5?"""
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def _text(value, location):
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise UserError(f"{location}: a text is not in UTF-8") from None
    return str(value)
