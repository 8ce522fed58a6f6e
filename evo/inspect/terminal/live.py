"""Output of a running computation: a live table on a terminal, plain lines elsewhere."""

import time
from abc import ABC, abstractmethod

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

LINES_S = 5.0  # between lines


class LiveOutput(ABC):
    """A headline and a table below it, live on a terminal; elsewhere the headline every few seconds. A context manager."""

    def __init__(self, console: Console):
        self.console = console
        self.start = self.last_line = time.monotonic()
        self.live: Live | None = None

    @abstractmethod
    def _headline(self) -> str: ...

    @abstractmethod
    def _table(self) -> Table: ...

    def __enter__(self):
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            self.live = Live(console=self.console, refresh_per_second=2, get_renderable=self._drawn)
            self.live.start()
        return self

    def __exit__(self, *_):
        if self.live:
            self.live.stop()
        else:
            self._say(self._headline())

    def _say(self, text: str):
        self.console.print(text, highlight=False, soft_wrap=True, markup=False)

    def _update(self):
        """Print the headline, unless the output is live or the last line is recent."""
        if not self.live and time.monotonic() - self.last_line >= LINES_S:
            self.last_line = time.monotonic()
            self._say(self._headline())

    def _drawn(self):
        return Group(Text(self._headline(), style="bold", overflow="ellipsis", no_wrap=True), self._table())


def shortened(name: str, length: int) -> str:
    """A name of at most so many characters."""
    return name if len(name) <= length else f"{name[: length - 1]}…"


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours before them from the first on."""
    minutes, seconds = divmod(int(seconds + 0.5), 60)  # as the page rounds
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
