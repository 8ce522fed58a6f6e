"""Polishing within an algorithm, `search.polish`: CMA-ES goes on with the weights, delays and parameters of good wirings,
beside the children that the algorithm makes; what it finds goes back into the population (a memetic algorithm, Lamarckian).

Each generation a share of the children is drawn by a few strategies, one a wiring (`matrix_adaptation`): that of a good
circuit, or one rewired by mutation, which is seldom as good as what it was made of before its values are its own. The best
circuit of a strategy stays in the population as long as the strategy lasts. It ends where it finds nothing better any more, or
where half of those before it were better at its age (the median stopping rule: Golovin et al., KDD 2017). Strategies rank
circuits by the mean of the case scores, which change smoothly where the score does not. They last no longer than an epoch:
epochs of 100 generations suit them.
"""

from typing import Any

import numpy as np

from circuits.errors import UserError
from circuits.numerics import portable
from evo.algorithms.algorithm import Algorithm, Offspring
from evo.algorithms.matrix_adaptation import MatrixAdaptation
from evo.genome.variation import rewired
from evo.population.individual import Population, joined

WIDEST, NARROWEST = 0.15, 0.02  # standard deviations with which strategies begin, in shares of the ranges
AGES = (15, 30, 60, 120)  # generations after which a strategy is compared with others
PATIENCE, RISE = 40, 0.002  # a strategy ends when so many generations raise the mean case score by less
REWIRED = 0.7  # share of the strategies that begin with another wiring than the circuit that they were made of
RIVALS = 3  # of which the best circuit is taken
TRIES = 20  # mutations, until one rewires


class Strategy:
    """One wiring's.

    best    the best circuit of it so far, None before the first generation
    course  the best mean case score after each generation
    """

    def __init__(self, genome: np.ndarray, box: Any, sigma: float):
        self.values = box.free_values(genome[0])
        self.cma = MatrixAdaptation(self.values.read(genome)[0], sigma)
        self.best: Population | None = None
        self.course: list[float] = []

    @property
    def count(self) -> int:
        """Circuits of a generation."""
        return self.cma.count

    def ask(self, rng: np.random.Generator) -> np.ndarray:
        """The genomes of the next generation."""
        return self.values.written(self.cma.ask(rng))

    def tell(self, population: Population):
        """How they did."""
        value = mean_case_score(population)
        order = np.argsort(-value, kind="stable")
        self.cma.tell(order)
        if not self.course or value[order[0]] > self.course[-1]:
            self.best = population.take(order[:1])
        self.course.append(max([float(value[order[0]]), *self.course[-1:]]))

    @property
    def stalls(self) -> bool:
        return len(self.course) > PATIENCE and self.course[-1] - self.course[-1 - PATIENCE] < RISE


def with_polish(kind: type[Algorithm], share: float) -> type[Algorithm]:
    """The algorithm, this share of its children made by CMA-ES; the algorithm itself if that is 0. Raises UserError for one
    that selects no parents: others than it asked for would come between."""
    if not share:
        return kind
    if "parents" not in kind.selects:
        raise UserError(f"search.polish: the algorithm {kind.name} selects no parents; leave it out, or name another algorithm")

    class Polished(kind):  # type: ignore[valid-type, misc]
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.strategies: list[Strategy] = []
            self.courses: list[list[float]] = []
            self.asked = False

        def ask(self):
            with self.watch("select"):
                mothers = self._renewed()
            drawn = [strategy.ask(self.rng) for strategy in self.strategies]
            places = np.repeat(mothers, [len(some) for some in drawn])
            found = self._with_count(max(self.search.population - len(places), 1), super().ask)
            self.asked, genomes = True, found.genomes
            for some in drawn:
                genomes = joined(genomes, some)
            if found.mothers is None:  # founders, which no algorithm that selects parents makes but one of the user's own
                return Offspring(genomes)
            crossed = np.zeros(len(found.genomes), bool) if found.crossed is None else found.crossed
            return Offspring(genomes, joined(found.mothers, places), joined(crossed, np.zeros(len(places), bool)))

        def tell(self, population):
            kept = len(population.genomes)
            if self.asked:  # else they are migrants
                kept -= sum(strategy.count for strategy in self.strategies)
                end = kept
                for strategy in self.strategies:
                    strategy.tell(population.take(np.arange(end, end + strategy.count)))
                    end += strategy.count
            self.asked = False
            bests = [strategy.best for strategy in self.strategies if strategy.best is not None]
            tell = super().tell
            told = population.take(np.arange(kept))
            for best in bests:
                told = told.joined(best)
            room = max(self.search.population - len(bests), 1)
            self._with_count(room, lambda: tell(told))
            known = {genome.tobytes() for genome in self.population.genomes}
            for best in bests:
                if len(self.population.genomes) < self.search.population and best.genomes.tobytes() not in known:
                    self.population = self.population.joined(best)

        def _with_count(self, count, call):
            """The algorithm's own part, as if its population were of this size."""
            self.count = count
            try:
                return call()
            finally:
                self.count = self.search.population

        def _renewed(self) -> np.ndarray:
            """End strategies and begin others; returns the place of each one's circuit in the population, of new ones that of
            the circuit that they were made of."""
            place = {genome.tobytes(): k for k, genome in enumerate(self.population.genomes)}
            going, mothers = [], []
            for strategy in self.strategies:
                here = None if strategy.best is None else place.get(strategy.best.genomes.tobytes())
                if here is not None and not strategy.stalls and not self._behind(strategy):
                    going.append(strategy)
                    mothers.append(here)
            value, room = mean_case_score(self.population), round(share * self.search.population)
            while True:
                mother = int(np.argmax(value)) if not self.courses else self._good(value)
                strategy = self._begun(mother, bool(self.courses))
                if going and sum(other.count for other in going) + strategy.count > room:
                    break
                going.append(strategy)
                mothers.append(mother)
                self.courses.append(strategy.course)
            self.strategies = going
            return np.array(mothers, int)

        def _good(self, value):
            return int(max((self.rng.random(RIVALS) * len(value)).astype(int), key=value.__getitem__))

        def _begun(self, mother, may_rewire):
            genome = self.population.genomes[[mother]]
            if may_rewire and self.rng.random() < REWIRED:
                for _ in range(TRIES):
                    child = self.box.mutate(self.population.genomes[[mother]], rng=self.rng)
                    if rewired(child, genome, np.zeros(1, int))[0]:
                        genome = child
                        break
            sigma = NARROWEST * float(portable.exp(self.rng.random() * portable.log(WIDEST / NARROWEST)))
            return Strategy(genome, self.box, sigma)

        def _behind(self, strategy):
            age = len(strategy.course)
            rivals = [course[age - 1] for course in self.courses if len(course) >= age and course is not strategy.course]
            return age in AGES and len(rivals) > 2 and strategy.course[-1] < np.sort(rivals)[len(rivals) // 2]

    return Polished


def mean_case_score(population: Population) -> np.ndarray:
    """Of each circuit, float64 [n]."""
    cases = np.ascontiguousarray(population.case_scores, "f8")
    return cases.sum(axis=1) / cases.shape[1]
