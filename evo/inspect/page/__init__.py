"""The report page: one file that opens without a network, linked and interactive.

It is a skeleton (web/page.html), a style, a few modules and D3 put into one, and the data as JSON (`page_data`); `evo lab`
serves the same modules one by one. D3 7 (ISC licence) draws the axes and scales: it makes SVG, which prints as lines, takes
colours for light and dark from the style sheet, and leaves every mark an element that can be focused and linked. The parts of
it that are used are one file of 90 kB (web/d3.min.js, by `make d3`). Nothing is fetched: a content security policy allows these
scripts and this style alone, by their hashes.
"""

import base64
import hashlib
import html
import json
import math
import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from string import Template

from circuits.errors import harmless
from circuits.motif_file import Motif, write_whole
from evo.inspect.page import page_data
from evo.storage.run_folder import Run

SCRIPTS = (
    *("tools", "theme", "run", "limits", "front", "parallel", "wiring", "circuit", "activity", "measured"),
    *("why", "assembly", "learning", "descent", "view", "main"),
)
_BETWEEN = re.compile(r"^import .*;\n|^export (?=async|function|const|let)", re.MULTILINE)


def default_path(subject: Path) -> Path:
    """Default path of the page of a run folder or motif file."""
    return subject / "report.html" if subject.is_dir() else subject.with_suffix(".html")


def write(subject: Run | Motif, path, cache: page_data.Cache | None = None, seconds: float = math.inf) -> Path:
    """Write the page of a run or of a single motif, whole or not at all; returns the path. cache, seconds: see
    `page_data.of_run`."""
    data = page_data.of_run(subject, cache, seconds) if isinstance(subject, Run) else page_data.of_motif(subject)
    return write_whole(path, page(data))


def page(data: dict) -> str:
    """The HTML of the page with this data (`page_data`)."""
    style, library = _text("page.css"), _text("d3.min.js")
    script = bundle(SCRIPTS)
    return Template(_text("page.html")).substitute(
        title=html.escape(harmless(data["title"] or "evocircuits")),
        style=style,
        library=library,
        script=script,
        style_hash=_hash(style),
        script_hashes=f"{_hash(library)} {_hash(script)}",
        data=_json(data),
    )


def bundle(names: Iterable[str]) -> str:
    """Modules of ours as one script: they share a scope, so imports and exports between them are dropped."""
    parts = "\n".join(_BETWEEN.sub("", _text(f"{name}.js")) for name in names)
    return f'"use strict";\n(() => {{\n{parts}}})();\n'


def _text(name):
    return (files("evo.inspect") / "web" / name).read_text(encoding="utf-8")


def _json(data):
    """JSON in which no name, which may be a stranger's, can end the script element around it."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
