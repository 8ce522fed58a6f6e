"""Checked reading of a store: documents by their models (`documents`), arrays by their fields, axes and lengths before they are
unpacked, then by their values.

A store may come from a stranger or be damaged: reading it gives contents that a run of its spec may have stored, or raises an
error of one line.
"""

from typing import NamedTuple

import numpy as np

from circuits.errors import MachineError, UserError
from evo import genome
from evo.engine.codec import MisfitError, Shape, Shapes, from_bytes, largest, size_of
from evo.engine.epochs import neighbour
from evo.engine.island import Migrants, State
from evo.genome import AssemblyBounds, Bounds
from evo.population.individual import LOOKED_AT, outcome_of, record, record_of_0_4, up_to_date
from evo.population.lineage import FOUNDER, founder_place, step_dtype
from evo.spec.memory import available, shown
from evo.spec.run_spec import RunSpec
from evo.storage import documents
from evo.storage.documents import damaged
from evo.storage.store import Store
from fitness.base.trials import Interface

SPEC, STORE = "run.toml", "run.db"
ROW = 8192  # characters of a row of a log
FOUNDED = 1_000_000  # characters of the log of founders
CASES = 65_536  # of a circuit
SMALL = 1 << 26  # bytes that every machine has
EXAMPLES = 64  # two of each of at most twelve classes


class InitialPopulation(NamedTuple):
    """Genomes that a run begins with.

    genomes  [n];   island  int64 [n], of each
    log      of a fork, its parent: run (its name), spec_sha256, archive_sha256, generation; of a run whose spec names founders,
             these and the number of genomes of an island that descend from them, see `documents.Founded`
    """

    genomes: np.ndarray
    island: np.ndarray
    log: dict


NO_SIGNALS = np.zeros((0, 0, 0), "f4")


class Examples(NamedTuple):
    """A few held-out trials kept for pictures: spikes bool [trials, steps, channels], labels int [trials], and signals of the
    sampled channels, float32 [trials, steps, sampled channels]."""

    spikes: np.ndarray
    labels: np.ndarray
    signals: np.ndarray = NO_SIGNALS

    @property
    def driven(self) -> np.ndarray | None:
        """Signals of the sampled channels, None where there are none."""
        return self.signals if self.signals.size else None


class Stored(NamedTuple):
    """The contents of a store, without its analyses.

    spec_sha256  digest of the spec;   interface  that the task asks of circuits;   examples  trials
    initial      the genomes that the run began with, None if all were drawn;   parent  of a forked run
    founders     name and sha256 of each founder
    epochs       as `evo.storage.documents.Epoch`;   states  the latest state of every island that has one, by island
    conditions   name and number of trials of each condition of the held-out trials; [] for a run of 0.4
    about        description of the task, see `fitness.analysis.about`; {} for a run of 0.4
    """

    spec_sha256: str
    interface: Interface
    examples: Examples | None
    initial: InitialPopulation | None
    epochs: list[dict]
    states: list[State]
    conditions: list[tuple[str, int]]
    about: dict

    @property
    def parent(self) -> dict | None:
        return self.initial.log if self.initial is not None and "run" in self.initial.log else None

    @property
    def founders(self) -> list[dict]:
        return [] if self.initial is None else self.initial.log.get("founders", [])

    def founder_of(self, line: int) -> dict | None:
        """The founder that the first individual of a line is, or is a mutant of; None where it was drawn."""
        born, place = founder_place(line)
        founders = self.founders
        return founders[place % len(founders)] if founders and born == 0 and place < self.initial.log["count"] else None  # type: ignore[union-attr]


def read(store: Store, spec: RunSpec) -> Stored:
    """The contents of a store at one moment. Raises UserError for contents that no run of this spec can have stored,
    MachineError where the memory does not suffice."""
    path = store.path
    with store.moment():
        facts = documents.facts(store.facts(), path)
        interface = documents.interface(facts, path)
        reader = _Reader(spec, interface, len(facts.conditions), path)
        epochs = _epochs(store, spec)
        last = {row["island"]: row for row in epochs}
        rows = store.states()
    if {island: epoch for island, epoch, _ in rows} != {island: row["epoch"] for island, row in last.items()}:
        raise damaged(path, "its states are not those after its last epochs")
    needed = sum(min(size_of(blob), largest(reader.of_state(last[island]))) for island, _, blob in rows)
    if needed > SMALL and needed > available() / 2:
        raise MachineError(f"{path}: opening it takes {shown(2 * needed)} of memory; {shown(available())} are available")
    initial = None if facts.heritage is None else reader.initial(facts.heritage)
    about = {} if facts.about is None else facts.about.model_dump()
    states = [reader.state(blob, last[island]) for island, _, blob in rows]
    reader.records([state.archive for state in states], [last[island]["generation"] for island, *_ in rows])
    examples = None if facts.examples is None else reader.examples(facts.examples)
    if examples is None and spec.judge_class.simulates:
        raise damaged(path, "the table run: examples: is missing")
    return Stored(facts.spec_sha256, interface, examples, initial, epochs, states, facts.conditions, about)


def check_states(spec: RunSpec, interface: Interface, blobs: list[bytes], epoch: int, path) -> list[State]:
    """The states of all islands after an epoch, from any file, checked. Raises UserError."""
    reader, s = _Reader(spec, interface, 0, path), spec.search
    generation = min((epoch + 1) * s.epoch, s.generations)
    last = {"generation": generation, "log": range(s.epoch + 1)}
    states = [reader.state(blob, last | {"island": island}) for island, blob in enumerate(blobs)]
    reader.records([part for state in states for part in (state.archive, state.population)], [generation] * (2 * len(states)))
    return states


def check_going_on(store: Store, spec: RunSpec, run: Stored):
    """Check, before a run goes on, the circuits of its populations and the migrants that have not been received yet. Raises
    UserError."""
    reader, last = _Reader(spec, run.interface, len(run.conditions), store.path), {row["island"]: row for row in run.epochs}
    reader.records([state.population for state in run.states], [state.generation for state in run.states])
    for island, row in last.items():
        sender = neighbour(spec, island)
        if sender is None or sender not in last:
            continue
        for epoch in range(row["epoch"], last[sender]["epoch"] + 1):
            blob = store.migrants(sender, epoch)
            if blob is None:
                raise damaged(store.path, f"the migrants of island {sender} after epoch {epoch} are missing")
            reader.migrants(blob, last[sender]["generation"])


def check_before(store: Store, spec: RunSpec, run: Stored, islands: list[int]):
    """Check, before the last epoch of these islands is taken back, the states before it. Raises UserError."""
    store.check_before(islands)
    reader = _Reader(spec, run.interface, len(run.conditions), store.path)
    rows = {(row["island"], row["epoch"]): row for row in run.epochs}
    for island, epoch, blob in store.before():
        if (island, epoch) in rows:
            reader.state(blob, rows[island, epoch])


def _epochs(store, spec):
    """The epochs of all islands, from the first to the last of each and with a log of all generations; checked."""
    s, rows, after = spec.search, store.epochs(), {}
    if any(not isinstance(row["log"], str) or len(row["log"]) > ROW * (s.epoch + 2) for row in rows):
        raise damaged(store.path, "the log of an epoch")
    epochs = documents.epochs(rows, store.path)
    for row in epochs:
        island, log = row["island"], row["log"]
        epoch, generation = after.get(island, (0, 0))
        due = range(generation, generation + len(log))
        sound = (
            island < s.islands
            and row["epoch"] == epoch
            and [line["generation"] for line in log] == list(due)
            and row["generation"] == due[-1]
            and 0 < len(log) - (epoch == 0) <= s.epoch
            and row["evaluations"] == sum(line["evaluations"] for line in log)
            and all(len(line["losses"]) == len(s.objectives) and line["repeats"] <= line["evaluations"] for line in log)
        )
        if not sound:
            raise damaged(store.path, f"epoch {row['epoch']} of island {island}")
        after[island] = epoch + 1, due[-1] + 1
    return epochs


class _Reader:
    """Reader of the arrays that a run of a spec may store: checks their shapes and values."""

    def __init__(self, spec: RunSpec, interface: Interface, conditions: int, path):
        self.spec, self.interface, self.conditions, self.path = spec, interface, conditions, path
        self.bounds: Bounds | AssemblyBounds = spec.encoding(interface).bounds
        self.genome = genome.empty(self.bounds, 0).dtype
        s = spec.search
        self.cases = (s.trials, s.trials) if spec.judge_class.simulates else (1, CASES)  # others may have any number
        self.record = record(self.genome, outcome_of(spec.search))

    def state(self, blob: bytes, last: dict) -> State:
        """The state of an island after its last epoch, checked."""
        generation, state = last["generation"], self._arrays(State, blob, self.of_state(last))
        state = state._replace(population=up_to_date(state.population), archive=up_to_date(state.archive))
        if documents.log(state.log, self.path)[-1]["generation"] != generation:
            raise damaged(self.path, f"the log in the state of island {last['island']}")
        self._population(state, generation)
        return state

    def of_state(self, last: dict) -> Shapes:
        """Shapes of a state after the last epoch of an island."""
        s = self.spec.search
        return {
            "population": Shape((self.record, record_of_0_4(self.record)), ((1, s.population),)),
            "grades": Shape("f4", ((1, s.population), self.cases)),
            "archive": Shape((self.record, record_of_0_4(self.record)), ((1, s.archive),)),
            "pedigree": self._pedigree(s.population + s.archive, last["generation"]),
            "log": Shape("u1", ((2, ROW * len(last["log"])),)),
        }

    def migrants(self, blob: bytes, generation: int) -> Migrants:
        """The migrants of an island, checked."""
        s = self.spec.search
        count = min(s.migrants, s.population)
        parts = {
            "population": Shape((self.record, record_of_0_4(self.record)), ((0, count),)),
            "grades": Shape("f4", ((0, count), self.cases)),
            "pedigree": self._pedigree(count, generation),
        }
        migrants = self._arrays(Migrants, blob, parts)
        migrants = migrants._replace(population=up_to_date(migrants.population))
        self._population(migrants, generation)
        self.records([migrants.population], [generation])
        return migrants

    def initial(self, blob: bytes) -> InitialPopulation:
        """The initial population of a run, checked."""
        count = self.spec.search.islands * self.spec.search.population
        parts = {
            "genomes": Shape(self.genome, ((1, count),)),
            "island": Shape("i8", ((1, count),)),
            "log": Shape("u1", ((2, FOUNDED),)),
        }
        genomes, island, log = initial = self._arrays(InitialPopulation, blob, parts)
        valid = (island >= 0) & (island < self.spec.search.islands)
        if len(genomes) != len(island) or not valid.all() or not genome.sound(genomes, self.bounds).all():
            raise damaged(self.path, "its initial population")
        return initial._replace(log=documents.origin(log, self.path))

    def examples(self, blob: bytes) -> Examples:
        """The example trials, checked."""
        steps, channels = round(self.interface.duration_ms / self.interface.dt_ms), len(self.interface.inputs)
        parts = {
            "spikes": Shape("?", ((1, EXAMPLES), (steps, steps), (channels, channels))),
            "labels": Shape(None, ((1, EXAMPLES),)),
            "signals": Shape("f4", ((0, EXAMPLES), (0, steps), (0, channels))),
        }
        examples = self._arrays(Examples, blob, parts)
        sampled = len(self.interface.sampled)
        driven = (len(examples.spikes), steps, sampled) if sampled else (0, 0, 0)
        if examples.signals.shape != driven or not np.isfinite(examples.signals).all():
            raise damaged(self.path, "its example trials")
        finite = examples.labels.dtype.kind != "f" or np.isfinite(examples.labels).all()
        if len(examples.spikes) != len(examples.labels) or not finite or (examples.spikes.view("u1") > 1).any():
            raise damaged(self.path, "its example trials")
        return examples

    def _arrays(self, kind, blob, parts):
        try:
            return from_bytes(kind, blob, parts)
        except MisfitError as error:
            what = f"{self.path}: does not fit {SPEC} ({kind.__name__}: {error})"
            raise UserError(f"{what}; undo the change to {SPEC}, or restore the folder from a copy") from None
        except UserError as error:
            raise damaged(self.path, str(error)) from None

    def _pedigree(self, living, generation):
        """The shape of a pedigree: of each line at most one step a generation."""
        return Shape(step_dtype(self.genome), ((0, living * (generation + 1)),))

    def records(self, groups: list[np.ndarray], generations: list[int]):
        """Check the individuals of several islands, whose generations are given."""
        rows = np.concatenate(groups) if groups else np.empty(0, self.record)
        last = np.repeat(np.array(generations, "i8"), [len(group) for group in groups])
        sound = self._sound_outcomes(rows, last) and genome.sound(np.ascontiguousarray(rows["genome"]), self.bounds).all()
        if not sound:
            raise damaged(self.path, f"a stored circuit breaks {SPEC}, or its scores are no scores")

    def _sound_outcomes(self, rows, last):
        scores, counts = (np.stack([rows[name] for name in names]) for names in (LOOKED_AT, ("spikes", "events")))
        return (
            np.isfinite(rows["losses"]).all()
            and np.isfinite(rows["score"]).all()
            and not np.isinf(scores).any()
            and not (np.isinf(counts) | (counts < 0)).any()  # NaN where nothing is simulated
            and self._sound_noise(rows)
            and _within(rows["condition"], -1, self.conditions - 1)
            and _within(rows["island"], 0, self.spec.search.islands - 1)
            and _within(rows["generation"], 0, last)
            and _within(rows["wired"], 0, last)
            and _within(rows["line"], FOUNDER, None)
        )

    def _sound_noise(self, rows):
        """Are the moments of noisy scores sound?"""
        if "count" not in rows.dtype.names:
            return True
        spread = rows["spread"]
        return (
            _within(rows["count"], 0, None)  # 0: given up in a race
            and np.isfinite(rows["mean"]).all()
            and np.isfinite(spread).all()
            and (spread >= 0).all()
        )

    def _population(self, state, generation):
        """Check a population without its circuits, which are checked before they are evaluated."""
        rows, grades = state.population, state.grades
        sound = len(grades) == len(rows) and np.isfinite(grades).all() and self._sound_steps(state.pedigree, generation)
        if not sound or not self._sound_outcomes(rows, generation):
            raise damaged(self.path, "the scores or the lineage of a population are impossible")

    def _sound_steps(self, steps, generation):
        """Are the steps of a pedigree sound? Their circuits, which are many, are checked when they are shown."""
        return (
            _within(steps["island"], 0, self.spec.search.islands - 1)
            and _within(steps["generation"], 0, generation)
            and _within(steps["id"], 0, None)
            and (steps["before"] >= FOUNDER).all()
            and (steps["before"] < steps["id"]).all()
            and len(np.unique(steps["id"])) == len(steps)
            and np.isfinite(steps["score"]).all()
            and not np.isinf(steps["base"]).any()
            and (steps["crossed"].view("u1") <= 1).all()
        )


def _within(values, low, high):
    return bool((values >= low).all() and (high is None or (values <= high).all()))
