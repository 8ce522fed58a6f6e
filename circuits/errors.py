"""The two kinds of errors that are no bugs, and messages of one line from untrusted text and pydantic errors."""

from collections.abc import Collection
from difflib import get_close_matches

from pydantic import ValidationError


def harmless(text: str, but: str = "") -> str:
    """Untrusted text, safe to print: unprintable characters (line ends, terminal codes) not in `but` are escaped (\\x1b)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in but else c.encode("unicode_escape").decode("ascii") for c in text)


class UserError(ValueError):
    """Bad input: a one-line message of where, what is wrong and what would be right. Commands exit with code 2."""

    def __init__(self, message: object = ""):
        super().__init__(_line(message))


class MachineError(RuntimeError):
    """A fault of the environment (disk, lock, network, missing package): one line with the remedy. Exit code 1."""

    def __init__(self, message: object = ""):
        super().__init__(_line(message))


def _line(message):
    return harmless(" ".join(part for part in str(message).splitlines() if part))


def hint(name: str, known: Collection[str], own: str = "") -> str:
    """The known name that is close to this one, else all known names and `own`."""
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}{own}"


def one_line(error: ValidationError, known_keys=()) -> str:
    """The first problem of a pydantic error as `key: what is wrong`; `known_keys` are suggested for a misspelt key."""
    problem = error.errors(include_url=False)[0]
    location = ""
    for part in problem["loc"]:
        text = part if str(part).isprintable() else repr(part)  # keys may come from strangers: stay on one line
        location += f"[{part}]" if isinstance(part, int) else f".{text}" if location else str(text)
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = "unknown key" + (f"; {hint(str(problem['loc'][-1]), known_keys)}" if known_keys else "")
    elif problem["type"] == "missing":
        message = "is missing"
    elif problem["type"] not in ("value_error", "json_invalid"):
        value = repr(problem["input"])
        message = f"{message[0].lower()}{message[1:]}, not {value if len(value) < 60 else value[:57] + '...'}"
    more = len(error.errors()) - 1
    return (f"{location}: " if location else "") + message + (f" (and {more} more)" if more else "")
