"""Tables for the terminal."""

from collections.abc import Iterable
from typing import Any

from rich.table import Table


def plain_table(headings: Iterable[str], left: Iterable[str] = (), **options: Any) -> Table:
    """An empty table without lines; columns are right-aligned, those in `left` left-aligned. options: of all columns."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in left else "right", **options)
    return table
