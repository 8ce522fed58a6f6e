"""Data of the report page: a run or a motif as plain JSON. Executes nothing of the run's own.

The data of each circuit are packed by themselves, and unpacked by the page when the circuit is selected: the page opens as
fast with a thousand circuits as with one.
"""

import base64
import json
import math
import time
import zlib
from collections.abc import Iterator, Mapping, MutableMapping
from shlex import quote
from typing import Any

from circuits.circuit import Circuit
from circuits.drawing.drawable import drawable
from circuits.errors import UserError
from circuits.motif_file import Motif
from evo.inspect.equally_good import as_text, equally_good
from evo.inspect.finite import finite
from evo.inspect.page import activity
from evo.inspect.page.changes import changes
from evo.inspect.page.course import course
from evo.inspect.page.drawing import drawn
from evo.storage.front import Member, versions
from evo.storage.recurrence import recurrences
from evo.storage.run_folder import Run
from fitness import analysis
from fitness.evaluation.objectives import objective
from fitness.judges import kind

WITH_TRACES = 4_000_000  # bytes of packed circuits, after which they come without potentials and currents
WITH_DESCENT = 5_500_000  # and after which without descent
RANKS = 12  # of circuits with the same wiring, named at most
STEPS = 60  # of a descent at most, the last ones

Cache = MutableMapping[tuple, Any]


def of_run(run: Run, cache: Cache | None = None, seconds: float = math.inf) -> dict:
    """The page's data.

    cache    kept from one page to the next of a run that goes on, so that only new circuits cost time
    seconds  after which further new circuits come with their wiring alone
    """
    cache = {} if cache is None else cache
    end = time.monotonic() + seconds
    shown = activity.of_run(run)
    return head(run, shown, cache) | {"packed": list(_packed(run, shown, cache, end))}


def circuit_of(run: Run, rank: int, shown: activity.Shown, cache: Cache) -> dict:
    """The page's data of one circuit of the front, without its lineage."""
    circuit = _whole(run, run.front[rank], shown, cache, traces=True, descent=False)
    del circuit["lineage"]
    return circuit


def lineage_of(run: Run, rank: int, cache: Cache) -> list[dict] | None:
    """The last steps of the lineage of a circuit of the front; None if the circuit is too large to be drawn whole."""
    if drawable(run.front[rank].circuit)[1] is not None:  # each step would take as long as the circuit
        return None
    return [_step(step, cache) for step in run.lineage(rank)[-STEPS:]]


def head(run: Run, shown: activity.Shown, cache: Cache) -> dict:
    """The page's data without its circuits."""
    search = run.spec.search
    equals = equally_good(run)
    return {
        "kind": "run",
        "title": run.name,
        "folder": quote(str(run.folder)),  # as it is typed in a shell
        "task": task(run.spec.task, run.interface.inputs, run.interface.outputs, run.interface.dt_ms, run.about),
        "trials": trials(shown),
        "model": model(run.front[0].circuit if run.front else None),
        "run": {
            **_fields(run, "state", "generation", "evaluations", "saved", "spec_sha256", "archive_sha256", "parent"),
            **_fields(search, "generations", "islands", "population", "algorithm", "trials", "held_out"),
            "ended_by": run.progress.ended,
            "seed": exact(search.seed),
            "spec": run.spec.to_toml(),
            "versions": versions(),
        },
        "course": course(run),
        "objectives": [
            {"name": name, "unit": o.unit, "text": o.text, "more": o.sign < 0}
            for name, o in ((name, objective(name)) for name in search.objectives)
        ],
        "members": [
            _row(m) | {"recurrence": e._asdict() | {"ranks": e.ranks[:RANKS], "more": len(e.ranks[RANKS:])}}
            for m, e in zip(run.front, recurrences(run, cache), strict=True)
        ],
        "equally_good": None if equals is None else equals | {"text": as_text(equals)},
    }


def of_motif(motif: Motif) -> dict:
    try:
        shown, why = activity.of_motif(motif), None if drawable(motif.circuit)[1] else analysis.of_motif(motif)
    except (UserError, TypeError):  # a stranger's file may name a task that the circuit does not fit, or settings it has not
        shown, why = activity.Shown.none(), None
    circuit, origin = motif.circuit, motif.provenance
    inputs, outputs, e = [c.name for c in circuit.inputs], [o.name for o in circuit.outputs], int(circuit.excitatory.sum())
    return {
        "kind": "motif",
        "title": f"Motif from {origin.run}" if origin.run else "Motif",
        "task": task(origin.task, inputs, outputs, circuit.dt_ms),
        "trials": trials(shown),
        "model": model(circuit),
        "motif": exact(origin.model_dump(exclude_none=True)),
        "objectives": [],
        "members": [{"rank": 0, "e": e, "i": len(circuit.neurons) - e, "synapses": circuit.synapse_count}],
        "packed": [packed(_circuit(circuit, shown, traces=True, cache={}) | {"analysis": _analysis(why)})],
    }


def exact(value: Any) -> Any:
    """The value with those integers as text that JavaScript would round (beyond 2^53, such as seeds)."""
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    return str(value) if isinstance(value, int) and abs(value) > 2**53 else value


def packed(value: dict) -> str:
    """JSON, deflated (zlib), in base64, as the page unpacks it."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _packed(run, shown, cache, end) -> Iterator[str]:
    """The circuits of the front, best first; once the page is too large, without traces, then without lineage."""
    size = 0
    for member in run.front:
        key = member.circuit, member.island, member.generation, member.score, size < WITH_TRACES, size < WITH_DESCENT
        text = cache.get(key)
        if text is None:
            late = time.monotonic() > end
            text = packed(_wiring(member.circuit, cache) if late else _whole(run, member, shown, cache, *key[-2:]))
            if not late:
                cache[key] = text
        size += len(text)
        yield text


def _whole(run, member, shown, cache, traces, descent):
    circuit, spec = _circuit(member.circuit, shown, traces, cache), run.spec
    compared = _kept(cache, ("compared",), lambda: spec.judge_class.comparison(spec.task, run.folder, run.interface))
    circuit["measured"] = None if compared is None else compared(member.circuit, spec.search.seed)
    circuit["analysis"], circuit["learning"] = _analysis(run.analysis(member)), run.learning(member)
    circuit["parts"] = [part._asdict() | {"circuit": drawn(part.circuit)} for part in run.parts(member.rank)]
    circuit["lineage"] = lineage_of(run, member.rank, cache) if descent else None
    return circuit


def _wiring(circuit, cache):
    return _kept(cache, ("drawn", circuit), lambda: _drawn(circuit))[0] | {"activity": None, "unfinished": True}


def _drawn(circuit):
    """The drawing of a circuit, or of a part of a large one with the numbers of the neurons in it."""
    part, left_out = drawable(circuit)
    if left_out is None:
        return drawn(circuit), None
    ids = {n.id for n in part.neurons}
    numbers = [k for k, n in enumerate(circuit.neurons) if n.id in ids]
    return drawn(part, motifs=False) | {"left_out": str(left_out)}, numbers


def _circuit(circuit: Circuit, shown, traces, cache: Cache) -> dict:
    wiring, numbers = _kept(cache, ("drawn", circuit), lambda: _drawn(circuit))
    response = activity.activity(circuit, shown, traces and numbers is None) if len(shown.labels) else None
    if response is not None and numbers is not None:
        response["spikes"] = [[trial[k] for k in numbers] for trial in response["spikes"]]
        response |= {name: [response[name][k] for k in numbers] for name in ("rate_hz", "cv")}
    return wiring | {"activity": response}


def _step(step, cache):
    def make():
        if step.mother is None:
            return {"child": drawn(step.circuit, motifs=False)}
        return changes(step.mother, step.circuit)

    facts = {"generation": step.generation, "island": step.island, "crossed": step.crossed}
    scores = {"before": finite(step.before), "score": finite(step.score)}
    facts |= {"parent": step.parent and step.parent.name}
    return facts | scores | _kept(cache, ("step", step.circuit, step.mother), make)


def _kept(cache, key, make):
    if key not in cache:
        cache[key] = make()
    return cache[key]


def _analysis(stored: Mapping[str, Any] | None) -> dict | None:
    """Stored analysis of a circuit; the motif file of its core is left out."""
    if stored is None:
        return None
    core = stored["core"]
    shown = core and {key: value for key, value in core.items() if key != "motif"}
    return dict(stored) | {"core": shown, "lesions": exact(stored["lesions"])}


def _fields(part: Any, *names: str) -> dict[str, Any]:
    return {name: finite(getattr(part, name)) for name in names}


def _row(m: Member) -> dict:
    return {
        **_fields(m, "rank", "score", "validation", "held_out", "low", "high", "worst", "spikes", "events"),
        **_fields(m, "overfitted", "uneven", "island", "generation"),
        "worst_condition": m.condition and list(m.condition),
        "e": m.excitatory,
        "i": m.inhibitory,
        "objectives": [finite(value) for value in m.objectives.values()],
        "synapses": m.circuit.synapse_count,
    }


def task(settings, inputs, outputs, dt_ms, about=None):
    settings, about = dict(settings or {}), about or {}
    docstring = kind(settings).docstring(settings)
    of_data = "name" in settings and kind(settings).data_key(settings) is not None
    judge = settings.pop("judge", None)
    name = settings.pop("name", judge)
    text = docstring or about.get("text", "")
    return {
        "name": name,
        "settings": exact(settings),
        "inputs": list(inputs),
        "outputs": list(outputs),
        "dt_ms": dt_ms,
        "text": " ".join(text.partition("\n\n")[0].split()),
        "more": text,
        "judged": about.get("judged", ""),
        "wanted": about.get("wanted", {}),
        "own": name is not None and docstring is None and not of_data,
        "of_data": of_data,
        "judge": judge,
    }


def trials(shown):
    return {
        "labels": shown.labels.tolist(),
        "steps": shown.spikes.shape[1],
        "inputs": activity.inputs(shown),
        "closed": shown.environment is not None,
    }


def model(circuit):
    if circuit is None:
        return None
    return {
        "name": circuit.neuron_model,
        "noise_mv": circuit.noise_mv,
        "parameters": [{"name": name, "text": about.text} for name, about in circuit.model.parameters.items()],
    }
