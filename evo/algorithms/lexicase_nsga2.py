"""Parents by epsilon-lexicase; survivors are its winners and those that NSGA-II keeps: solutions of hard trials are bred from
specialists that the mean over trials does not show, and cheap circuits stay."""

from evo.algorithms.algorithm import Algorithm
from evo.selection import epsilon_lexicase, specialists


class LexicaseNSGA2(Algorithm):
    name = "lexicase-nsga2"
    text = "parents by epsilon-lexicase, half the survivors too, the others by NSGA-II"

    def parents(self, count):
        return epsilon_lexicase(self.crowd.grades, count, self.rng)

    def survivors(self, fates, grades):
        return specialists(self.losses(fates), grades, self.count, self.rng)
