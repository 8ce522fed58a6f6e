"""A generation of NSGA-II, without what it costs to try the individuals: ours beside DEAP's and pymoo's.

First survivors alone, of the same losses and chosen alike. Then parents, children and survivors: DEAP and pymoo with the same
operators and settings on vectors of numbers, ours on the circuits of the search job. All on one core.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from deap import base, creator, tools

from evo.algorithms import NSGA2
from evo.individual import Crowd, record
from evo.island import Setting
from evo.selection import crowding_distance, nsga2
from evo.stopwatch import Stopwatch
from tests.bench import search_job
from tests.bench.contest import AbsentError, Entry, Rival, one_core
from tests.bench.report import fastest, figure, quickest, skipped, timer

OBJECTIVES, VARIABLES = 3, 30
CROSSOVER, ETA = 0.9, 20.0
QUADRATIC_TO = 1_000  # DEAP's default sort takes minutes beyond
PYMOO = Entry("pymoo", "pymoo_nsga2.py", ".venv-rivals-evolution")


def main():
    with one_core():
        for count in (1_000, 10_000):
            losses = np.random.default_rng(1).random((2 * count, OBJECTIVES))
            beside_rivals(f"NSGA-II survivors, {count:,} of {2 * count:,}", losses, count, ours_surviving, deap_surviving, ())
            beside_rivals(f"NSGA-II generation of {count:,}", losses, count, our_generation, deap_generation, ("generation",))


def beside_rivals(name, losses, count, ours, deap, more):
    """Time ours and each rival in turns; those that survive elsewhere than ours are no rivals."""
    calls = {f"DEAP nd={nd}": deap(losses, count, nd) for nd in ("standard", "log") if nd == "log" or count <= QUADRATIC_TO}
    expected = None if more else ours(losses, count)()
    for rival, call in list(calls.items()):
        if expected is not None and not same_survivors(losses, expected, call()):
            skipped(f"{name}, {rival}", "other survivors")
            del calls[rival]
    with TemporaryDirectory() as folder:
        job = Path(folder) / "losses.npz"
        np.savez(job, losses=losses, count=count, variables=VARIABLES, crossover=CROSSOVER, eta=ETA)
        try:
            pymoo = Rival(PYMOO._replace(more=more), job)
        except AbsentError as absent:
            skipped(f"{name}, pymoo", absent)
            pymoo = None
        timers = {rival: timer(call) for rival, call in calls.items()}
        if pymoo and (more or same_survivors(losses, expected, pymoo.about["result"])):
            timers[f"pymoo {pymoo.about['version']}"] = pymoo.go
        mine, *theirs = quickest(timer(ours(losses, count)), *timers.values(), seconds=0, rounds=5)
        if pymoo:
            pymoo.close()
    for rival, seconds in zip(timers, theirs, strict=True):
        figure(name, 1000 * mine, "ms", f"{rival}: {1000 * seconds:.3g} ms", seconds / mine)


def same_survivors(losses, ours, theirs) -> bool:
    """Whether two choices are the same but for who of equally crowded ones at the edge survives."""
    only_ours, only_theirs = np.setdiff1d(ours, theirs), np.setdiff1d(theirs, ours)
    if len(ours) != len(theirs) or len(only_ours) != len(only_theirs):
        return False
    kept = np.union1d(ours, theirs)
    order = nsga2(losses, len(losses))
    place = np.empty(len(losses), int)
    place[order] = np.arange(len(losses))
    front = last_front(losses, kept)
    crowding = dict(zip(front.tolist(), crowding_distance(losses[front]), strict=True))
    if not set(only_ours) | set(only_theirs) <= set(front):
        return False
    a, b = (np.sort([crowding[k] for k in which]) for which in (only_ours, only_theirs))
    return np.allclose(a, b, rtol=1e-9)
