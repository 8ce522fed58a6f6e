"""Text files of the user's: UTF-8, with or without a byte order mark."""

from pathlib import Path

from circuits.errors import UserError

_MARK = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_text(path) -> str:
    """The text of a file. Raises UserError with one line that names it."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    return decoded(content, str(path))


def decoded(content: bytes, place: str, what: str = "text file") -> str:
    """The text in these bytes, without the byte order mark that some editors write. Raises UserError that names `place` and
    says that it is not `what`."""
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
