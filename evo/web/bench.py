"""The bench: a circuit changed by edits, and what it then does: spikes, potentials, tuning, and the score of its task.

The bench keeps nothing of who asks: a question names the source and all edits, so that an answer can be asked for again, undone
and sent as an address. Trials are drawn once for a task, seed and number; the search's precision gives the scores, so that on
the held-out trials of a run they equal those of its front.
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
from evo.inspect import activity, page_data
from evo.inspect.activity import Shown
from evo.inspect.drawing import drawn
from evo.storage.run_folder import Run
from evo.storage.task_code import checked_code
from evo.web.sources import Source, Sources
from fitness.analysis.activity import activity as firing
from fitness.analysis.scored import check_fits
from fitness.analysis.tuning import tuning
from fitness.measured import Measured
from fitness.sandbox.code import is_own
from fitness.task import Task, Trials
from fitness.tasks import BUILT_IN

TRIALS = 64
MOST_TRIALS = 4096
MOST_NEURONS = 200
POINTS = 1000  # of a sweep
KEPT = 16
WITHOUT_TASK = 200.0, 40.0  # ms and Hz of the random spikes that a circuit without a task is shown


class Asked(NamedTuple):
    """A question: the source, the circuit after the edits, and on what it is tried; unfit: why its own task cannot score it."""

    source: Source
    edits: list
    circuit: Circuit
    task: Task | None
    trials: Trials | None
    shown: Shown
    unfit: str = ""


class Bench:
    """Answers what circuits do. `allowed` are the names of runs whose own code may be executed: a click each."""

    def __init__(self, sources: Sources):
        self.sources = sources
        self.allowed: set[str] = set()
        self._tasks: OrderedDict[tuple, tuple[Task, Trials]] = OrderedDict()
        self._ways: OrderedDict[tuple, list[Route]] = OrderedDict()

    def open(self, said: dict) -> dict:
        """What stays while a circuit is edited: the page's data, and what the controls need."""
        asked = self.ask(said)
        source, circuit, task = asked.source, asked.source.motif.circuit, asked.task
        settings = self.settings(said, source)
        inputs, outputs = [c.name for c in circuit.inputs], [o.name for o in circuit.outputs]
        return {
            "kind": "bench",
            "title": source.name,
            "task": page_data.task(settings, inputs, outputs, circuit.dt_ms),
            "trials": page_data.trials(asked.shown),
            "model": page_data.model(circuit),
            "ranges": {name: [p.low, p.high, p.default] for name, p in circuit.model.parameters.items()},
            "scored": task is not None,
            "unfit": asked.unfit,
            "asks": self._own(settings, source) and self._run_name(said) not in self.allowed,
            "tasks": _fitting(circuit),
            "settings": page_data.exact(settings),
            "objectives": [],
            "members": [{"rank": 0}],
            "blank": source.blank,
            "at": said.get("source"),
        }

    def answer(self, said: dict) -> dict:
        """The circuit after the edits, and what it does. Potentials are those of the "neuron" that is looked at, and trains of
        all trials those of this one and of what is read, unless the "whole" is asked for. Where
        it is to be "quick", an interval that takes long is left out; "whole" in the answer says whether anything was."""
        begun = time.perf_counter()
        asked = self.ask(said)
        circuit, quick = asked.circuit, said.get("quick") is True
        whole = said.get("whole") is True
        here = None if whole else [_looked_at(circuit, said.get("neuron"))][: len(circuit.neurons)]
        does = activity.activity(circuit, asked.shown, of=here) if len(asked.shown.labels) else None
        found = drawn(circuit, *self._drawing(asked.source.motif.circuit, circuit)) | {"activity": does}
        found["ids"] = [n.id for n in circuit.neurons]
        found["score"] = found["every"] = found["analysis"] = found["tuning"] = None
        if asked.task is not None and asked.trials is not None:
            found |= _tried(asked.task, circuit, asked.trials, None if here is None else {*here, *_read(circuit)}, quick)
        found["whole"] = not found["score"] or found["score"]["low"] is not None
        found["noise_mv"] = circuit.noise_mv
        found["ms"] = 1000 * (time.perf_counter() - begun)
        return found

    def compared(self, said: dict) -> dict:
        """The original and the circuit after the edits, drawn side by side."""
        from evo.inspect.changes import changes

        asked = self.ask(said)
        return changes(asked.source.motif.circuit, asked.circuit)

    def swept(self, said: dict) -> dict:
        """The score over the values of one edit, or of two: `along` is a list of {"edit": an edit, "key": its number, "values":
        [...]}. Values that a circuit cannot have score None."""
        asked = self.ask(said)
        if asked.task is None or asked.trials is None:
            raise UserError("a sweep needs a score: choose a task that the circuit fits")
        along = said.get("along")
        if not isinstance(along, list) or not 1 <= len(along) <= 2 or not all(isinstance(one, dict) for one in along):
            raise UserError("along: one edit or two")
        values = [_numbers(one.get("values")) for one in along]
        if np.prod([len(v) for v in values]) > POINTS:
            raise UserError(f"a sweep has at most {POINTS} points")
        scores: list = []
        for point in np.ndindex(*(len(v) for v in values)):
            changes = [{**one["edit"], one["key"]: v[k]} for one, v, k in zip(along, values, point, strict=True)]
            try:
                circuit = edit.apply(asked.circuit, edit.parse(changes))
                scores.append(page_data.number(float(asked.task.evaluate(circuit, asked.trials, "float32").value)))
            except UserError:
                scores.append(None)
        return {"values": values, "scores": scores}

    def lesioned(self, said: dict) -> dict:
        """The score without each neuron and each synapse."""
        asked = self.ask(said)
        if asked.task is None or asked.trials is None:
            raise UserError("lesions need a score: choose a task that the circuit fits")
        ways: list = [{"edit": "silence", "neuron": n.id} for n in asked.circuit.neurons]
        ways += [{"edit": "cut", "synapse": k} for k in range(asked.circuit.synapse_count)]
        if len(ways) > POINTS:
            raise UserError(f"the circuit has more than {POINTS} parts")
        scores = [
            float(asked.task.evaluate(edit.apply(asked.circuit, edit.parse([way])), asked.trials, "float32").value)
            for way in ways
        ]
        count = len(asked.circuit.neurons)
        return {"neurons": scores[:count], "synapses": scores[count:]}

    def _drawing(self, original, circuit):
        """Places, no motifs, and the ways of synapses, which follow from the wiring alone."""
        places = _places(original, circuit)
        read = tuple(n for port in circuit.outputs for n in port.neurons)
        key = tuple(connections(circuit)), tuple(places.items()), read
        if key not in self._ways:
            here = {part: places[part] for part in _parts(circuit)}
            self._ways[key] = routes(circuit, here)
            while len(self._ways) > KEPT:
                self._ways.popitem(last=False)
        return places, False, self._ways[key]

    # -- what is asked about

    def ask(self, said: dict) -> Asked:
        """The question, checked. Raises UserError."""
        source = self.sources.find(said.get("source"))
        edits = edit.parse(said.get("edits", []))
        circuit = edit.apply(source.motif.circuit, edits)
        if len(circuit.neurons) > MOST_NEURONS:
            raise UserError(f"the bench takes circuits of at most {MOST_NEURONS} neurons, not {len(circuit.neurons)}")
        settings = self.settings(said, source)
        count = said.get("trials", TRIALS)
        if not isinstance(count, int) or not 1 <= count <= MOST_TRIALS:
            raise UserError(f"trials: a number from 1 to {MOST_TRIALS}, not {count!r}")
        unfit, task, trials = "", None, None
        try:
            task, trials = self._task(settings, said, source)
            if task is not None:
                check_fits(task, source.motif.circuit)
        except UserError as error:
            if said.get("task") is not None:  # chosen here
                raise
            unfit, task, trials = str(error), None, None  # a stranger's file may name any task
        if task is not None:
            check_fits(task, circuit)
        return Asked(source, edits, circuit, task, trials, self._shown(said, source, circuit, task, trials), unfit)

    def settings(self, said, source):
        given = said.get("task")
        settings = given if isinstance(given, dict) else source.motif.provenance.task
        return dict(settings or {})

    def _own(self, settings, source):
        name = settings.get("name")
        return source.run is not None and isinstance(name, str) and is_own(name)

    def _task(self, settings, said, source):
        """The task and its trials, None for a circuit that has none, or one whose code may not be executed."""
        name = settings.get("name")
        own = self._own(settings, source)
        if (own and self._run_name(said) not in self.allowed) or not (own or name in BUILT_IN):
            return None, None
        seed = source.motif.provenance.seed or 1
        count = said.get("trials", TRIALS)
        key = repr(sorted(settings.items())), seed, count, str(source.run.folder) if own and source.run else ""
        if key not in self._tasks:
            task = self._made(settings, source.run if own else None)
            self._tasks[key] = task, task.trials_of("held_out", seed, count)
            while len(self._tasks) > KEPT:
                self._tasks.popitem(last=False)
        return self._tasks[key]

    def _made(self, settings, run: Run | None) -> Task:
        if run is not None:
            return run.spec.make_task(checked_code(run.spec, run.folder))
        return fitness.task(**settings)

    def _run_name(self, said):
        source = said.get("source")
        return source.get("run") if isinstance(source, dict) else None

    def _shown(self, said, source, circuit, task, trials):
        """The trials that are drawn: a stimulus of one's own first, then some of each class."""
        if task is not None and trials is not None:
            taken = trials.take(activity.chosen(trials.labels))
            shown = Shown(taken.spikes, taken.labels, task.environment(taken), taken.noise_seed, taken.signals)
        elif source.run is not None:
            shown = activity.of_run(source.run)
        else:
            shown = _random(circuit)
        times = said.get("stimulus")
        if times is None:
            return shown
        duration = shown.spikes.shape[1] * circuit.dt_ms
        drawn_one = dense(circuit, [_times(times, circuit)], duration, "nearest")
        return Shown(drawn_one, np.array(["drawn by hand"]), None, shown.noise_seed)


def _looked_at(circuit: Circuit, neuron: Any) -> int:
    """The number of the neuron with this id; by default the first one that is read."""
    ids = [str(n.id) for n in circuit.neurons]
    return ids.index(str(neuron)) if str(neuron) in ids else next(iter(_read(circuit)), 0)


def _read(circuit: Circuit) -> list[int]:
    """The numbers of the neurons that output ports read."""
    read = {n for port in circuit.outputs for n in port.neurons}
    return [k for k, n in enumerate(circuit.neurons) if n.id in read]


def _tried(task, circuit, trials, of, quick) -> dict[str, Any]:
    """The score, how each trial went, and how the neurons fire, over all trials; of: the neurons with trains, None: all; quick:
    without an interval that is found by resampling."""
    raster = task.simulate(circuit, trials, "float32")
    score = task.score(raster, trials)
    low, high = (None, None) if quick and isinstance(task, Measured) else map(float, task.interval(score, trials))
    worst = task.by_condition(score, trials)
    trains = raster.spikes()
    stages = np.argsort(trials.labels, kind="stable")
    return {
        "score": {
            "score": float(score.value),
            "low": low,
            "high": high,
            "trials": len(trials),
            "conditions": [
                {"name": str(name), "score": float(value)} for name, value in zip(worst.names, worst.scores, strict=True)
            ],
        },
        "every": {
            "labels": trials.labels[stages].tolist(),
            "scores": [round(float(v), 4) for v in score.trial_scores[stages]],
            "steps": trains.shape[1],
            "spikes": _steps(trains[stages], range(trains.shape[2]) if of is None else sorted(of)),
        },
        "analysis": {"activity": firing(raster), "trials": len(trials)},
        "tuning": tuning(task, trials, raster),
    }


def _steps(trains, of):
    """The steps with a spike by trial and neuron, None for neurons other than these."""
    rows = trains[:, :, list(of)].transpose(0, 2, 1).reshape(-1, trains.shape[1])
    at, steps = np.nonzero(rows)
    parts = iter(np.split(steps, np.searchsorted(at, np.arange(1, len(rows)))))
    return [[next(parts).tolist() if n in of else None for n in range(trains.shape[2])] for _ in trains]


def _places(original, circuit):
    """Where the parts are drawn: where they were, as long as there are no new ones."""
    there = positions(original)
    return there if all(part in there for part in _parts(circuit)) else positions(circuit)


def _parts(circuit):
    return [("input", c.name) for c in circuit.inputs] + [("neuron", n.id) for n in circuit.neurons]


def _fitting(circuit):
    """The names of the tasks that ship whose ports the circuit has."""
    found = []
    for name, kind in BUILT_IN.items():
        try:
            check_fits(kind(), circuit)
            found.append(name)
        except UserError:
            continue
    return found


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
        raise UserError("a list of numbers is wanted")
    return [float(v) for v in values]


def warm():
    """Simulate once, so that the first edit is as fast as the others: machine code is loaded, or compiled."""
    from circuits.zoo import zoo

    motif = zoo["gate-3"]
    task = fitness.task("gate")
    for real in ("float32", "float64"):
        simulate(motif.circuit, task.trials(1, 1).spikes, dtype=real, record="all")
    task.evaluate(motif.circuit, task.trials(1, 1), "float32")
