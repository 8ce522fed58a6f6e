"""Selection of parents and survivors by all objectives at once: NSGA-II (Deb et al., IEEE Trans. Evol. Comput. 6, 2002), and
its union with epsilon-lexicase selection. Pareto ranks come from moocore."""

import moocore
import numpy as np

from evo.selection.epsilon_lexicase import EpsilonLexicase


def tournament(objectives: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Indices [count] of parents by NSGA-II's tournament, from objectives [population, objectives]: of two individuals drawn at
    random the one of better Pareto rank, or of equal ranks the less crowded one."""
    ranks, crowding = _ranks(objectives), np.zeros(len(objectives))
    for rank in np.unique(ranks):
        members = np.flatnonzero(ranks == rank)
        crowding[members] = crowding_distance(objectives[members])
    position = np.empty(len(objectives), int)
    position[np.lexsort((-crowding, ranks))] = np.arange(len(objectives))
    a, b = (rng.random((2, count)) * len(objectives)).astype(int)
    return np.where(position[a] <= position[b], a, b)


def nsga2(objectives: np.ndarray, count: int) -> np.ndarray:
    """Indices [count] of survivors by NSGA-II, from minimised objectives [population, objectives]: whole Pareto fronts, the
    best first, and the least crowded individuals of the last one. Of individuals with equal objectives one competes; the others
    only fill places that would stay empty."""
    return _by_rank(objectives, _ranks(objectives), count)


def specialists(objectives: np.ndarray, case_scores: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Indices [count] of survivors: up to half are winners of lexicase selection, the rest those that NSGA-II keeps.

    NSGA-II sees only the mean over trials and drops the circuit that solves one hard trial and little else, which is often a
    building block of the solution.
    """
    ranks = _ranks(objectives)
    ranks[EpsilonLexicase(case_scores).winners(count // 2, rng)] = -1
    return _by_rank(objectives, ranks, count)


def pareto(objectives: np.ndarray, count: int) -> np.ndarray:
    """Indices of at most `count` non-dominated individuals with distinct objectives, ascending."""
    front = np.flatnonzero(nondominated(objectives))
    return np.sort(front[_least_crowded(objectives[front])[:count]]) if count < len(front) else front


def nondominated(objectives: np.ndarray) -> np.ndarray:
    """Mask of the rows that are not dominated and not equal to an earlier row, bool [n]."""
    return moocore.is_nondominated(objectives, keep_weakly=False)


def _ranks(objectives):
    """Pareto rank of each row, 0 the best; repeats of an earlier row come after everything else."""
    order = np.lexsort(objectives.T)  # stable: of equal rows the earliest comes first
    first = np.ones(len(objectives), bool)
    first[1:] = (objectives[order[1:]] != objectives[order[:-1]]).any(axis=1)
    distinct = np.sort(order[first])
    ranks = np.full(len(objectives), len(objectives))
    ranks[distinct] = moocore.pareto_rank(objectives[distinct])
    return ranks


def _by_rank(objectives, ranks, count):
    """The first `count` by rank, of the last rank the least crowded."""
    order = np.argsort(ranks, kind="stable")
    if count < len(order):
        last = ranks[order[count - 1]]
        start, end = (np.searchsorted(ranks[order], last, side) for side in ("left", "right"))
        cut = order[start:end]
        order[start:end] = cut[_least_crowded(objectives[cut])]
    return order[:count]


def _least_crowded(objectives):
    """The rows of one front, the least crowded first."""
    return np.argsort(-crowding_distance(objectives), kind="stable")


def crowding_distance(objectives: np.ndarray) -> np.ndarray:
    """Crowding distance of each row within one front, inf at the ends of every objective."""
    distance = np.zeros(len(objectives))
    for column in objectives.T:
        order = np.argsort(column, kind="stable")
        span = column[order[-1]] - column[order[0]]
        distance[order[[0, -1]]] = np.inf
        if span > 0:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / span
    return distance
