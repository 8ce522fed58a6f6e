"""One epoch of one island: a pure function.

The state of an island after epoch e depends only on its state after epoch e - 1, the migrants its neighbour sent after epoch
e - 1, the run's spec, the island's number and e. Whoever computes it, wherever and however often, gets the same bytes.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from deap import base, tools

from evo import archive, genome, lineage
from evo.algorithms import ALGORITHMS, descriptors
from evo.algorithms.values import FreeValues
from evo.genome import Form, identity, variation
from evo.individual import LOOKED_AT, Crowd, fate, record
from evo.selection import nsga2
from evo.spec import RunSpec
from evo.stopwatch import Stopwatch
from fitness import Task, Trials
from fitness.evaluate import evaluate
from fitness.objectives import losses

TOLD = ("losses", "score", "spikes", "events")  # what trying a circuit tells of it, besides its grades
TOGETHER = 1000  # circuits that are simulated in one go: more do not fit the processor's cache
SEARCH_TRIALS, HELD_OUT_TRIALS, VALIDATION_TRIALS, CORE_TRIALS = range(4)  # second half of a seed: they never share a stimulus


class State(NamedTuple):
    """An island between two epochs. Arrays of records have the fields of `individual.record`.

    population  records [population];   grades  float32 [population, trials]
    archive     records [<= search.archive]: the non-dominated circuits seen so far, and the one that did best on validation
                trials, scored on fresh trials as well
    pedigree    the steps that led to these circuits, see `evo.lineage`
    log         one dict per generation of the epoch that ended here, see `_row`
    """

    population: np.ndarray
    grades: np.ndarray
    archive: np.ndarray
    pedigree: np.ndarray
    log: list

    def migrants(self, count: int) -> "Migrants":
        """What the next island gets: the individuals that NSGA-II would keep last, and where they come from."""
        chosen = nsga2(self.population["losses"], count)
        away = self.population[chosen]
        return Migrants(away, self.grades[chosen], lineage.pruned([self.pedigree], away["line"]))

    @property
    def generation(self) -> int:
        return self.log[-1]["generation"]


class Migrants(NamedTuple):
    population: np.ndarray
    grades: np.ndarray
    pedigree: np.ndarray


class Founders(NamedTuple):
    """Genomes [n] that a run begins with, of `genome.dtype`; what is missing to a population is drawn."""

    genomes: np.ndarray


class Setting(NamedTuple):
    """What a spec means for an epoch: built once per process."""

    spec: RunSpec
    task: Task
    form: Form
    search: Trials
    validation: Trials
    held_out: Trials
    toolbox: base.Toolbox

    @classmethod
    def of(cls, spec: RunSpec, source: str | None) -> "Setting":
        task = spec.make_task(source)
        form, s = spec.form(task.interface), spec.search
        search = task.trials((s.seed, SEARCH_TRIALS), s.trials)
        validation, held_out = (task.trials((s.seed, part), s.held_out) for part in (VALIDATION_TRIALS, HELD_OUT_TRIALS))
        return cls(spec, task, form, search, validation, held_out, toolbox(spec, task, form, search))


def toolbox(spec: RunSpec, task: Task, form: Form, trials: Trials) -> base.Toolbox:
    """DEAP's toolbox over operators that take whole populations as arrays: what the algorithms are composed of."""
    box, bounds, stop = base.Toolbox(), form.bounds, spec.stop_rule(task.dt_ms)
    box.register("found", variation.founders, bounds)
    box.register("mate", variation.crossover, bounds=bounds)
    box.register("mutate", variation.mutate, bounds=bounds, more=spec.search.mutation)
    axes = {"names": spec.search.descriptors, "bounds": bounds, "seconds": task.duration_ms / 1000}
    box.register("cell", descriptors.cell, **axes, most=spec.search.population)
    box.register("free_values", FreeValues, bounds=bounds)
    box.register("evaluate", lambda genomes: evaluate(task, trials, genome.builder(genomes, form), stop))
    return box


def run_epoch(
    setting: Setting,
    island: int,
    epoch: int,
    state: State | None,
    guests: Migrants | Founders | None,
    watch: Stopwatch | None = None,
) -> State:
    """The island's next state: `spec.search.epoch` generations on from `state`, or from founders when there is none."""
    s, box, watch = setting.spec.search, setting.toolbox, Stopwatch() if watch is None else watch
    rng = np.random.default_rng(np.random.SeedSequence(s.seed, spawn_key=(island, epoch)))
    log, trier = tools.Logbook(), _Trier(setting, island, watch)
    if state is None:
        genomes = box.found(s.population, rng)
        if isinstance(guests, Founders):
            genomes[: len(guests.genomes)] = guests.genomes
        crowd, counts = trier.tried(genomes, 0)
        found = lineage.born(island, 0, crowd.fates["score"])
        crowd.fates["line"] = found.lines
        pedigree = [lineage.steps(found, crowd, genomes[:0], None, found.lines)]
        none = np.empty(0, record(genomes.dtype, len(s.objectives)))
        trier.look(crowd, none)
        kept = archive.updated(none, crowd, s.archive)
        log.record(**_row(0, counts | trier.failures(), crowd, kept))
    else:
        crowd, kept, pedigree = Crowd.of(state.population, state.grades), state.archive, [state.pedigree]
        trier.remember(crowd)
    algorithm = ALGORITHMS[s.algorithm](s, box, crowd, rng, watch)
    if isinstance(guests, Migrants):
        pedigree.append(guests.pedigree)
        with watch("select"):
            algorithm.tell(Crowd.of(guests.population, guests.grades))
    first = 0 if state is None else state.generation
    for generation in range(first + 1, min(first + s.epoch, s.generations) + 1):
        with watch("vary"):
            genomes, mothers, crossed = algorithm.ask()
        offspring, counts = trier.tried(genomes, generation)
        with watch("lineage"):
            before, fates = algorithm.crowd, offspring.fates
            if mothers is not None:
                changed = variation.rewired(genomes, before.genomes, mothers)
                fates["wired"] = np.where(changed, generation, before.fates["wired"][mothers])
            found = lineage.born(island, generation, fates["score"], before.fates, mothers, crossed)
            fates["line"] = found.lines
        trier.look(offspring, kept)
        with watch("select"):
            algorithm.tell(offspring)
        with watch("archive"):
            kept = archive.updated(kept, offspring, s.archive)
        with watch("lineage"):
            pedigree.append(lineage.steps(found, offspring, before.genomes, mothers, _living(algorithm.crowd, kept)))
        log.record(**_row(generation, counts | trier.failures(), algorithm.crowd, kept))
    crowd, kept = algorithm.crowd, archive.kept(trier.measured(kept), s.archive)
    late = trier.failures()
    log[-1] |= {"wirings": identity.wirings(crowd.genomes)}
    log[-1] |= _looks(kept) | late | {"failed": log[-1]["failed"] + late["failed"]}
    with watch("lineage"):
        steps = lineage.pruned(pedigree, _living(crowd, kept))
    return State(crowd.individuals(), crowd.grades, kept, steps, list(log))


def _living(crowd, kept):
    return np.concatenate([crowd.fates["line"], kept["line"]])


class _Trier:
    """Tries circuits on the search's trials, each once in an epoch however often it comes up, and good ones on fresh trials."""

    def __init__(self, setting, island, watch):
        self.setting, self.watch = setting, watch
        self.failed, self.fault = 0, None
        self.unknown = np.zeros((), fate(len(setting.spec.search.objectives)))
        self.unknown["island"] = island
        for name in LOOKED_AT:
            self.unknown[name] = np.nan
        # Circuits are numbered in the order in which they come: the number of each first one by its key, what became of them
        # crowd by crowd, and the number with which each crowd begins.
        self.number, self.crowds, self.begin = {}, [], [0]

    def remember(self, crowd):
        """What is known from earlier epochs."""
        with self.watch("identify"):
            self._numbered(crowd)

    def _numbered(self, crowd):
        """The number of each, or of the one like it that came first: int64 [n]."""
        first, count = self.begin[-1], len(crowd.genomes)
        keys = identity.keys(crowd.genomes)
        numbers = np.fromiter(map(self.number.setdefault, keys, range(first, first + count)), "i8", count)
        self.crowds.append((crowd.fates, crowd.grades))
        self.begin.append(first + count)
        return numbers

    def tried(self, genomes, generation):
        """The genomes as a crowd, and what to log of it: evaluations; repeats, how many of them were known; simulated, the
        share of the steps of the others that the stop rule left to simulate."""
        crowd = Crowd(genomes, self._born(genomes, generation), np.empty((len(genomes), len(self.setting.search)), "f4"))
        with self.watch("identify"):
            first, numbers = self.begin[-1], self._numbered(crowd)
            is_new = numbers == np.arange(first, first + len(numbers))
        new = np.flatnonzero(is_new)
        simulated = self._try(crowd, new) if len(new) else 1.0
        with self.watch("identify"):
            self._copy(crowd, np.flatnonzero(~is_new), numbers[~is_new])
        return crowd, {"evaluations": len(genomes), "repeats": len(genomes) - len(new), "simulated": simulated}

    def _copy(self, crowd, which, numbers):
        """What became of circuits that have come before, by their numbers."""
        places = np.searchsorted(self.begin, numbers, "right") - 1
        for place in np.unique(places):
            here, (fates, grades) = places == place, self.crowds[place]
            theirs = numbers[here] - self.begin[place]
            for name in TOLD:
                crowd.fates[name][which[here]] = fates[name][theirs]
            crowd.grades[which[here]] = grades[theirs]

    def _born(self, genomes, generation):
        fates = np.full(len(genomes), self.unknown)
        fates["generation"] = fates["wired"] = generation
        return fates

    def _try(self, crowd, new):
        simulated = 0.0
        for some in np.array_split(new, -(-len(new) // TOGETHER)):
            whole = len(some) == len(crowd.genomes)
            found = self.setting.toolbox.evaluate(crowd.genomes if whole else crowd.genomes.take(some))
            self._took(found)
            with self.watch("score"):
                told = losses(self.setting.spec.search.objectives, found), found.score, found.spikes, found.events
                for name, values in zip(TOLD, told, strict=True):
                    crowd.fates[name][some] = values
                crowd.grades[some] = found.grades
                simulated += float(found.simulated.sum())
        return simulated / len(new)

    def look(self, crowd, kept):
        """Try the best of a crowd on fresh trials if it is better than all in the archive that were: it then says so."""
        tried = kept["score"][~np.isnan(kept["validation"])]
        best = int(np.argmax(crowd.fates["score"]))
        if crowd.fates["score"][best] > tried.max(initial=-1.0):
            self._on_fresh_trials(crowd.genomes, crowd.fates, np.array([best]))

    def measured(self, records):
        """The records with every missing score on fresh trials measured."""
        records, new = records.copy(), np.flatnonzero(np.isnan(records["validation"]))
        if len(new):
            self._on_fresh_trials(records["genome"], records, new)
        return records

    def _on_fresh_trials(self, genomes, fates, which):
        task, tables = self.setting.task, genome.tables(genomes[which], self.setting.form)
        validation, found = (evaluate(task, trials, tables) for trials in (self.setting.validation, self.setting.held_out))
        self._took(validation)
        self._took(found)
        fates["validation"][which], fates["held_out"][which] = validation.score, found.score
        fates["low"][which], fates["high"][which] = found.interval

    def failures(self):
        """What to log of the circuits for which the task's own code failed since this was asked last: how many, and the first
        message."""
        found = {"failed": self.failed} | ({"fault": self.fault} if self.failed else {})
        self.failed, self.fault = 0, None
        return found

    def _took(self, found):
        self.failed += int(found.failed.sum())
        self.fault = self.fault or found.fault
        for phase, seconds in found.seconds.items():
            self.watch.add(phase, seconds)


def _row(generation, counts, crowd, kept):
    """What is logged of a generation: its number, evaluations, repeats, simulated (see `_Trier.tried`), failed and the first
    message (see `_Trier.failures`), best and median score of the population, its least losses, the size of the archive, and of
    the circuit that did best on validation trials the score there and on held-out ones. That of the last generation of an epoch
    also has wirings, how many different ones the population holds."""
    fates = crowd.fates
    scores = {"best": float(fates["score"].max()), "median": _median(fates["score"])}
    least = {"losses": [float(x) for x in fates["losses"].min(axis=0)], "archive": len(kept)}
    return {"generation": generation, **counts, **scores, **least, **_looks(kept)}


def _median(values):
    """np.median, which takes ten times as long for few."""
    values = np.sort(values)
    return float(values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2


def _looks(kept):
    best = archive.champion(kept)
    return {name: float(kept[name][best]) for name in ("validation", "held_out")}


@lru_cache(maxsize=4)
def setting(spec_json: str, source: str | None) -> Setting:
    """The Setting of a spec given as JSON, built once per process."""
    return Setting.of(RunSpec.model_validate_json(spec_json), source)
