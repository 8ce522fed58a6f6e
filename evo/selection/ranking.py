"""Selection of parents and survivors by all objectives at once: NSGA-II (Deb et al., IEEE Trans. Evol. Comput. 6, 2002), and
its union with epsilon-lexicase selection. Pareto ranks come from moocore."""

import moocore
import numpy as np

from evo.selection.epsilon_lexicase import EpsilonLexicase


def tournament(losses: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Indices [count] of parents by losses [population, objectives]: of two drawn at random the one of better Pareto rank, of
    equal ranks the less crowded one (NSGA-II's)."""
    ranks, crowding = _ranks(losses), np.zeros(len(losses))
    for rank in np.unique(ranks):
        members = np.flatnonzero(ranks == rank)
        crowding[members] = crowding_distance(losses[members])
    position = np.empty(len(losses), int)
    position[np.lexsort((-crowding, ranks))] = np.arange(len(losses))
    a, b = (rng.random((2, count)) * len(losses)).astype(int)
    return np.where(position[a] <= position[b], a, b)


def nsga2(losses: np.ndarray, count: int) -> np.ndarray:
    """Indices [count] of survivors by losses [population, objectives], smaller is better: whole Pareto fronts, the best first,
    and the least crowded of the last one. Of individuals with equal losses one competes; the others only fill places that
    would stay empty."""
    return _by_rank(losses, _ranks(losses), count)


def specialists(losses: np.ndarray, case_scores: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Indices [count] of survivors: up to half are winners of lexicase selection, the rest those that NSGA-II keeps.

    NSGA-II sees only the mean over trials and drops the circuit that solves one hard trial and little else, which is often a
    building block of the solution.
    """
    ranks = _ranks(losses)
    ranks[EpsilonLexicase(case_scores).winners(count // 2, rng)] = -1
    return _by_rank(losses, ranks, count)


def pareto(losses: np.ndarray, count: int) -> np.ndarray:
    """Indices of at most `count` non-dominated individuals with distinct losses, ascending."""
    front = np.flatnonzero(nondominated(losses))
    return np.sort(front[_least_crowded(losses[front])[:count]]) if count < len(front) else front


def nondominated(losses: np.ndarray) -> np.ndarray:
    """Whether a row is not dominated and no earlier row has the same losses, bool [n]."""
    return moocore.is_nondominated(losses, keep_weakly=False)


def _ranks(losses):
    """Pareto rank of each row, 0 the best; repeats of an earlier row come after everything else."""
    order = np.lexsort(losses.T)  # stable: of equal rows the earliest comes first
    first = np.ones(len(losses), bool)
    first[1:] = (losses[order[1:]] != losses[order[:-1]]).any(axis=1)
    distinct = np.sort(order[first])
    ranks = np.full(len(losses), len(losses))
    ranks[distinct] = moocore.pareto_rank(losses[distinct])
    return ranks


def _by_rank(losses, ranks, count):
    """The first `count` by rank, of the last rank the least crowded."""
    order = np.argsort(ranks, kind="stable")
    if count < len(order):
        last = ranks[order[count - 1]]
        start, end = (np.searchsorted(ranks[order], last, side) for side in ("left", "right"))
        cut = order[start:end]
        order[start:end] = cut[_least_crowded(losses[cut])]
    return order[:count]


def _least_crowded(losses):
    """The rows of one front, the least crowded first."""
    return np.argsort(-crowding_distance(losses), kind="stable")


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
