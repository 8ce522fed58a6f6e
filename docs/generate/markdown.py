"""Pieces of Markdown, and the files that they are written to."""

import inspect
import json
import re
from pathlib import Path

from pydantic import BaseModel

FOLDER = Path(__file__).parents[1] / "reference"
ROOT = Path(__file__).parents[2]


def page(path: str, *parts: str):
    """Write a page from its parts; one that has not changed is left alone, for Sphinx reads again what is newer."""
    text, file = "\n\n".join(part for part in parts if part) + "\n", FOLDER / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")


def prose(docstring: str | None) -> str:
    """A docstring as Markdown, without its numpydoc sections: indented blocks are equations or code, "Inputs: ..." and the like
    are paragraphs."""
    text = re.split(r"\n[A-Z][a-z ]+\n-{4,}\n", inspect.cleandoc(docstring or ""))[0].replace("<", "&lt;")
    lines = text.splitlines()
    for k, line in enumerate(lines):
        if line.startswith("    "):  # code shows what it holds
            lines[k] = line.replace("&lt;", "<")
    return re.sub(r"\n(?=[A-Z][a-z]+: )", "\n\n", "\n".join(lines))


def cell(value) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def table(head: tuple[str, ...], rows) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join(lines + [f"| {' | '.join(map(cell, row))} |" for row in rows])


def fields(model) -> str:
    """The fields of a pydantic model that explain themselves, as a table."""
    rows = []
    for key, field in model.model_fields.items():
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        shown = "required" if field.is_required() else "" if default is None else f"`{toml(default)}`"
        if not isinstance(default, BaseModel):  # which has a table of its own
            rows.append((f"`{key}`", shown, field.description or ""))
    return table(("key", "default", "meaning"), rows) if rows else ""


def toml(value) -> str:
    """A default as it stands in a spec file."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value) if isinstance(value, bool | str) else str(value)


def contents(names) -> str:
    return "```{toctree}\n:hidden:\n\n" + "\n".join(names) + "\n```"


def picture(path: str, draw) -> Path:
    """A picture of the reference; drawn once, for that takes longer than all else."""
    file = FOLDER / path
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draw(file)
    return file
