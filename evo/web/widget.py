"""The lab in the output cell of a notebook: the views of a run and the bench, in a frame, whose questions go through the
notebook's own connection to Python. No port is opened, so that it works wherever the notebook does."""

import json
import re
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from circuits.errors import MachineError
from evo.web.questions import Lab, RefusedError

PAGE, OWN = files("evo.inspect") / "web", files("evo.web") / "static"
_IMPORT = re.compile(r'((?:^import .* from |import\()")([^"]+)(")', re.MULTILINE)

ESM = """
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.title = model.get("title");
  frame.setAttribute("sandbox", "allow-scripts allow-downloads");
  frame.style.cssText = "width: 100%; border: 0; height: " + model.get("height") + "px";
  frame.srcdoc = model.get("page");
  el.append(frame);
  const heard = (event) => { if (event.source === frame.contentWindow && event.data.number) model.send(event.data); };
  const told = (answer) => frame.contentWindow?.postMessage(answer, "*");
  addEventListener("message", heard);
  model.on("msg:custom", told);
  return () => { removeEventListener("message", heard); model.off("msg:custom", told); };
}
export default { render };
"""


def widget(run, rank: int | None = None, height: int = 900) -> Any:
    """A widget of the page of a run, or of the bench with the circuit of this rank. Raises MachineError where anywidget is
    missing."""
    try:
        import anywidget
        import traitlets
    except ImportError:
        raise MachineError("the lab in a notebook needs anywidget: pip install 'evocircuits[notebook]'") from None
    folder = Path(run.folder).resolve()
    opened = Lab(folder)
    opened.runs.look()
    view = {"view": "run", "name": "."} if rank is None else {"view": "bench", "run": ".", "circuit": str(rank)}

    class LabWidget(anywidget.AnyWidget):
        _esm = ESM
        page = traitlets.Unicode(page_of(view)).tag(sync=True)
        title = traitlets.Unicode(f"evo lab: {folder.name}").tag(sync=True)
        height = traitlets.Int(800).tag(sync=True)

    shown = LabWidget(height=height)
    shown.on_msg(lambda _widget, asked, _buffers: shown.send(answered(opened, asked)))
    return shown


def answered(lab: Lab, asked: Any) -> dict:
    """The answer to a question of the frame, with its number."""
    asked = asked if isinstance(asked, dict) else {}
    number, question = asked.get("number"), asked.get("question")
    if question not in ASKED:
        return {"number": number, "error": f"a notebook does not answer {question!r}; evo lab does", "place": ""}
    try:
        return {"number": number, "answer": lab.answer(question, asked.get("said"))}
    except RefusedError as error:
        return {"number": number, "error": str(error), "place": error.place}


ASKED = {
    *("runs", "run", "circuit", "circuits", "import", "page", "allow"),
    *("bench", "bench/open", "bench/check", "bench/compare", "bench/sweep", "bench/lesions", "bench/motif", "bench/code"),
}


def page_of(view: dict[str, str]) -> str:
    """One page with all modules in it: an import map gives each the address of its text."""
    sources = {
        f"{room}/{file.name}": _IMPORT.sub(partial(_named, room), file.read_text(encoding="utf-8"))
        for room, folder in {"page": PAGE, "lab": OWN}.items()
        for file in folder.iterdir()
        if file.name.endswith(".js") and file.name not in LEFT_OUT
    }
    style = (PAGE / "page.css").read_text(encoding="utf-8") + (OWN / "lab.css").read_text(encoding="utf-8")
    shell = (OWN / "lab.html").read_text(encoding="utf-8")
    body = shell.partition("<body>")[2].partition("</body>")[0]
    given = json.dumps({"modules": sources, "view": view}).replace("<", "\\u003c")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><style>{style}</style>'
        f"<script>{(PAGE / 'd3.min.js').read_text(encoding='utf-8')}</script></head>"
        f'<body class="framed">{body}<script type="application/json" id="given">{given}</script>'
        f"<script>{BOOT}</script></body></html>"
    )


def _named(room, found):
    """An import by the name that the map has: "./x.js" lies in the same room, "../page/x.js" in that of the page."""
    where, _, name = found[2].rpartition("/")
    return f"{found[1]}evo/{'page' if where == '../page' else room}/{name}{found[3]}"


LEFT_OUT = {"d3.min.js", "main.js"}
BOOT = """
const { modules, view } = JSON.parse(document.getElementById("given").textContent), imports = {};
for (const [name, text] of Object.entries(modules)) {
  imports[`evo/${name}`] = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
}
const map = document.createElement("script");
map.type = "importmap";
map.textContent = JSON.stringify({ imports });
document.head.append(map);
window.evoView = view;
const start = document.createElement("script");
start.type = "module";
start.textContent = `import "evo/lab/framed.js"; import "evo/lab/${view.view}.js";`;
document.head.append(start);
"""
