"""Rows of results in files, JSON lines or CSV, so that a stopped benchmark goes on where it was; and tables of them."""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any


def json_rows(path: Path) -> list[dict]:
    return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def add_json(path: Path, row: dict):
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def csv_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a file, none where there is no file."""
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) if path.exists() else []


def write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]):
    """Write a file; of floats four digits."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *map(_cells, rows)])


def add_csv(path: Path, row: dict[str, Any]):
    """Add a row, below a head if the file is new; of floats four digits."""
    new = not path.exists()
    with open(path, "a", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([*([row] if new else []), _cells(row.values())])


def merge_csv(path: Path, head: Sequence[str], rows: Sequence[Sequence[str]], key: int, order: Callable[[Sequence[str]], Any]):
    """Write rows into a table, in place of those with the same first `key` cells; `order` gives the place of a row. Where the
    table's rows were made before a column was, they are empty."""
    new = {tuple(row[:key]) for row in rows}
    before = [tuple(old.get(column, "") for column in head) for old in csv_rows(path)]
    write_csv(path, head, sorted([*(old for old in before if old[:key] not in new), *rows], key=order))


def markdown(rows: Sequence[Sequence[Any]]) -> str:
    """A table in Markdown, whose first row is the head."""
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def _cells(row):
    return [f"{cell:.4g}" if isinstance(cell, float) else cell for cell in row]
