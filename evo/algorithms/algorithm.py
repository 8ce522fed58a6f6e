"""The contract of search algorithms: they propose circuits (`ask`) and are told the results (`tell`).

An algorithm object lives for one epoch and starts from the island's population alone. It keeps nothing else between epochs, so
that an epoch stays a function of the stored state. A new algorithm is a file here with a class that overrides `parents` and
`survivors`, or `ask` and `tell` where it breeds in another way.
"""

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from deap import base

from evo.genome.variation import NOBODY
from evo.population.individual import Population, joined

if TYPE_CHECKING:
    from evo.engine.stopwatch import Stopwatch


class Offspring(NamedTuple):
    """Proposed circuits: their genomes [n]; the mother of each, an index [n] into the population, or None for founders; and
    whether the genome has parts of a second parent, bool [n]."""

    genomes: np.ndarray
    mothers: np.ndarray | None = None
    crossed: np.ndarray | None = None


class Algorithm:
    """One epoch of an algorithm.

    search  the [search] section of the run spec;   count  its population;   offspring  their number in a generation
    box     DEAP's toolbox of operators: init, mate, mutate, cell, free_values
    population   the population
    rng     all randomness, as uniform numbers only: they are the same on every machine
    watch   measures the time of each phase
    """

    name: ClassVar[str]
    text: ClassVar[str]  # one line for `evo algorithms`
    selects: ClassVar[tuple[str, ...]] = ("parents", "survivors")  # selections that a spec may replace

    def __init__(self, search: Any, box: base.Toolbox, population: Population, rng: np.random.Generator, watch: "Stopwatch"):
        self.search, self.box, self.population, self.rng, self.watch = search, box, population, rng, watch
        self.count = search.population
        self.offspring = min(search.offspring or self.count, self.count)

    def ask(self) -> Offspring:
        """The next circuits to be evaluated."""
        with self.watch("select"):
            mothers, fathers = self.parents(self.offspring), np.full(self.offspring, NOBODY)
            mated = self.rng.random(self.offspring) < self.search.crossover
            fathers[mated] = self.parents(int(mated.sum()))
        children, crossed = self.box.mate(self.population.genomes, mothers, fathers, rng=self.rng)
        return Offspring(self.box.mutate(children, rng=self.rng), mothers, crossed)

    def tell(self, population: Population):
        """Select the next `population` from itself and evaluated circuits: offspring or migrants."""
        outcomes, case_scores = (
            joined(self.population.outcomes, population.outcomes),
            joined(self.population.case_scores, population.case_scores),
        )
        self.population = self.population.picked(population, self.survivors(outcomes, case_scores))

    def objectives(self, outcomes: np.ndarray) -> np.ndarray:
        """Objectives that selection minimises, [n, objectives]. Where the spec protects new wirings, the age of the wiring is
        one more objective (age-fitness Pareto optimisation: Schmidt and Lipson, Genetic Programming Theory and Practice VIII,
        2011), so that a recent wiring survives before its weights are tuned."""
        if self.search.protect == "none":
            return outcomes["losses"]
        return np.column_stack([outcomes["losses"], outcomes["generation"].max() - outcomes["wired"]])

    def best_first(self, outcomes: np.ndarray) -> np.ndarray:
        """Indices of all circuits, the best score first; of equal scores by the other objectives, then the youngest first."""
        objectives, score = outcomes["losses"], self.search.objectives.index("score")
        others = np.delete(objectives, score, axis=1).T[::-1]
        return np.lexsort((-np.arange(len(objectives)), *others, objectives[:, score]))

    def parents(self, count: int) -> np.ndarray:
        """Indices [count] into the population."""
        raise NotImplementedError

    def survivors(self, outcomes: np.ndarray, case_scores: np.ndarray) -> np.ndarray:
        """Indices of at most `count` survivors, selected by outcomes (`individual.outcome`) and case scores."""
        raise NotImplementedError
