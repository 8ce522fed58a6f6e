"""Reading files that may be anybody's: ordinary ones alone, and no more of them than makes sense; and what is no file."""

import os
import stat
from pathlib import Path

from circuits.errors import UserError

_MARK = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
MOST = 64_000_000  # bytes of a file that a person or a program of ours has written


def read_bytes(path, most: int = MOST) -> bytes:
    """Read a file's bytes. Raises UserError for one that is not there or cannot be read, for a folder, a pipe or a device, and
    for one of more than `most` bytes."""
    path = Path(path)
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise UserError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:  # a pipe is opened without waiting for whoever writes into it
        _check(path, os.fstat(file), most)
    except UserError:
        os.close(file)
        raise
    with open(file, "rb") as opened:
        try:
            found = opened.read(most + 1)
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    if len(found) > most:
        raise UserError(f"{path}: is too large: more than {most:,} bytes")
    return found


def read_text(path, most: int = MOST) -> str:
    """The same as text, see `decoded`."""
    return decoded(read_bytes(path, most), str(path))


def decoded(content: bytes, place: str, what: str = "text file") -> str:
    """The UTF-8 text in these bytes, without the byte order mark that some editors write. Raises UserError that names `place`
    and says that it is not `what`."""
    if content.startswith(_UTF16) or _looks_like_utf16(content):
        raise UserError(f"{place}: is UTF-16; save it as UTF-8")
    try:
        text = content.removeprefix(_MARK).decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UserError(f"{place}: not a {what} in UTF-8 (line {line}); save it as UTF-8") from None
    return text.replace("\r\n", "\n")


def _looks_like_utf16(content):
    """Every other byte of its start is zero: text of a Latin script without a mark."""
    start = content[:64]
    return len(start) >= 4 and (not any(start[::2]) or not any(start[1::2]))


def check_regular(path, most: int | None = None):
    """Raises UserError for what is no ordinary file, or has more than `most` bytes, before somebody else opens it."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    _check(path, found, most)


def _check(path, found, most):
    if stat.S_ISDIR(found.st_mode):
        raise UserError(f"{path}: cannot be read: it is a folder, not a file")
    if not stat.S_ISREG(found.st_mode):
        raise UserError(f"{path}: cannot be read: it is no ordinary file (a pipe or a device); write what it gives into one")
    if most is not None and found.st_size > most:
        raise UserError(f"{path}: is too large: {found.st_size:,} bytes, at most {most:,}")


def is_stream(path) -> bool:
    """Is it a pipe, a character device or a socket, which a written file must not replace? A link to one counts where the
    system keeps such links (/dev/stdout), not in a folder that may be anybody's."""
    path = Path(path)
    try:
        if path.is_symlink() and not str(path.absolute()).startswith(("/dev/", "/proc/")):
            return False
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)
