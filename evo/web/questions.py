"""The questions that the lab answers: their names, and the function for each. Questions and answers are plain JSON."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from circuits.errors import MachineError, UserError
from circuits.motif_file import dumps
from circuits.zoo import zoo
from evo.inspect import page
from evo.inspect.page import page_data
from evo.spec.founders import founders
from evo.web import form, run_view, share
from evo.web.bench import Bench
from evo.web.compare import compared
from evo.web.control import Control
from evo.web.figure_pdf import pdf
from evo.web.row_cache import RowCache
from evo.web.runs import Runs
from evo.web.single_page import single_page
from evo.web.sources import Sources, imported
from evo.web.study import Studies
from fitness.tasks import BUILT_IN

KEPT = "runs", "compare", "study", "bench"  # views that can be saved with their answers


class RefusedError(Exception):
    """A question that cannot be answered; `place`: the field that is wrong, if it is one."""

    def __init__(self, message: str, place: str = ""):
        super().__init__(message)
        self.place = place


class Lab:
    """Everything that is open: the folder, its runs, and the bench."""

    def __init__(self, folder: Path, cache: RowCache | None = None):
        self.runs = Runs(folder, cache)
        self.bench = Bench(Sources(self.runs))
        self.control = Control(self.runs)
        self._answers: dict[str, Callable[[dict], Any]] = {
            "runs": self._runs,
            "run": lambda request: run_view.head(self.runs, request.get("name")),
            "page": self._page,
            "figure/pdf": lambda request: {"pdf": b64encode(pdf(request.get("svg"), request.get("mm"))).decode()},
            "circuit": lambda request: run_view.circuit(self.runs, request.get("name"), request.get("id")),
            "lineage": lambda request: run_view.lineage(self.runs, request.get("name"), request.get("id")),
            "circuits": lambda request: {"motifs": _zoo(), "tasks": _tasks()},
            "import": _imported,
            "bench/open": self.bench.open,
            "bench": self.bench.answer,
            "bench/motif": lambda request: {"text": dumps(share.motif(self.bench.ask(request)))},
            "bench/code": lambda request: {"text": share.code(self.bench.ask(request), request.get("form"))},
            "bench/keep": self._keep,
            "bench/compare": self.bench.compared,
            "bench/sweep": self.bench.swept,
            "bench/lesions": self.bench.lesioned,
            "allow": self._allow,
            "study": Studies(self.runs).answer,
            "compare": lambda request: compared(self.runs, request.get("runs")),
            "spec/form": lambda request: form.form(request.get("task"), request.get("founder")),
            "spec/check": self._checked,
            "start": self.control.start,
            "stop": self.control.stop,
            "resume": self.control.resume,
            "fork": self.control.fork,
            "job": self.control.job,
        }

    def answer(self, question: str, request: Any) -> Any:
        """The answer to a question. Raises RefusedError with one line."""
        function = self._answers.get(question)
        if function is None or not isinstance(request, dict):
            raise RefusedError(f"there is no question {question!r}" if function is None else "a question is a JSON object")
        try:
            return function(request)
        except (UserError, MachineError) as error:
            place, message = form.place_of(str(error))
            raise RefusedError(message, getattr(error, "place", place)) from None

    def close(self):
        self.runs.close()

    def _runs(self, request):
        since = request.get("since", 0)
        if not isinstance(since, int):
            raise UserError(f"since: the version of an answer before, not {since!r}")
        if request.get("look"):  # in a notebook, where no thread watches
            self.runs.look()
        return self.runs.changed(since) | {"folder": str(self.runs.folder)}

    def _page(self, request):
        """A view as one file: the page of a run by its "name", or another "view" with its "answers"."""
        if "view" not in request:
            return {"text": page.page(page_data.of_run(self.runs.open(request.get("name")).run))}
        view, answers = request["view"], request.get("answers")
        if not isinstance(view, dict) or view.get("view") not in KEPT or not isinstance(answers, list):
            raise UserError(f"view: one of {', '.join(KEPT)}, with the answers that it had")
        return {"text": single_page(view, answers)}

    def _checked(self, request):
        """The form of a spec, given as "toml" or "values", with its first error and the error's field."""
        fields = form.of_toml(request["toml"]) if "toml" in request else form.of_values(request.get("values"))
        try:
            spec, own = form.checked(fields["toml"], self.runs.folder)
            founders(spec, spec.make_judge().interface, self.runs.folder) if not own else None
        except (UserError, MachineError) as error:
            place, message = form.place_of(str(error))
            return fields | {"error": message, "place": place, "own": False}
        return fields | {"error": None, "place": "", "own": own, "circuits": spec.search.population * spec.search.islands}

    def _keep(self, request):
        """Save the circuit below the folder, for a run that begins with it."""
        query = self.bench.ask(request)
        path = share.keep(query, request.get("name"), self.runs.folder)
        task = self.bench.settings(request, query.source)
        return {"path": path.relative_to(self.runs.folder).as_posix(), "task": task.get("name")}

    def _allow(self, request):
        """Allow the code of a run's own task to be executed, by the user's click."""
        self.runs.known(request.get("run"))
        self.bench.allowed.add(request["run"])
        return {}


def _imported(request):
    content = request.get("content")
    try:
        data = b64decode(content, validate=True)
    except (TypeError, ValueError):
        raise UserError("content: must be the file in base64") from None
    return {"motif": dumps(imported(request.get("name"), data))}


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
