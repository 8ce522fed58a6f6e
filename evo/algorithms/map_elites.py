"""MAP-Elites: the best circuit in every cell of a map whose axes are the spec's `search.descriptors`.

Source: Mouret and Clune, arXiv:1504.04909, 2015. The population is the map: it has at most `search.population` cells, and one
individual in each cell that was ever reached.
"""

import numpy as np

from evo.algorithms.algorithm import Algorithm


class MapElites(Algorithm):
    name = "map-elites"
    text = "the best circuit of every kind (search.descriptors), parents any of them"
    selects = ("parents",)

    def parents(self, count):
        return (self.rng.random(count) * len(self.population.outcomes)).astype(int)

    def tell(self, population):
        """Keep in each cell the circuit that is first by `best_first`."""
        candidates = self.population.joined(population)
        best_first = self.best_first(candidates.outcomes)
        elites = np.unique(self.box.cell(candidates)[best_first], return_index=True)[1]
        self.population = candidates.take(np.sort(best_first[elites]))
