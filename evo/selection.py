"""Who breeds and who survives.

Epsilon-lexicase selection (La Cava, Spector and Danai, GECCO 2016) picks parents by single trials in random order, so that a
circuit which alone solves a hard trial breeds however it does elsewhere. NSGA-II (Deb et al., IEEE Trans. Evol. Comput. 6,
2002) picks survivors by all objectives at once. Pareto ranks come from moocore.
"""

import moocore
import numpy as np

from circuits.compiled import compiled


def epsilon_lexicase(grades: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Indices [count] of parents by grades [population, trials], larger is better; epsilon is the trial's median absolute
    deviation over the population."""
    grades = np.ascontiguousarray(grades, "f8")
    epsilon = np.median(np.abs(grades - np.median(grades, axis=0)), axis=0)
    return _lexicase(grades, epsilon, count, rng)


@compiled
def _lexicase(grades, epsilon, count, rng):
    population, trials = grades.shape
    chosen = np.empty(count, np.int64)
    pool = np.empty(population, np.int64)
    order = np.arange(trials)
    for c in range(count):
        for k in range(population):
            pool[k] = k
        size = population
        for t in range(trials):
            other = t + np.int64(rng.random() * (trials - t))
            order[t], order[other] = order[other], order[t]
            trial = order[t]
            best = -np.inf
            for k in range(size):
                best = max(best, grades[pool[k], trial])
            kept = 0
            for k in range(size):
                if grades[pool[k], trial] >= best - epsilon[trial]:
                    pool[kept] = pool[k]
                    kept += 1
            size = kept
            if size == 1:
                break
        chosen[c] = pool[np.int64(rng.random() * size)]
    return chosen


def nsga2(losses: np.ndarray, count: int) -> np.ndarray:
    """Indices [count] of survivors by losses [population, objectives], smaller is better: whole Pareto fronts first, the last
    one by crowding distance. Of individuals with equal losses one competes, the others only fill what would stay empty."""
    return _by_rank_and_crowding(losses, _ranks(losses), count)


def survivors(losses: np.ndarray, grades: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Indices [count] of survivors: up to half are winners of lexicase selection, the rest those that NSGA-II keeps.

    NSGA-II alone sees only the mean over trials: it drops the circuit that solves one hard trial and little else, of which
    the solution is often made.
    """
    specialists = np.unique(epsilon_lexicase(grades, count // 2, rng))
    ranks = _ranks(losses)
    ranks[specialists] = -1
    return _by_rank_and_crowding(losses, ranks, count)


def pareto(losses: np.ndarray, count: int) -> np.ndarray:
    """Indices of at most `count` non-dominated individuals, none with losses equal to another's, in their given order."""
    front = np.flatnonzero(_ranks(losses) == 0)
    return np.sort(front[_by_rank_and_crowding(losses[front], np.zeros(len(front), int), min(count, len(front)))])


def _ranks(losses):
    """Pareto rank of each row, 0 the best; repeats of an earlier row come after everything else."""
    first = np.unique(losses, axis=0, return_index=True)[1]
    ranks = np.full(len(losses), len(losses))
    ranks[first] = moocore.pareto_rank(losses[first])
    return ranks


def _by_rank_and_crowding(losses, ranks, count):
    crowding = np.zeros(len(losses))
    for rank in np.unique(ranks[np.argsort(ranks, kind="stable")[:count]]):
        members = np.flatnonzero(ranks == rank)
        crowding[members] = crowding_distance(losses[members])
    return np.lexsort((np.arange(len(losses)), -crowding, ranks))[:count]


def crowding_distance(losses: np.ndarray) -> np.ndarray:
    """Crowding distance of each row within one front, inf at the ends of every objective."""
    distance = np.zeros(len(losses))
    for column in losses.T:
        order = np.argsort(column, kind="stable")
        span = column[order[-1]] - column[order[0]]
        distance[order[[0, -1]]] = np.inf
        if span > 0:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / span
    return distance
