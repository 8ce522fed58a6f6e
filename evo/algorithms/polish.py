"""Polishing within an algorithm, `search.polish`: CMA-ES goes on with the weights, delays and parameters of good wirings,
beside the children that the algorithm makes; what it finds goes back into the population (a memetic algorithm, Lamarckian).

Each generation a share of the children is drawn by a few strategies, one a wiring (`matrix_adaptation`). A strategy ends where
it finds nothing better any more, or where half of those before it were better at its age (the median stopping rule: Golovin et
al., KDD 2017); a wiring that none had in this epoch comes next. They rank circuits by the mean of the case scores, which
change smoothly where the score does not. Strategies last no longer than an epoch: epochs of 50 generations or more suit them.
"""

import numpy as np

from circuits.errors import UserError
from circuits.numerics import portable
from evo.algorithms.algorithm import Algorithm, Offspring
from evo.algorithms.matrix_adaptation import MatrixAdaptation
from evo.genome.variation import rewired
from evo.population.individual import Crowd, joined

WIDEST, NARROWEST = 0.15, 0.02  # standard deviations with which strategies begin, in shares of the ranges
AGES = (20, 40, 80, 160)  # generations after which a strategy is compared with others
PATIENCE, RISE = 40, 0.002  # a strategy ends when so many generations raise the mean case score by less
RIVALS = 3  # of which the best wiring is polished next


class Strategy:
    """One wiring's: genome is the best circuit of it so far, course the best mean case score after each generation."""

    def __init__(self, genome: np.void, box, sigma: float):
        self.values, self.genome = box.free_values(genome), genome.copy()
        self.cma = MatrixAdaptation(self.values.read(genome[None])[0], sigma)
        self.course: list[float] = []

    @property
    def count(self) -> int:
        """Circuits of a generation."""
        return self.cma.count

    def ask(self, rng) -> np.ndarray:
        return self.values.written(self.cma.ask(rng))

    def tell(self, crowd: Crowd, value: np.ndarray) -> int:
        """How its circuits did; returns which one was best."""
        order = np.argsort(-value, kind="stable")
        self.cma.tell(order)
        best = int(order[0])
        if not self.course or value[best] > self.course[-1]:
            self.genome = crowd.genomes[best].copy()
        self.course.append(max([float(value[best]), *self.course[-1:]]))
        return best

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
            self.polished = self.crowd.genomes[:0]  # one of each wiring that had a strategy in this epoch
            self.courses: list[list[float]] = []
            self.asked = False

        def ask(self):
            with self.watch("select"):
                mothers = self._renew()
            children = [strategy.ask(self.rng) for strategy in self.strategies]
            drawn = sum(map(len, children))
            whole, self.count = self.count, max(self.count - drawn, 1)
            try:
                found = super().ask()
            finally:
                self.count = whole
            self.asked = True
            places = np.repeat(mothers, [len(some) for some in children])
            genomes = found.genomes
            for some in children:
                genomes = joined(genomes, some)
            if found.mothers is None:  # founders, which no algorithm that selects parents makes but one of the user's own
                return Offspring(genomes)
            crossed = np.zeros(len(found.genomes), bool) if found.crossed is None else found.crossed
            return Offspring(genomes, joined(found.mothers, places), joined(crossed, np.zeros(drawn, bool)))

        def tell(self, crowd):
            if not self.asked:  # migrants
                return super().tell(crowd)
            self.asked = False
            value = mean_case_score(crowd)
            end = len(value) - sum(strategy.count for strategy in self.strategies)
            kept = list(range(end))
            for strategy in self.strategies:
                mine = np.arange(end, end + strategy.count)
                kept.append(int(mine[strategy.tell(crowd.take(mine), value[mine])]))
                end += strategy.count
            super().tell(crowd.take(np.array(kept)))

        def _renew(self) -> np.ndarray:
            """End strategies and begin others; returns the place of a circuit of each one's wiring in the population."""
            going, mothers = [], []
            for strategy in self.strategies:
                alike = self._alike(strategy.genome)
                if len(alike) and not strategy.stalls and not self._behind(strategy):
                    going.append(strategy)
                    mothers.append(alike[0])
            self.strategies = going
            value = mean_case_score(self.crowd)
            room = round(share * self.count)
            while True:
                free = np.ones(len(value), bool)
                for genome in self.polished:
                    free[self._alike(genome)] = False
                if not free.any():  # all had their turn: begin anew
                    free[:] = True
                    for strategy in going:
                        free[self._alike(strategy.genome)] = False
                if not free.any():
                    break
                among = np.flatnonzero(free)
                rivals = among[(self.rng.random(RIVALS) * len(among)).astype(int)]
                place = int(rivals[np.argmax(value[rivals])]) if len(self.polished) else int(among[np.argmax(value[among])])
                sigma = NARROWEST * float(portable.exp(self.rng.random() * portable.log(WIDEST / NARROWEST)))
                strategy = Strategy(self.crowd.genomes[place], self.box, sigma)
                if going and sum(other.count for other in going) + strategy.count > room:
                    break
                going.append(strategy)
                mothers.append(place)
                self.courses.append(strategy.course)
                self.polished = joined(self.polished, self.crowd.genomes[[place]])
            return np.array(mothers, int)

        def _alike(self, genome):
            """The places of the circuits of this wiring in the population."""
            one = np.array(genome)[None]
            return np.flatnonzero(~rewired(self.crowd.genomes, one, np.zeros(len(self.crowd.genomes), int)))

        def _behind(self, strategy):
            age = len(strategy.course)
            rivals = [course[age - 1] for course in self.courses if len(course) >= age and course is not strategy.course]
            return age in AGES and len(rivals) > 2 and strategy.course[-1] < np.sort(rivals)[len(rivals) // 2]

    return Polished


def mean_case_score(crowd: Crowd) -> np.ndarray:
    """Of each circuit, float64 [n]."""
    cases = np.ascontiguousarray(crowd.grades, "f8")
    return cases.sum(axis=1) / cases.shape[1]
