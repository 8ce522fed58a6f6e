"""Parents by epsilon-lexicase; survivors are its winners and those that NSGA-II keeps: solutions of hard trials are bred from
specialists that the mean over trials does not show, and cheap circuits stay."""

from evo.algorithms.lexicase import Lexicase
from evo.selection.ranking import specialists


class LexicaseNSGA2(Lexicase):
    name = "lexicase-nsga2"
    text = "parents by epsilon-lexicase, half the survivors too, the others by NSGA-II"

    def survivors(self, outcomes, case_scores):
        return specialists(self.objectives(outcomes), case_scores, self.count, self.rng)
