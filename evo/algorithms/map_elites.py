"""MAP-Elites: the best circuit of every kind, kinds being cells of a map whose axes are the spec's `search.descriptors`.

Source: Mouret and Clune, arXiv:1504.04909, 2015. The population is the map: it has at most `search.population` cells, and one
individual for each that was ever reached.
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
        """Keeps of each cell the one with the best score, of equals the one that loses least by the other objectives, then the
        youngest."""
        everyone = self.population.joined(population)
        best_first = self.best_first(everyone.outcomes)
        first = np.unique(self.box.cell(everyone)[best_first], return_index=True)[1]
        self.population = everyone.take(np.sort(best_first[first]))
