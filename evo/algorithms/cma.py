"""CMA-ES over the weights, delays and parameters of the best circuit, whose wiring stays fixed."""

import numpy as np

from evo.algorithms.algorithm import Algorithm, Offspring
from evo.algorithms.separable_cma import SeparableCMA
from evo.genome.variation import rewired

INITIAL_SD, MINIMUM_SD = 0.03, 0.003  # standard deviations at the start, in shares of the range


class CMA(Algorithm):
    name = "cma"
    text = "CMA-ES over the weights, delays and parameters of the best circuit: for evo fork DIR --set search.algorithm=cma"
    selects = ("survivors",)

    strategy: SeparableCMA | None = None

    def ask(self):
        best, genomes = self.best_first(self.population.outcomes)[0], self.population.genomes
        if self.strategy is None:
            alike = genomes[~rewired(genomes, genomes, np.full(len(genomes), best))]
            self.values = self.box.free_values(genomes[best])
            mean = self.values.read(genomes[[best]])[0]
            self.strategy = SeparableCMA(mean, _deviation(self.values.read(alike) - mean), self.offspring)
        children = self.values.written(self.strategy.ask(self.rng))
        return Offspring(children, np.full(self.offspring, best), np.zeros(self.offspring, bool))

    def tell(self, population):
        if self.strategy is not None:  # before the first `ask` the circuits are migrants
            self.strategy.tell(self.best_first(population.outcomes))
        super().tell(population)

    def survivors(self, outcomes, case_scores):
        return self.best_first(outcomes)[: self.count]


def _deviation(differences):
    """Initial standard deviation of each value: the root mean square difference from the best circuit of those with its wiring,
    which an earlier epoch left in the population."""
    if len(differences) < 10:
        return np.full(differences.shape[1], INITIAL_SD)
    return np.clip(np.sqrt(np.add.accumulate(differences**2)[-1] / len(differences)), MINIMUM_SD, INITIAL_SD)
