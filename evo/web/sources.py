"""Sources of a circuit on the bench: the front of a run, the zoo, a file, or a blank circuit for a task."""

import hashlib
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from circuits import imports
from circuits.circuit import Circuit, InputChannel, OutputPort
from circuits.errors import UserError
from circuits.motif_file import Motif, Parent, digest, loads
from circuits.neurons import LIF_PSC_EXP, MODELS
from circuits.zoo import zoo
from evo.storage.run_folder import Run
from evo.web.runs import Runs
from fitness.tasks import BUILT_IN

KEPT = 64  # circuits of runs, which may leave the front while they are on the bench


class Source(NamedTuple):
    """name   for display;   motif  with its provenance;   run  whose front it is from;   blank  a new circuit"""

    name: str
    motif: Motif
    run: Run | None = None
    blank: bool = False

    @property
    def parent(self) -> Parent | None:
        return None if self.blank else Parent(sha256=digest(self.motif.circuit), name=self.name)


class Sources:
    """Finds circuits by their description in a question."""

    def __init__(self, runs: Runs):
        self.runs = runs
        self._kept: dict[tuple[str, str], Source] = {}

    def find(self, source: Any) -> Source:
        """{"run": name, "circuit": id or rank}, {"zoo": name}, {"motif": text of a motif file, "name": ...} or
        {"blank": settings of a task}. Raises UserError."""
        if isinstance(source, dict):
            if "run" in source:
                return self._of_run(source["run"], source.get("circuit", 0))
            if "zoo" in source:
                return _of_zoo(_text(source["zoo"], "zoo"))
            if "motif" in source:
                name = _text(source.get("name", "the file"), "name")
                return Source(name, loads(_text(source["motif"], "motif"), name))
            if "blank" in source:
                return Source("a new circuit", _blank(source["blank"]), blank=True)
        raise UserError("source: name a run and a circuit of its front, a motif of the zoo, or the text of a motif file")

    def _of_run(self, name, circuit):
        run = self.runs.open(name).run
        ids = identities(run)
        if isinstance(circuit, int) and not isinstance(circuit, bool) and 0 <= circuit < len(ids):
            circuit = ids[circuit]
        if circuit in ids and (name, circuit) not in self._kept:
            rank = ids.index(circuit)
            self._kept[name, circuit] = Source(f"{run.name}, rank {rank}", run.motif(rank), run)
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
        if (name, circuit) not in self._kept:
            raise UserError(f"{name}: the circuit {circuit!r} is not on its front; it has {len(ids)} circuits, by rank from 0")
        return self._kept[name, circuit]


@lru_cache(maxsize=KEPT)
def _of_zoo(name):
    return Source(f"zoo:{name}", zoo[name])


def identity(record) -> str:
    """A short name of a circuit of a front that stays when its rank changes."""
    return hashlib.sha256(record["genome"].tobytes()).hexdigest()[:12]


def identities(run: Run) -> list[str]:
    """The identities of the circuits of a run's front, in its order."""
    return [identity(record) for record in run.ranked] if run.archive is not None else []


def imported(name: Any, content: bytes) -> Motif:
    """The circuit of a file that was dropped. Raises UserError."""
    plain = Path(_text(name, "name")).name or "circuit.json"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / plain
        path.write_bytes(content)
        try:
            return imports.read(path).motif
        except UserError as error:
            raise UserError(str(error).replace(f"{folder}/", "")) from None


def _blank(settings):
    """A circuit with the ports of a task and one neuron for each output."""
    settings = dict(settings) if isinstance(settings, dict) else {}
    title = settings.get("name")
    if title not in BUILT_IN:
        raise UserError(f"task: one of {', '.join(BUILT_IN)}, not {title!r}")
    task = BUILT_IN[title](**{key: value for key, value in settings.items() if key != "name"})
    model = MODELS[task.default_spec.get("circuit", {}).get("neuron_model", LIF_PSC_EXP.name)]
    neurons = [model.neuron(id=f"E{k}", sign="E") for k in range(len(task.outputs))]
    circuit = Circuit(
        dt_ms=task.dt_ms,
        neuron_model=model.name,
        neurons=neurons,
        inputs=[InputChannel(name=name) for name in task.inputs],
        outputs=[OutputPort(name=name, neurons=[n.id]) for name, n in zip(task.outputs, neurons, strict=True)],
    )
    return Motif.of(circuit, task=settings)


def _text(value, key):
    if not isinstance(value, str) or not value:
        raise UserError(f"{key}: must be text, not {value!r}")
    return value
