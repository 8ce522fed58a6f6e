"""Tables and notes for the terminal."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def plain_table(headings: Iterable[str], left: Iterable[str] = (), **options: Any) -> Table:
    """An empty table without lines; columns are right-aligned, those in `left` left-aligned. options: of all columns."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(Text(heading), justify="left" if heading in left else "right", **options)
    return table


def note(console: Console, text: str):
    """Print a note below a table."""
    console.print(text, style="dim", highlight=False, markup=False)
