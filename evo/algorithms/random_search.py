"""Random search, a control: every circuit is a new random one; the best are kept."""

from evo.algorithms.algorithm import Algorithm, Offspring
from evo.selection.ranking import nsga2


class RandomSearch(Algorithm):
    name = "random"
    text = "a control: nothing is inherited, the best of many random circuits are kept"
    selects = ("survivors",)

    def ask(self):
        return Offspring(self.box.init(self.offspring, self.rng))

    def survivors(self, outcomes, case_scores):
        return nsga2(self.objectives(outcomes), self.count)
