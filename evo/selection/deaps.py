"""Selections of DEAP by name, for `search.parents` and `search.survivors`, run unchanged on individuals made for them.

DEAP: Fortin et al., J. Mach. Learn. Res. 13, 2012. Its selections draw from Python's global `random`, some from numpy's: both
are seeded from the island's stream during a call, so that an epoch stays a pure function, and restored after it.
"""

import random
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np
from deap import base, tools

DIVISIONS = {1: 1, 2: 99, 3: 12, 4: 6, 5: 5}  # of each axis, for NSGA-III's reference points; 3 for more objectives
CASEWISE = {"selLexicase", "selEpsilonLexicase", "selAutomaticEpsilonLexicase"}  # by single cases, not by objectives
SELECTIONS: dict[str, dict[str, Any]] = {
    "selNSGA2": {"nd": "log"},
    "selNSGA3": {},
    "selSPEA2": {},
    "selTournament": {"tournsize": 3},
    "selBest": {},
    "selWorst": {},
    "selRandom": {},
    "selRoulette": {},
    "selStochasticUniversalSampling": {},
    "selLexicase": {},
    "selEpsilonLexicase": {"epsilon": 0.05},
    "selAutomaticEpsilonLexicase": {},
}


def selection(name: str) -> Callable[[np.ndarray, np.ndarray, int, np.random.Generator], np.ndarray]:
    """The selection of this name: chosen(objectives [n, objectives], cases [n, cases], count, rng) returns the indices [count]
    of the selected individuals, perhaps with repeats. Objectives are negated, since DEAP maximises."""
    function, settings = getattr(tools, name), SELECTIONS[name]

    def chosen(objectives, cases, count, rng):
        if not count:
            return np.empty(0, int)
        values = np.asarray(cases if name in CASEWISE else -objectives, float)
        if name in ("selRoulette", "selStochasticUniversalSampling"):  # shares relative to the minimum
            values = values - values.min(axis=0)
        kind = type("Fitness", (base.Fitness,), {"weights": (1.0,) * values.shape[1]})
        individuals = [_Individual(k, kind(row)) for k, row in enumerate(values.tolist())]
        more = {"ref_points": reference_points(values.shape[1])} if name == "selNSGA3" else settings
        with seeded(rng):
            return np.array([individual.index for individual in function(individuals, count, **more)], int)

    return chosen


def reference_points(objectives: int) -> np.ndarray:
    return tools.uniform_reference_points(objectives, DIVISIONS.get(objectives, 3))


class _Individual:
    def __init__(self, index, fitness):
        self.index, self.fitness = index, fitness


@contextmanager
def seeded(rng: np.random.Generator):
    """Context in which Python's and numpy's global random numbers come from this stream."""
    before = random.getstate(), np.random.get_state()
    seed = int(rng.random() * 2**32)
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
