"""What can be asked of the lab: the names of the questions, and who answers each. Questions and answers are plain JSON."""

from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from circuits.errors import MachineError, UserError
from circuits.motif_file import dumps
from circuits.zoo import zoo
from evo.lab import run_view, share
from evo.lab.bench import Bench
from evo.lab.runs import Runs
from evo.lab.sources import Sources, imported
from fitness.tasks import BUILT_IN


class RefusedError(Exception):
    """A question that cannot be answered: `place` is the field that is wrong, if it is one's."""

    def __init__(self, message: str, place: str = ""):
        super().__init__(message)
        self.place = place


class Lab:
    """Everything that is open: the folder, its runs, and the bench."""

    def __init__(self, folder: Path, can_write: bool = True):
        self.runs = Runs(folder)
        self.bench = Bench(Sources(self.runs))
        self.can_write = can_write
        self._answers: dict[str, Callable[[dict], Any]] = {
            "runs": self._runs,
            "run": lambda said: run_view.head(self.runs, said.get("name")),
            "circuit": lambda said: run_view.circuit(self.runs, said.get("name"), said.get("id")),
            "circuits": lambda said: {"motifs": _zoo(), "tasks": _tasks()},
            "import": _imported,
            "bench/open": self.bench.open,
            "bench": self.bench.answer,
            "bench/check": lambda said: {"edits": len(self.bench.ask(said).edits)},
            "bench/motif": lambda said: {"text": dumps(share.motif(self.bench.ask(said)))},
            "bench/code": lambda said: {"text": share.code(self.bench.ask(said), said.get("form"))},
            "bench/keep": self._keep,
            "bench/compare": self.bench.compared,
            "bench/sweep": self.bench.swept,
            "bench/lesions": self.bench.lesioned,
            "allow": self._allow,
        }

    def answer(self, question: str, said: Any) -> Any:
        """The answer to a question. Raises RefusedError with one line."""
        found = self._answers.get(question)
        if found is None or not isinstance(said, dict):
            raise RefusedError(f"there is no question {question!r}" if found is None else "a question is a JSON object")
        try:
            return found(said)
        except (UserError, MachineError) as error:
            raise RefusedError(str(error), getattr(error, "place", "")) from None

    def close(self):
        self.runs.close()

    def _runs(self, said):
        version, rows, gone = self.runs.changed(int(said.get("since") or 0))
        return {"version": version, "rows": rows, "gone": gone, "whole": self.runs.whole, "folder": str(self.runs.folder)}

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
