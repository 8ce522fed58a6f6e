"""The lab in the output cell of a notebook: the views of a run and the bench in a frame, whose questions go through the
notebook's own connection to Python. No port is opened, so it works wherever the notebook does."""

from pathlib import Path
from typing import Any

from circuits.errors import MachineError
from evo.web.questions import Lab, RefusedError
from evo.web.single_page import single_page

ESM = """
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.title = model.get("title");
  frame.setAttribute("sandbox", "allow-scripts allow-downloads");
  frame.style.cssText = "width: 100%; border: 0; height: " + model.get("height") + "px";
  frame.srcdoc = model.get("page");
  el.append(frame);
  const onMessage = (event) => { if (event.source === frame.contentWindow && event.data.number) model.send(event.data); };
  const reply = (answer) => frame.contentWindow?.postMessage(answer, "*");
  addEventListener("message", onMessage);
  model.on("msg:custom", reply);
  return () => { removeEventListener("message", onMessage); model.off("msg:custom", reply); };
}
export default { render };
"""


def widget(run, rank: int | None = None, height: int = 900) -> Any:
    """A widget of the page of a run, or of the bench with the circuit of this rank. Raises MachineError without anywidget."""
    try:
        import anywidget
        import traitlets
    except ImportError:
        raise MachineError("the lab in a notebook needs anywidget: pip install 'evocircuits[notebook]'") from None
    folder = Path(run.folder).resolve()
    lab = Lab(folder)
    lab.runs.look()
    view = {"view": "run", "name": "."} if rank is None else {"view": "bench", "run": ".", "circuit": str(rank)}

    class LabWidget(anywidget.AnyWidget):
        _esm = ESM
        page = traitlets.Unicode(single_page(view)).tag(sync=True)
        title = traitlets.Unicode(f"evo lab: {folder.name}").tag(sync=True)
        height = traitlets.Int(800).tag(sync=True)

    view_widget = LabWidget(height=height)
    view_widget.on_msg(lambda _widget, message, _buffers: view_widget.send(answered(lab, message)))
    return view_widget


def answered(lab: Lab, message: Any) -> dict:
    """The answer to a question of the frame, with its number."""
    message = message if isinstance(message, dict) else {}
    number, question = message.get("number"), message.get("question")
    if question not in ASKED:
        return {"number": number, "error": f"a notebook does not answer {question!r}; evo lab does", "place": ""}
    try:
        return {"number": number, "answer": lab.answer(question, message.get("said"))}
    except RefusedError as error:
        return {"number": number, "error": str(error), "place": error.place}


ASKED = {
    *("runs", "run", "circuit", "lineage", "circuits", "import", "page", "figure/pdf", "allow"),
    *("bench", "bench/open", "bench/compare", "bench/sweep", "bench/lesions", "bench/motif", "bench/code"),
}
