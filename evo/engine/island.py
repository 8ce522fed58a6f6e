"""One epoch of one island: a pure function.

The state of an island after epoch e depends only on its state after epoch e - 1, the migrants its neighbour sent after epoch
e - 1, the run's spec, the island's number and e. Whoever computes it, wherever and however often, gets the same bytes.
"""

from typing import NamedTuple

import numpy as np
from deap import tools

from evo.algorithms import ALGORITHMS
from evo.engine.recheck import recheck
from evo.engine.setting import Setting
from evo.engine.trier import Trier
from evo.genome import identity, variation
from evo.population import archive, lineage
from evo.population.individual import Crowd, record
from evo.selection.ranking import nsga2
from evo.stopwatch import Stopwatch


class State(NamedTuple):
    """An island between two epochs. Arrays of records have the fields of `individual.record`.

    population  records [population];   grades  float32 [population, trials]
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
    log, trier = tools.Logbook(), Trier(setting, island, watch)
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
        theirs = [(guests.population, guests.grades)] if isinstance(guests, Migrants) else []
        with watch("score"):
            recheck(setting, epoch, (state.population, state.grades), *theirs)
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


def _row(generation, counts, crowd, kept):
    """What is logged of a generation: its number, evaluations, repeats, simulated (see `Trier.tried`), failed and the first
    message (see `Trier.failures`), best and median score of the population, its least losses, the size of the archive, and of
    the circuit that did best on validation trials the score there, on held-out ones, and in the worst of their conditions, if
    they have any. That of the last generation of an epoch also has wirings, how many different ones the population holds."""
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
    has_conditions = not np.isnan(kept["worst"][best])
    return {name: float(kept[name][best]) for name in ("validation", "held_out", *(["worst"] * has_conditions))}
