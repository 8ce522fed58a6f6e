"""Search algorithms by name, one file each; `search.algorithm` in a run spec names one."""

from evo.algorithms.algorithm import Algorithm, Offspring
from evo.algorithms.cma import CMA
from evo.algorithms.lexicase import Lexicase
from evo.algorithms.lexicase_nsga2 import LexicaseNSGA2
from evo.algorithms.map_elites import MapElites
from evo.algorithms.nsga2 import NSGA2
from evo.algorithms.own import own_algorithm
from evo.algorithms.polish import with_polish
from evo.algorithms.random_search import RandomSearch
from evo.algorithms.selections import with_selections
from evo.algorithms.weights_only import WeightsOnly

ALGORITHMS: dict[str, type[Algorithm]] = {
    kind.name: kind for kind in (LexicaseNSGA2, Lexicase, NSGA2, MapElites, CMA, RandomSearch, WeightsOnly)
}
DEFAULT = LexicaseNSGA2.name

__all__ = [
    "ALGORITHMS",
    "DEFAULT",
    "Algorithm",
    "Offspring",
    "RandomSearch",
    "WeightsOnly",
    "own_algorithm",
    "with_polish",
    "with_selections",
]
