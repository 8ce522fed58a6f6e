"""Random search, a control: every circuit is a new random one; the best found are kept."""

from evo.algorithms.algorithm import Algorithm, Brood
from evo.selection.ranking import nsga2


class RandomSearch(Algorithm):
    name = "random"
    text = "a control: nothing is inherited, the best of many random circuits are kept"

    def ask(self):
        return Brood(self.box.found(self.count, self.rng))

    def survivors(self, fates, grades):
        return nsga2(self.losses(fates), self.count)
