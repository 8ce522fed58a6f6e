"""One epoch of one island: a pure function.

The state of an island after epoch e depends only on its state after epoch e - 1, the migrants its neighbour sent after epoch
e - 1, the run's spec, the island's number, e, and what is said of the circuits that it asks about on its way. Whoever computes
it, wherever and however often, gets the same bytes.
"""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import numpy as np
from deap import tools

from evo import genome
from evo.engine.evaluator import Evaluator, Request
from evo.engine.problem import Problem
from evo.population import archive, lineage
from evo.population.individual import Population, outcome_of, record
from evo.selection.ranking import nsga2
from evo.stopwatch import Stopwatch


class State(NamedTuple):
    """An island between two epochs; the fields have the names that they have in stores. Arrays of records: `individual.record`.

    population  records [population];   grades  their case scores, float32 [population, trials]
    archive     records [<= search.archive]: the non-dominated circuits seen so far, and the one that did best on validation
                trials, scored on fresh trials as well
    pedigree    the steps that led to these circuits, see `evo.population.lineage`
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


def epoch_steps(
    problem: Problem,
    island: int,
    epoch: int,
    state: State | None,
    guests: Migrants | Founders | None,
    watch: Stopwatch | None = None,
    observe: Callable[[int, np.ndarray], None] = lambda *_: None,
) -> Generator[Request, Any, State]:
    """The way to the island's next state, `spec.search.epoch` generations on from `state`, or from founders when there is none:
    yields which circuits are to be judged, is sent what was said of them, and returns the state. `observe` is given every
    generation's number and archive."""
    s = _of_epoch(problem.spec.search, epoch, state, guests)
    box, watch = problem.toolbox_of(island), Stopwatch() if watch is None else watch
    rng = np.random.default_rng(np.random.SeedSequence(s.seed, spawn_key=(island, epoch)))
    log, evaluator = tools.Logbook(), Evaluator(outcome_of(s), island, watch, problem.judge.race)
    if state is None:
        genomes = box.init(s.population, rng)
        if isinstance(guests, Founders):
            genomes[: len(guests.genomes)] = guests.genomes
        population, counts = yield from evaluator.evaluated(genomes, 0)
        found = lineage.born(island, 0, population.outcomes["score"])
        population.outcomes["line"] = found.lines
        pedigree = [lineage.steps(found, population, genomes[:0], None, found.lines)]
        none = np.empty(0, record(genomes.dtype, population.outcomes.dtype))
        yield from evaluator.look(population, none)
        kept = archive.updated(none, population, s.archive)
        log.record(**_row(0, counts | evaluator.failures(), population, kept))
        observe(0, kept)
    else:
        case_scores = state.grades.copy() if s.noisy else state.grades  # which are judged again
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
            found = lineage.born(island, generation, outcomes["score"], before.outcomes, mothers, crossed)
            outcomes["line"] = found.lines
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
            pedigree.append(lineage.steps(found, offspring, before.genomes, mothers, _living(algorithm.population, kept)))
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


def _of_epoch(search, epoch, state, guests):
    """[search] in this epoch: a population that begins small doubles from epoch to epoch, and is never smaller than what is
    there of it."""
    if search.initial_population is None:
        return search
    there = len(guests.genomes) if isinstance(guests, Founders) else 0 if state is None else len(state.population)
    planned = search.initial_population << min(epoch, 20)
    return search.model_copy(update={"population": min(search.population, max(planned, there))})


def _living(population, kept):
    return np.concatenate([population.outcomes["line"], kept["line"]])


def _row(generation, counts, population, kept):
    """Log entry of a generation: its number, evaluations, repeats, simulated (see `Evaluator.evaluated`), failed and the
    first message (see `Evaluator.failures`), best and median score of the population, its least losses, the size of the
    archive, and of the circuit that did best on validation trials the score there, on held-out ones, and in the worst of their
    conditions, if they have any. That of the last generation of an epoch also has wirings, how many different ones the
    population holds."""
    outcomes = population.outcomes
    scores = {"best": float(outcomes["score"].max()), "median": _median(outcomes["score"])}
    least = {"losses": [float(x) for x in outcomes["losses"].min(axis=0)], "archive": len(kept)}
    return {"generation": generation, **counts, **scores, **least, **_looks(kept)}


def _median(values):
    """np.median, which takes ten times as long for few."""
    values = np.sort(values)
    return float(values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2


def _looks(kept):
    best = archive.champion(kept)  # there is one: the first generation's best was looked at
    has_conditions = not np.isnan(kept["worst"][best])
    return {name: float(kept[name][best]) for name in ("validation", "held_out", *(["worst"] * has_conditions))}
