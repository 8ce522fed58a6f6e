"""One epoch of one island: a pure function.

The state of an island after epoch e depends only on its state after epoch e - 1, the migrants of its neighbour after epoch
e - 1, the run's spec, the island's number, e, and the results of the circuits that it requests. It has the same bytes wherever
and however often it is computed.
"""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import numpy as np
from deap import tools

from evo import genome
from evo.engine.evaluator import Evaluator, Request
from evo.engine.problem import Problem
from evo.engine.stopwatch import Stopwatch
from evo.population import archive, lineage
from evo.population.individual import Population, outcome_of, record
from evo.selection.ranking import nsga2

RISE = 0.01  # of the best score: an epoch that raises it by less has stagnated


class State(NamedTuple):
    """An island between two epochs; the fields have the names that they have in stores. Arrays of records: `individual.record`.

    population  records [population];   grades  their case scores, float32 [population, trials]
    archive     records [<= search.archive]: the non-dominated circuits so far, and the one with the best validation score,
                scored on fresh trials as well
    pedigree    the steps of their lineage, see `evo.population.lineage`
    log         one dict per generation of the epoch that ended here, see `_row`
    """

    population: np.ndarray
    grades: np.ndarray
    archive: np.ndarray
    pedigree: np.ndarray
    log: list

    def migrants(self, count: int) -> "Migrants":
        """Migrants for the next island: the individuals that NSGA-II ranks best, and their lineage."""
        chosen = nsga2(self.population["losses"], count)
        individuals = self.population[chosen]
        return Migrants(individuals, self.grades[chosen], lineage.pruned([self.pedigree], individuals["line"]))

    @property
    def generation(self) -> int:
        return self.log[-1]["generation"]


class Migrants(NamedTuple):
    population: np.ndarray
    grades: np.ndarray
    pedigree: np.ndarray


class Founders(NamedTuple):
    """Initial genomes [n] of an island, of `genome.dtype`; the rest of its population is drawn."""

    genomes: np.ndarray


def epoch_steps(
    problem: Problem,
    island: int,
    epoch: int,
    state: State | None,
    guests: Migrants | Founders | None,
    watch: Stopwatch | None = None,
    observe: Callable[[int, np.ndarray], None] = lambda *_: None,
) -> Generator[Request, Any, State]:
    """The computation of the island's next state, `spec.search.epoch` generations on from `state`, or from founders without
    one: yields requests for circuits to be judged, is sent their results, and returns the state. `observe` gets the number and
    the archive of every generation."""
    s = _of_epoch(problem.spec.search, epoch, state, guests)
    box, watch = problem.toolbox_of(island), Stopwatch() if watch is None else watch
    rng = np.random.default_rng(np.random.SeedSequence(s.seed, spawn_key=(island, epoch)))
    log, evaluator = tools.Logbook(), Evaluator(outcome_of(s), island, watch, problem.judge.race)
    if state is None:
        genomes = box.init(_founders(s, guests), rng)
        if isinstance(guests, Founders):
            genomes[: len(guests.genomes)] = guests.genomes
        population, counts = yield from evaluator.evaluated(genomes, 0)
        births = lineage.born(island, 0, population.outcomes["score"])
        population.outcomes["line"] = births.lines
        pedigree = [lineage.steps(births, population, genomes[:0], None, births.lines)]
        empty = np.empty(0, record(genomes.dtype, population.outcomes.dtype))
        yield from evaluator.look(population, empty)
        kept = archive.updated(empty, population, s.archive)
        log.record(**_row(0, counts | evaluator.failures(), population, kept))
        observe(0, kept)
    else:
        case_scores = state.grades.copy() if s.noisy else state.grades  # updated in place when they are judged again
        population, kept, pedigree = Population.of(state.population, case_scores), state.archive, [state.pedigree]
        evaluator.remember(population)
    algorithm = problem.algorithm(s, box, population, rng, watch)
    if isinstance(guests, Migrants):
        pedigree.append(guests.pedigree)
        with watch("select"):
            algorithm.tell(Population.of(guests.population, guests.grades))
    partners = algorithm.population.genomes[np.argmax(algorithm.population.outcomes["score"])]
    first = 0 if state is None else state.generation
    for generation in range(first + 1, min(first + s.epoch, s.generations) + 1):
        with watch("vary"):
            genomes, mothers, crossed = algorithm.ask()
            genomes = box.join(genomes, partners=partners)
        before = algorithm.population
        offspring, counts = yield from evaluator.evaluated(genomes, generation, before if s.noisy else None)
        with watch("lineage"):
            outcomes = offspring.outcomes
            if mothers is not None:
                changed = genome.rewired(genomes, before.genomes, mothers)
                outcomes["wired"] = np.where(changed, generation, before.outcomes["wired"][mothers])
            births = lineage.born(island, generation, outcomes["score"], before.outcomes, mothers, crossed)
            outcomes["line"] = births.lines
        if s.noisy:
            kept = yield from evaluator.championed(archive.refreshed(kept, before, s.archive))
        else:
            yield from evaluator.look(offspring, kept)
        with watch("select"):
            algorithm.tell(offspring)
        if not s.noisy:
            with watch("archive"):
                kept = archive.updated(kept, offspring, s.archive)
        with watch("lineage"):
            pedigree.append(lineage.steps(births, offspring, before.genomes, mothers, _living(algorithm.population, kept)))
        log.record(**_row(generation, counts | evaluator.failures(), algorithm.population, kept))
        observe(generation, kept)
    population = algorithm.population
    kept = archive.kept((yield from evaluator.measured(kept, population)), s.archive)
    late = evaluator.failures()
    log[-1] |= {"wirings": genome.wirings(population.genomes)}
    log[-1] |= _looks(kept) | late | {"failed": log[-1]["failed"] + late["failed"]}
    with watch("lineage"):
        steps = lineage.pruned(pedigree, _living(population, kept))
    return State(population.individuals(), population.case_scores, kept, steps, list(log))


def _founders(search, guests):
    """The number of founders of an island: all that are given, and as many as there are at first. With fewer offspring than
    circuits no circuit is discarded until the population is complete."""
    given = len(guests.genomes) if isinstance(guests, Founders) else 0
    first = search.population if search.initial_population is None else search.initial_population
    return max(min(first, search.population), given)


def _of_epoch(search, epoch, state, guests):
    """[search] in this epoch. A population that begins small doubles from epoch to epoch, or only after epochs that stagnated,
    and is never smaller than what is present of it; with a number of offspring and without stagnation it fills up by itself."""
    by_stagnation = search.growth == "stagnation"
    if search.initial_population is None or (search.offspring is not None and not by_stagnation):
        return search
    present = len(guests.genomes) if isinstance(guests, Founders) else 0 if state is None else len(state.population)
    if by_stagnation:
        planned = search.initial_population if state is None else present * (2 if _stagnated(state) else 1)
    else:
        planned = search.initial_population << min(epoch, 20)
    population = min(search.population, max(planned, present))
    return search.model_copy(update={"population": population, "initial_population": population})


def _stagnated(state):
    """Did the epoch that ended here raise the best score by less than RISE?"""
    return state.log[-1]["best"] - state.log[0]["best"] < RISE


def _living(population, kept):
    return np.concatenate([population.outcomes["line"], kept["line"]])


def _row(generation, counts, population, kept):
    """Log entry of a generation: its number, evaluations, repeats, simulated (see `Evaluator.evaluated`), failed and the
    first message (see `Evaluator.failures`), best and median score of the population, its lowest objectives (`losses` in
    stores), the size of the archive, and the scores of the circuit with the best validation score: on validation trials, on
    held-out ones, and in the worst of their conditions, if there are any. The entry of the last generation of an epoch also has
    the number of distinct wirings in the population."""
    outcomes = population.outcomes
    scores = {"best": float(outcomes["score"].max()), "median": _median(outcomes["score"])}
    archived = {"losses": [float(x) for x in outcomes["losses"].min(axis=0)], "archive": len(kept)}
    return {"generation": generation, **counts, **scores, **archived, **_looks(kept)}


def _median(values):
    """np.median, which takes ten times as long for few."""
    values = np.sort(values)
    return float(values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2


def _looks(kept):
    best = archive.champion(kept)  # there is one: the best of the first generation was validated
    has_conditions = not np.isnan(kept["worst"][best])
    return {name: float(kept[name][best]) for name in ("validation", "held_out", *(["worst"] * has_conditions))}
