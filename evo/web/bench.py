"""The bench: a circuit changed by edits, and its activity: spikes, potentials, tuning, and the score of its task.

The bench is stateless: a question names the source and all edits, so that an answer can be repeated, undone and sent as an
address. Trials are drawn once for a task, seed and number. Scores are computed in the search's precision, so that on the
held-out trials of a run they equal those of its front.
"""

import time
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np

import fitness
from circuits.circuit import Circuit
from circuits.drawing.layout import Route, connections, positions, routes
from circuits.edit import edits as edit
from circuits.errors import UserError
from circuits.simulation.simulate import simulate
from circuits.simulation.stimulus import dense
from evo.inspect.finite import finite
from evo.inspect.page import activity, page_data
from evo.inspect.page.activity import Shown
from evo.inspect.page.drawing import drawn
from evo.storage.run_folder import Run
from evo.storage.task_code import checked_code
from evo.web.sources import Source, Sources
from fitness.analysis.activity import activity as firing
from fitness.analysis.scored import check_fits
from fitness.analysis.tuning import tuning
from fitness.base.measured import Measured
from fitness.base.task import Task
from fitness.base.trials import Trials
from fitness.sandbox.code import is_own
from fitness.tasks import BUILT_IN

TRIALS = 64
MAX_TRIALS = 4096
MAX_NEURONS = 200
POINTS = 1000  # of a sweep
KEPT = 16
WITHOUT_TASK = 200.0, 40.0  # ms and Hz of the random spikes that a circuit without a task is shown


class Query(NamedTuple):
    """A checked question: the source, the circuit after the edits, the task and its trials, and the trials to show; unfit: why
    its own task cannot score it."""

    source: Source
    edits: list
    circuit: Circuit
    task: Task | None
    trials: Trials | None
    shown: Shown
    unfit: str = ""


class Bench:
    """Simulates and scores edited circuits. `allowed`: names of runs whose own code the user allowed to be executed."""

    def __init__(self, sources: Sources):
        self.sources = sources
        self.allowed: set[str] = set()
        self._tasks: OrderedDict[tuple, tuple[Task, Trials]] = OrderedDict()
        self._routes: OrderedDict[tuple, list[Route]] = OrderedDict()

    def open(self, request: dict) -> dict:
        """The data that stay while a circuit is edited: for the page, and for its controls."""
        query = self.ask(request)
        source, circuit, task = query.source, query.source.motif.circuit, query.task
        settings = self.settings(request, source)
        inputs, outputs = [c.name for c in circuit.inputs], [o.name for o in circuit.outputs]
        return {
            "kind": "bench",
            "title": source.name,
            "task": page_data.task(settings, inputs, outputs, circuit.dt_ms),
            "trials": page_data.trials(query.shown),
            "model": page_data.model(circuit),
            "ranges": {name: [p.low, p.high, p.default] for name, p in circuit.model.parameters.items()},
            "scored": task is not None,
            "unfit": query.unfit,
            "asks": self._own(settings, source) and self._run_name(request) not in self.allowed,
            "tasks": _fitting(circuit),
            "settings": page_data.exact(settings),
            "objectives": [],
            "members": [{"rank": 0}],
            "blank": source.blank,
            "at": request.get("source"),
        }

    def answer(self, request: dict) -> dict:
        """The circuit after the edits, and its activity. Potentials are those of the selected "neuron", and spike trains over
        all trials those of this neuron and the output neurons, unless "whole" is set. "quick" leaves out an interval that takes
        long to compute; "whole" in the answer is false if one was left out."""
        start = time.perf_counter()
        query = self.ask(request)
        circuit, quick = query.circuit, request.get("quick") is True
        whole = request.get("whole") is True
        traced = None if whole else [_selected(circuit, request.get("neuron"))][: len(circuit.neurons)]
        response = activity.activity(circuit, query.shown, of=traced) if len(query.shown.labels) else None
        data = drawn(circuit, *self._drawing(query.source.motif.circuit, circuit)) | {"activity": response}
        data["ids"] = [n.id for n in circuit.neurons]
        data["score"] = data["every"] = data["analysis"] = data["tuning"] = None
        if query.task is not None and query.trials is not None:
            data |= _scored(query.task, circuit, query.trials, None if traced is None else {*traced, *_read(circuit)}, quick)
        data["whole"] = not data["score"] or data["score"]["low"] is not None
        data["noise_mv"] = circuit.noise_mv
        data["ms"] = 1000 * (time.perf_counter() - start)
        return data

    def compared(self, request: dict) -> dict:
        """The original and the circuit after the edits, drawn side by side."""
        from evo.inspect.page.changes import changes

        query = self.ask(request)
        return changes(query.source.motif.circuit, query.circuit)

    def swept(self, request: dict) -> dict:
        """The score over the values of one edit or two: "along" is a list of {"edit": an edit, "key": the name of its number,
        "values": [...]}. Values that a circuit cannot have score None."""
        query = self.ask(request)
        if query.task is None or query.trials is None:
            raise UserError("a sweep needs a score: choose a task that the circuit fits")
        axes = request.get("along")
        if not isinstance(axes, list) or not 1 <= len(axes) <= 2 or not all(isinstance(axis, dict) for axis in axes):
            raise UserError("along: must be one edit or two")
        values = [_numbers(axis.get("values")) for axis in axes]
        if np.prod([len(v) for v in values]) > POINTS:
            raise UserError(f"a sweep has at most {POINTS} points")
        scores: list = []
        for point in np.ndindex(*(len(v) for v in values)):
            changes = [{**axis["edit"], axis["key"]: v[k]} for axis, v, k in zip(axes, values, point, strict=True)]
            try:
                circuit = edit.apply(query.circuit, edit.parse(changes))
                scores.append(finite(float(query.task.evaluate(circuit, query.trials, "float32").value)))
            except UserError:
                scores.append(None)
        return {"values": values, "scores": scores}

    def lesioned(self, request: dict) -> dict:
        """The score without each neuron and each synapse."""
        query = self.ask(request)
        if query.task is None or query.trials is None:
            raise UserError("lesions need a score: choose a task that the circuit fits")
        lesions: list = [{"edit": "silence", "neuron": n.id} for n in query.circuit.neurons]
        lesions += [{"edit": "cut", "synapse": k} for k in range(query.circuit.synapse_count)]
        if len(lesions) > POINTS:
            raise UserError(f"the circuit has more than {POINTS} parts")
        scores = [
            float(query.task.evaluate(edit.apply(query.circuit, edit.parse([lesion])), query.trials, "float32").value)
            for lesion in lesions
        ]
        count = len(query.circuit.neurons)
        return {"neurons": scores[:count], "synapses": scores[count:]}

    def _drawing(self, original, circuit):
        """Arguments of `drawn`: places, no motifs, and the routes of synapses, cached as they depend on the wiring alone."""
        places = _places(original, circuit)
        read = tuple(n for port in circuit.outputs for n in port.neurons)
        key = tuple(connections(circuit)), tuple(places.items()), read
        if key not in self._routes:
            self._routes[key] = routes(circuit, {part: places[part] for part in circuit.nodes})
            while len(self._routes) > KEPT:
                self._routes.popitem(last=False)
        return places, False, self._routes[key]

    # -- questions

    def ask(self, request: dict) -> Query:
        """The question, checked. Raises UserError."""
        source = self.sources.find(request.get("source"))
        edits = edit.parse(request.get("edits", []))
        circuit = edit.apply(source.motif.circuit, edits)
        if len(circuit.neurons) > MAX_NEURONS:
            raise UserError(f"the bench takes circuits of at most {MAX_NEURONS} neurons, not {len(circuit.neurons)}")
        settings = self.settings(request, source)
        count = request.get("trials", TRIALS)
        if not isinstance(count, int) or not 1 <= count <= MAX_TRIALS:
            raise UserError(f"trials: a number from 1 to {MAX_TRIALS}, not {count!r}")
        unfit, task, trials = "", None, None
        try:
            task, trials = self._task(settings, request, source)
            if task is not None:
                check_fits(task, source.motif.circuit)
        except UserError as error:
            if request.get("task") is not None:  # selected on the bench
                raise
            unfit, task, trials = str(error), None, None  # a stranger's file may name any task
        if task is not None:
            check_fits(task, circuit)
        return Query(source, edits, circuit, task, trials, self._shown(request, source, circuit, task, trials), unfit)

    def settings(self, request, source):
        selected = request.get("task")
        settings = selected if isinstance(selected, dict) else source.motif.provenance.task
        return dict(settings or {})

    def _own(self, settings, source):
        name = settings.get("name")
        return source.run is not None and isinstance(name, str) and is_own(name)

    def _task(self, settings, request, source):
        """The task and its trials; None for a circuit without a task, or if the task's code may not be executed."""
        name = settings.get("name")
        own = self._own(settings, source)
        if (own and self._run_name(request) not in self.allowed) or not (own or name in BUILT_IN):
            return None, None
        seed = source.motif.provenance.seed or 1
        count = request.get("trials", TRIALS)
        key = repr(sorted(settings.items())), seed, count, str(source.run.folder) if own and source.run else ""
        if key not in self._tasks:
            task = self._make_task(settings, source.run if own else None)
            self._tasks[key] = task, task.trials_of("held_out", seed, count)
            while len(self._tasks) > KEPT:
                self._tasks.popitem(last=False)
        return self._tasks[key]

    def _make_task(self, settings, run: Run | None) -> Task:
        if run is not None:
            return run.spec.make_task(checked_code(run.spec, run.folder))
        return fitness.task(**settings)

    def _run_name(self, request):
        source = request.get("source")
        return source.get("run") if isinstance(source, dict) else None

    def _shown(self, request, source, circuit, task, trials):
        """The trials to show: the user's own stimulus if there is one, else some of each class."""
        if task is not None and trials is not None:
            selected = trials.take(activity.chosen(trials.labels))
            shown = Shown(selected.spikes, selected.labels, task.environment(selected), selected.noise_seed, selected.signals)
        elif source.run is not None:
            shown = activity.of_run(source.run)
        else:
            shown = _random(circuit)
        times = request.get("stimulus")
        if times is None:
            return shown
        duration = shown.spikes.shape[1] * circuit.dt_ms
        spikes = dense(circuit, [_times(times, circuit)], duration, "nearest")
        return Shown(spikes, np.array(["drawn by hand"]), None, shown.noise_seed)


def _selected(circuit: Circuit, neuron: Any) -> int:
    """The number of the neuron with this id, by default of the first output neuron."""
    ids = [str(n.id) for n in circuit.neurons]
    return ids.index(str(neuron)) if str(neuron) in ids else next(iter(_read(circuit)), 0)


def _read(circuit: Circuit) -> list[int]:
    """The numbers of the output neurons."""
    read = {n for port in circuit.outputs for n in port.neurons}
    return [k for k, n in enumerate(circuit.neurons) if n.id in read]


def _scored(task, circuit, trials, neurons, quick) -> dict[str, Any]:
    """The score, and over all trials their scores and the neurons' activity; neurons: those with spike trains, None: all;
    quick: without an interval by resampling."""
    raster = task.simulate(circuit, trials, "float32")
    score = task.score(raster, trials)
    low, high = (None, None) if quick and isinstance(task, Measured) else map(float, task.interval(score, trials))
    c = task.by_condition(score, trials)
    trains = raster.spikes()
    order = np.argsort(trials.labels, kind="stable")
    return {
        "score": {
            "score": float(score.value),
            "low": low,
            "high": high,
            "trials": len(trials),
            "conditions": [{"name": str(name), "score": float(value)} for name, value in zip(c.names, c.scores, strict=True)],
        },
        "every": {
            "labels": trials.labels[order].tolist(),
            "scores": [round(float(v), 4) for v in score.trial_scores[order]],
            "steps": trains.shape[1],
            "spikes": _steps(trains[order], range(trains.shape[2]) if neurons is None else sorted(neurons)),
        },
        "analysis": {"activity": firing(raster), "trials": len(trials)},
        "tuning": tuning(task, trials, raster),
    }


def _steps(trains, neurons):
    """The steps with a spike by trial and neuron, None for neurons other than these."""
    rows = trains[:, :, list(neurons)].transpose(0, 2, 1).reshape(-1, trains.shape[1])
    row, steps = np.nonzero(rows)
    parts = iter(np.split(steps, np.searchsorted(row, np.arange(1, len(rows)))))
    return [[next(parts).tolist() if n in neurons else None for n in range(trains.shape[2])] for _ in trains]


def _places(original, circuit):
    """The places of the parts: those in the original, unless there are new parts."""
    places = positions(original)
    return places if all(part in places for part in circuit.nodes) else positions(circuit)


def _fitting(circuit):
    """The names of the built-in tasks whose ports the circuit has."""
    names = []
    for name, kind in BUILT_IN.items():
        try:
            check_fits(kind(), circuit)
            names.append(name)
        except UserError:
            continue
    return names


def _random(circuit):
    duration, rate = WITHOUT_TASK
    steps = max(1, round(duration / circuit.dt_ms))
    share = min(1.0, rate * circuit.dt_ms / 1000)
    spikes = np.random.default_rng(1).random((2, steps, len(circuit.inputs))) < share
    return Shown(spikes, np.array(["random spikes", "other random spikes"]), None, 1)


def _times(times, circuit):
    if not isinstance(times, dict) or not all(isinstance(key, str) for key in times):
        raise UserError("stimulus: spike times in ms by the name of the input channel")
    names = [c.name for c in circuit.inputs]
    unknown = next((key for key in times if key not in names), None)
    if unknown is not None:
        raise UserError(f"stimulus: there is no input channel {unknown!r}")
    return [sorted(set(_numbers(times.get(name, [])))) for name in names]


def _numbers(values):
    sound = isinstance(values, list) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if not sound or len(values) > 100_000:
        raise UserError("must be a list of numbers")
    return [float(v) for v in values]


def warm():
    """Simulate once, so that the first edit is as fast as the others: machine code is loaded, or compiled."""
    from circuits.zoo import zoo

    motif = zoo["gate-3"]
    task = fitness.task("gate")
    for real in ("float32", "float64"):
        simulate(motif.circuit, task.trials(1, 1).spikes, dtype=real, record="all")
    task.evaluate(motif.circuit, task.trials(1, 1), "float32")
