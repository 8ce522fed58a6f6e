"""The two ways things go wrong that are not our fault, and how what others wrote or found is shown in one line."""

from difflib import get_close_matches

from pydantic import ValidationError


def harmless(text: str, but: str = "") -> str:
    """A text that may come from a stranger, as it may be shown: what is no visible character (line ends, the codes that
    terminals act on, marks that turn the direction of writing) as its escape, such as \\x1b; `but` are left as they are."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in but else c.encode("unicode_escape").decode("ascii") for c in text)


class UserError(ValueError):
    """Bad input: the one-line message names the place, what is wrong and what would be right. The command exits with 2."""

    def __init__(self, message: object = ""):
        super().__init__(_line(message))


class MachineError(RuntimeError):
    """A fault of the surroundings (disk, lock, network, missing package): one line with the remedy. Exit code 1."""

    def __init__(self, message: object = ""):
        super().__init__(_line(message))


def _line(message):
    return harmless(" ".join(part for part in str(message).splitlines() if part))


def one_line(error: ValidationError, known_keys=()) -> str:
    """The first finding of a pydantic error as `place: what is wrong`, with a suggestion for a misspelt key.

    known_keys: the keys that would be right, for a suggestion and a list.
    """
    found = error.errors(include_url=False)[0]
    place = ""
    for part in found["loc"]:
        text = part if str(part).isprintable() else repr(part)  # keys may come from strangers: stay on one line
        place += f"[{part}]" if isinstance(part, int) else f".{text}" if place else str(text)
    message = str(found["msg"]).removeprefix("Value error, ")
    if found["type"] == "extra_forbidden":
        message = "unknown key"
        close = get_close_matches(str(found["loc"][-1]), known_keys, n=1)
        if close:
            message += f"; did you mean {close[0]}?"
        elif known_keys:
            message += f"; known are {', '.join(known_keys)}"
    elif found["type"] == "missing":
        message = "is missing"
    elif found["type"] not in ("value_error", "json_invalid"):
        given = repr(found["input"])
        message = f"{message[0].lower()}{message[1:]}, not {given if len(given) < 60 else given[:57] + '...'}"
    more = len(error.errors()) - 1
    return (f"{place}: " if place else "") + message + (f" (and {more} more)" if more else "")
