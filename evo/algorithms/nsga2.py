"""NSGA-II: parents by tournament, survivors by Pareto rank and crowding distance.

Source: Deb, Pratap, Agarwal and Meyarivan, IEEE Trans. Evol. Comput. 6, 2002.
"""

from evo.algorithms.algorithm import Algorithm
from evo.selection.ranking import nsga2, tournament


class NSGA2(Algorithm):
    name = "nsga2"
    text = "parents and survivors by Pareto rank and crowding distance"

    def parents(self, count):
        return tournament(self.objectives(self.population.outcomes), count, self.rng)

    def survivors(self, outcomes, case_scores):
        return nsga2(self.objectives(outcomes), self.count)
