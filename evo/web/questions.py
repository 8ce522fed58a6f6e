"""What can be asked of the lab: the names of the questions, and who answers each. Questions and answers are plain JSON."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from circuits.errors import MachineError, UserError
from circuits.motif_file import dumps
from circuits.zoo import zoo
from evo.inspect import page, page_data
from evo.spec.founders import founders
from evo.web import form, run_view, share
from evo.web.bench import Bench
from evo.web.compare import compared
from evo.web.control import Control
from evo.web.figure_pdf import pdf
from evo.web.kept import Kept
from evo.web.runs import Runs
from evo.web.single_page import single_page
from evo.web.sources import Sources, imported
from evo.web.study import Studies
from fitness.tasks import BUILT_IN

KEPT = "runs", "compare", "study", "bench"  # views that can be saved with what they were answered


class RefusedError(Exception):
    """A question that cannot be answered: `place` is the field that is wrong, if it is one's."""

    def __init__(self, message: str, place: str = ""):
        super().__init__(message)
        self.place = place


class Lab:
    """Everything that is open: the folder, its runs, and the bench."""

    def __init__(self, folder: Path, kept: Kept | None = None):
        self.runs = Runs(folder, kept)
        self.bench = Bench(Sources(self.runs))
        self.control = Control(self.runs)
        self._answers: dict[str, Callable[[dict], Any]] = {
            "runs": self._runs,
            "run": lambda said: run_view.head(self.runs, said.get("name")),
            "page": self._page,
            "figure/pdf": lambda said: {"pdf": b64encode(pdf(said.get("svg"), said.get("mm"))).decode()},
            "circuit": lambda said: run_view.circuit(self.runs, said.get("name"), said.get("id")),
            "lineage": lambda said: run_view.lineage(self.runs, said.get("name"), said.get("id")),
            "circuits": lambda said: {"motifs": _zoo(), "tasks": _tasks()},
            "import": _imported,
            "bench/open": self.bench.open,
            "bench": self.bench.answer,
            "bench/motif": lambda said: {"text": dumps(share.motif(self.bench.ask(said)))},
            "bench/code": lambda said: {"text": share.code(self.bench.ask(said), said.get("form"))},
            "bench/keep": self._keep,
            "bench/compare": self.bench.compared,
            "bench/sweep": self.bench.swept,
            "bench/lesions": self.bench.lesioned,
            "allow": self._allow,
            "study": Studies(self.runs).answer,
            "compare": lambda said: compared(self.runs, said.get("runs")),
            "spec/form": lambda said: form.form(said.get("task"), said.get("founder")),
            "spec/check": self._checked,
            "start": self.control.start,
            "stop": self.control.stop,
            "resume": self.control.resume,
            "fork": self.control.fork,
            "job": self.control.job,
        }

    def answer(self, question: str, said: Any) -> Any:
        """The answer to a question. Raises RefusedError with one line."""
        found = self._answers.get(question)
        if found is None or not isinstance(said, dict):
            raise RefusedError(f"there is no question {question!r}" if found is None else "a question is a JSON object")
        try:
            return found(said)
        except (UserError, MachineError) as error:
            place, message = form.place_of(str(error))
            raise RefusedError(message, getattr(error, "place", place)) from None

    def close(self):
        self.runs.close()

    def _runs(self, said):
        since = said.get("since", 0)
        if not isinstance(since, int):
            raise UserError(f"since: the version of an answer before, not {since!r}")
        if said.get("look"):  # where nobody watches
            self.runs.look()
        version, rows, gone = self.runs.changed(since)
        found = {"version": version, "rows": rows, "gone": gone, "whole": self.runs.whole, "studies": self.runs.studies}
        return found | {"folder": str(self.runs.folder)}

    def _page(self, said):
        """A view as one file: the page of a run by its "name", another "view" with the "answers" that it had."""
        if "view" not in said:
            return {"text": page.page(page_data.of_run(self.runs.open(said.get("name")).run))}
        view, answers = said["view"], said.get("answers")
        if not isinstance(view, dict) or view.get("view") not in KEPT or not isinstance(answers, list):
            raise UserError(f"view: one of {', '.join(KEPT)}, with the answers that it had")
        return {"text": single_page(view, answers)}

    def _checked(self, said):
        """The form of a spec, given as "toml" or "values", with what is wrong and where."""
        found = form.of_toml(said["toml"]) if "toml" in said else form.of_values(said.get("values"))
        try:
            spec, own = form.checked(found["toml"], self.runs.folder)
            founders(spec, spec.make_judge().interface, self.runs.folder) if not own else None
        except (UserError, MachineError) as error:
            place, message = form.place_of(str(error))
            return found | {"error": message, "place": place, "own": False}
        return found | {"error": None, "place": "", "own": own, "circuits": spec.search.population * spec.search.islands}

    def _keep(self, said):
        """Save the circuit below the folder, for a run that begins with it."""
        asked = self.bench.ask(said)
        path = share.keep(asked, said.get("name"), self.runs.folder)
        task = self.bench.settings(said, asked.source)
        return {"path": path.relative_to(self.runs.folder).as_posix(), "task": task.get("name")}

    def _allow(self, said):
        """The click by which the code of a run's own task may be executed."""
        self.runs.known(said.get("run"))
        self.bench.allowed.add(said["run"])
        return {}


def _imported(said):
    content = said.get("content")
    try:
        data = b64decode(content, validate=True)
    except (TypeError, ValueError):
        raise UserError("content: must be the file in base64") from None
    return {"motif": dumps(imported(said.get("name"), data))}


def _tasks():
    return [{"name": name, "text": kind.what()} for name, kind in BUILT_IN.items()]


def _zoo():
    cards = map(zoo.card, zoo)
    return [
        {
            "name": c.name,
            "title": c.title,
            "score": c.held_out.score,
            "e": c.excitatory,
            "i": c.inhibitory,
            "synapses": c.synapses,
        }
        for c in cards
    ]
