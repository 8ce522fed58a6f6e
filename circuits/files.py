"""Reading untrusted files: regular files only, up to a size; and which paths are streams."""

import io
import os
import stat
import zipfile
from pathlib import Path

import numpy as np

from circuits.errors import UserError

_MARK = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
MAX_UNPACKED = 4 << 30  # bytes of the arrays of an .npz file
MAX_BYTES = 64_000_000  # the default limit: motif files, specs, tables


def read_bytes(path, limit: int = MAX_BYTES) -> bytes:
    """Read a file's bytes. Raises UserError for a missing or unreadable file, a folder, a pipe, a device, and for more than
    `limit` bytes."""
    path = Path(path)
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise UserError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:  # a pipe is opened without waiting for whoever writes into it
        _check(path, os.fstat(file), limit)
    except UserError:
        os.close(file)
        raise
    with open(file, "rb") as stream:
        try:
            content = stream.read(limit + 1)
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > limit:
        raise UserError(f"{path}: is too large: more than {limit:,} bytes")
    return content


def read_text(path, limit: int = MAX_BYTES) -> str:
    """Read a file's text, as `decoded` does."""
    return decoded(read_bytes(path, limit), str(path))


def decoded(content: bytes, where: str, kind: str = "text file") -> str:
    """Decode UTF-8 without its byte order mark. Raises UserError that names the file (`where`) and its `kind`."""
    if content.startswith(_UTF16) or _looks_like_utf16(content):
        raise UserError(f"{where}: is UTF-16; save it as UTF-8")
    try:
        text = content.removeprefix(_MARK).decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UserError(f"{where}: not a {kind} in UTF-8 (line {line}); save it as UTF-8") from None
    return text.replace("\r\n", "\n")


def npz_arrays(content: bytes, name: str, limit: int = MAX_UNPACKED) -> dict[str, np.ndarray]:
    """The arrays of an .npz file, at most `limit` bytes, without pickle. Raises UserError that names the file."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > limit:
                raise UserError(f"{name}: holds more than {limit >> 30} GB")
        with np.load(io.BytesIO(content), allow_pickle=False) as opened:
            return {key: opened[key] for key in opened.files}
    except UserError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError, KeyError) as error:
        reason = "it holds objects, which are not read" if "allow_pickle" in str(error) else str(error)
        raise UserError(f"{name}: is no NPZ file of numbers and texts: {reason}") from None


def _looks_like_utf16(content):
    """Is every other byte of the start zero, as in Latin text without a byte order mark?"""
    start = content[:64]
    return len(start) >= 4 and (not any(start[::2]) or not any(start[1::2]))


def check_regular(path, limit: int | None = None):
    """Raise UserError unless the path is a regular file of at most `limit` bytes; for files that other packages open."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    _check(path, status, limit)


def _check(path, status, limit):
    if stat.S_ISDIR(status.st_mode):
        raise UserError(f"{path}: cannot be read: it is a folder, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise UserError(
            f"{path}: cannot be read: it is not a regular file but a pipe or a device; copy its contents into a file"
        )
    if limit is not None and status.st_size > limit:
        raise UserError(f"{path}: is too large: {status.st_size:,} bytes, at most {limit:,}")


def is_stream(path) -> bool:
    """Is the path a pipe, a character device or a socket, which a written file must not replace? Links to one count only in
    /dev and /proc (/dev/stdout)."""
    path = Path(path)
    try:
        if path.is_symlink() and not str(path.absolute()).startswith(("/dev/", "/proc/")):
            return False
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)
