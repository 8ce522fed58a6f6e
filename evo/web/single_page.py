"""A view of the lab as one page with all modules in it: for the output cell of a notebook, and as a saved file."""

import json
import re
from functools import partial
from importlib.resources import files
from typing import Any

PAGE, OWN = files("evo.inspect") / "web", files("evo.web") / "static"
_IMPORT = re.compile(r'((?:^import .* from |import\()")([^"]+)(")', re.MULTILINE)


def single_page(view: dict[str, Any], answers: list | None = None) -> str:
    """The page of a view, with its parameters. answers: the answers of a saved page; without them the page asks the notebook
    around it."""
    sources = {
        f"{room}/{file.name}": _IMPORT.sub(partial(_named, room), file.read_text(encoding="utf-8"))
        for room, folder in {"page": PAGE, "lab": OWN}.items()
        for file in folder.iterdir()
        if file.name.endswith(".js") and file.name not in LEFT_OUT
    }
    style = (PAGE / "page.css").read_text(encoding="utf-8") + (OWN / "lab.css").read_text(encoding="utf-8")
    shell = (OWN / "lab.html").read_text(encoding="utf-8")
    body = shell.partition("<body>")[2].partition("</body>")[0]
    data = json.dumps({"modules": sources, "view": view, "answers": answers}).replace("<", "\\u003c")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>evo lab</title><style>{style}</style>'
        f"<script>{(PAGE / 'd3.min.js').read_text(encoding='utf-8')}</script></head>"
        f'<body class="framed">{body}<script type="application/json" id="given">{data}</script>'
        f"<script>{BOOT}</script></body></html>"
    )


def _named(room, match):
    """An import by its name in the import map: "./x.js" is in the same folder, "../page/x.js" in that of the page."""
    folder, _, name = match[2].rpartition("/")
    return f"{match[1]}evo/{'page' if folder == '../page' else room}/{name}{match[3]}"


LEFT_OUT = {"d3.min.js", "main.js"}
POLICY = (  # nothing is fetched
    "default-src 'none'; script-src 'unsafe-inline' blob:; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)
BOOT = """
const { modules, view, answers } = JSON.parse(document.getElementById("given").textContent), imports = {};
for (const [name, text] of Object.entries(modules)) {
  imports[`evo/${name}`] = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
}
const map = document.createElement("script");
map.type = "importmap";
map.textContent = JSON.stringify({ imports });
document.head.append(map);
window.evoView = view;
window.evoAnswers = answers;
const start = document.createElement("script");
start.type = "module";
start.textContent = `import "evo/lab/${answers ? "saved" : "framed"}.js"; import "evo/lab/${view.view}.js";`;
document.head.append(start);
"""
