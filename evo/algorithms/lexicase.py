"""Epsilon-lexicase: parents and survivors by single trials in random order; the other objectives only break ties.

Source: La Cava, Spector and Danai, GECCO 2016.
"""

import numpy as np

from evo.algorithms.algorithm import Algorithm
from evo.selection.epsilon_lexicase import EpsilonLexicase
from evo.selection.ranking import nsga2


class Lexicase(Algorithm):
    name = "lexicase"
    text = "parents and survivors by epsilon-lexicase over single trials"

    _selection: EpsilonLexicase | None = None

    def parents(self, count):
        # one selection for the mothers and the fathers of a generation
        if self._selection is None or self._selection.case_scores is not self.population.case_scores:
            self._selection = EpsilonLexicase(self.population.case_scores)
        return self._selection.winners(count, self.rng)

    def survivors(self, outcomes, case_scores):
        """Each winner once; the rest by rank in NSGA-II."""
        winners = np.unique(EpsilonLexicase(case_scores).winners(self.count, self.rng))
        ranked = nsga2(self.objectives(outcomes), len(outcomes))
        return np.concatenate([winners, ranked[~np.isin(ranked, winners)]])[: self.count]
