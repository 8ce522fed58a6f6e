"""Polishing within an algorithm, `search.polish`: CMA-ES tunes the weights, delays and parameters of good wirings beside the
children that the algorithm breeds, and its best circuits enter the population (a Lamarckian memetic algorithm).

Each generation a share of the children is drawn by a few strategies (`matrix_adaptation`), each for one wiring: that of a good
circuit, or a mutated wiring, which is seldom better than its mother's before its values are tuned. The best circuit of a
strategy stays in the population as long as the strategy lasts. A strategy ends when it stops improving, or when half of the
earlier strategies were better at its age (the median stopping rule: Golovin et al., KDD 2017). Strategies rank circuits by the
mean of the case scores, which changes smoothly where the score does not. They last at most an epoch: epochs of 100
generations suit them.
"""

from typing import Any

import numpy as np

from circuits.errors import UserError
from circuits.numerics import portable
from circuits.numerics.matrix_adaptation import MatrixAdaptation
from evo.algorithms.algorithm import Algorithm, Offspring
from evo.genome.variation import rewired
from evo.population.individual import Population, joined

WIDEST, NARROWEST = 0.15, 0.02  # standard deviations with which strategies begin, in shares of the ranges
AGES = (15, 30, 60, 120)  # generations after which a strategy is compared with others
PATIENCE, RISE = 40, 0.002  # a strategy ends when this many generations raise the mean case score by less than this
REWIRED = 0.7  # share of the strategies that start with a mutated wiring
TOURNAMENT = 3  # size of the tournament that selects the mother of a strategy
TRIES = 20  # mutations at most until one changes the wiring


class Strategy:
    """CMA-ES over the free values of one wiring.

    best    its best circuit so far, None before the first generation
    course  its best mean case score after each generation
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
        """Update the strategy by its evaluated circuits."""
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
    """The algorithm with this share of its children made by CMA-ES; the algorithm itself if the share is 0. Raises UserError
    for an algorithm that selects no parents, because it relies on every child being its own."""
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
                wirings = self._renewed()
            drawn = [strategy.ask(self.rng) for strategy in self.strategies]
            mothers = np.repeat(wirings, [len(genomes) for genomes in drawn])
            total, self.offspring = self.offspring, max(self.offspring - len(mothers), 1)
            try:
                bred = super().ask()
            finally:
                self.offspring = total
            self.asked, children = True, bred.genomes
            for genomes in drawn:
                children = joined(children, genomes)
            if bred.mothers is None:  # founders: only a user's own algorithm selects parents and makes some
                return Offspring(children)
            crossed = np.zeros(len(bred.genomes), bool) if bred.crossed is None else bred.crossed
            return Offspring(children, joined(bred.mothers, mothers), joined(crossed, np.zeros(len(mothers), bool)))

        def tell(self, population):
            bred = len(population.genomes)
            if self.asked:  # else the circuits are migrants
                bred -= sum(strategy.count for strategy in self.strategies)
                start = bred
                for strategy in self.strategies:
                    strategy.tell(population.take(np.arange(start, start + strategy.count)))
                    start += strategy.count
            self.asked = False
            bests = [strategy.best for strategy in self.strategies if strategy.best is not None]
            tell = super().tell
            candidates = population.take(np.arange(bred))
            for best in bests:
                candidates = candidates.joined(best)
            self._with_count(max(self.search.population - len(bests), 1), lambda: tell(candidates))
            known = {genome.tobytes() for genome in self.population.genomes}
            for best in bests:
                if len(self.population.genomes) < self.search.population and best.genomes.tobytes() not in known:
                    self.population = self.population.joined(best)

        def _with_count(self, count, call):
            """Call the algorithm with a population of this size."""
            self.count = count
            try:
                return call()
            finally:
                self.count = self.search.population

        def _renewed(self) -> np.ndarray:
            """End strategies and start others. Returns for each an index into the population: its best circuit, or the mother
            of a new one."""
            index = {genome.tobytes(): k for k, genome in enumerate(self.population.genomes)}
            strategies, mothers = [], []
            for strategy in self.strategies:
                best = None if strategy.best is None else index.get(strategy.best.genomes.tobytes())
                if best is not None and not strategy.stalls and not self._behind(strategy):
                    strategies.append(strategy)
                    mothers.append(best)
            value, limit = mean_case_score(self.population), round(share * self.offspring)
            while True:
                mother = int(np.argmax(value)) if not self.courses else self._tournament(value)
                strategy = self._started(mother, bool(self.courses))
                if strategies and sum(other.count for other in strategies) + strategy.count > limit:
                    break
                strategies.append(strategy)
                mothers.append(mother)
                self.courses.append(strategy.course)
            self.strategies = strategies
            return np.array(mothers, int)

        def _tournament(self, value):
            return int(max((self.rng.random(TOURNAMENT) * len(value)).astype(int), key=value.__getitem__))

        def _started(self, mother, may_rewire):
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
            others = [course[age - 1] for course in self.courses if len(course) >= age and course is not strategy.course]
            return age in AGES and len(others) > 2 and strategy.course[-1] < np.sort(others)[len(others) // 2]

    return Polished


def mean_case_score(population: Population) -> np.ndarray:
    """The mean case score of each circuit, float64 [n]."""
    cases = np.ascontiguousarray(population.case_scores, "f8")
    return cases.sum(axis=1) / cases.shape[1]
