"""Weights-only search, a control: the wiring of the founders stays; weights, delays and parameters evolve."""

import numpy as np

from evo.algorithms.algorithm import Offspring
from evo.algorithms.lexicase_nsga2 import LexicaseNSGA2


class WeightsOnly(LexicaseNSGA2):
    name = "weights-only"
    text = "a control: the wiring of the founders stays, its weights, delays and parameters evolve"

    def ask(self):
        with self.watch("select"):
            mothers = self.parents(self.offspring)
        children = self.population.genomes[mothers]
        return Offspring(self.box.mutate(children, rng=self.rng, wiring=False), mothers, np.zeros(self.offspring, bool))
