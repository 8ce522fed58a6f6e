"""A generation of NSGA-II, less what it costs to try the individuals: ours beside DEAP's and pymoo's, on one core.

First survivors alone, of the same losses, the same ones chosen. Then parents, children and survivors: DEAP and pymoo with the
same operators and settings on vectors of numbers, ours on the circuits of the search job.
"""

import random
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from deap import base, creator, tools

from evo.algorithms import NSGA2
from evo.engine.problem import Problem
from evo.engine.stopwatch import Stopwatch
from evo.population.individual import Population, outcome
from evo.selection.ranking import nsga2
from tests.bench import search_job
from tests.bench.contest import AbsentError, Entry, Rival, one_core
from tests.bench.report import figure, quickest, skipped, timer

OBJECTIVES, VARIABLES = 3, 30
CROSSOVER, ETA = 0.9, 20.0
QUADRATIC_TO = 1_000  # DEAP's default sort takes minutes beyond
ROUNDS = 5
PYMOO = Entry("pymoo", "pymoo_nsga2.py", ".venv-rivals-evolution")

creator.create("Losses", base.Fitness, weights=(-1.0,) * OBJECTIVES)
creator.create("Vector", list, fitness=creator.Losses)


def main():
    with one_core():
        for count in (1_000, 10_000):
            losses = np.random.default_rng(1).random((2 * count, OBJECTIVES))
            survivors(losses, count)
            generation(losses, count)


def survivors(losses, count):
    """Those that NSGA-II keeps. A rival that keeps others is none."""
    individuals = vectors(losses)
    calls = {
        f"DEAP nd={nd}": lambda nd=nd: [k.number for k in tools.selNSGA2(individuals, count, nd)] for nd in deap_sorts(count)
    }
    name, ours = f"NSGA-II, {count:,} of {2 * count:,} survive", np.sort(nsga2(losses, count))
    timers = {rival: timer(call) for rival, call in calls.items() if chose(ours, call(), f"{name}, {rival}")}
    with pymoo_on(losses, count, name) as pymoo:
        if pymoo and chose(ours, pymoo.about["result"], f"{name}, pymoo"):
            timers[f"pymoo {pymoo.about['version']}"] = pymoo.go
        report(name, lambda: nsga2(losses, count), timers)


def chose(ours, theirs, name) -> bool:
    same = np.array_equal(ours, np.sort(theirs))
    if not same:
        skipped(name, f"{len(np.setdiff1d(ours, theirs))} other survivors")
    return same


def generation(losses, count):
    """Parents, children and survivors, where children do as well as the second half of the losses says."""
    parents, name = vectors(losses[:count]), f"NSGA-II, a generation of {count:,}"
    tools.selNSGA2(parents, count, "log")  # gives them their crowding distances
    timers = {f"DEAP nd={nd}": timer(lambda nd=nd: deap_generation(parents, losses[count:], nd)) for nd in deap_sorts(count)}
    with pymoo_on(losses, count, name, "generation") as pymoo:
        if pymoo:
            timers[f"pymoo {pymoo.about['version']}"] = pymoo.go
        report(name, our_generation(losses, count), timers)


def our_generation(losses, count):
    """Of circuits, by the search's own algorithm."""
    problem = Problem.of(search_job.spec(population=count, objectives=["score", "energy", "wiring"]), None)
    founders = search_job.founders(problem.encoding.bounds, count, np.random.default_rng(1))

    def population(genomes, lost):
        outcomes = np.zeros(count, outcome(OBJECTIVES))
        outcomes["losses"] = lost
        return Population(genomes, outcomes, np.zeros((count, search_job.TRIALS), "f4"))

    first = population(founders, losses[:count])

    def call():
        algorithm = NSGA2(problem.spec.search, problem.toolbox, first, np.random.default_rng(1), Stopwatch())
        algorithm.tell(population(algorithm.ask().genomes, losses[count:]))

    return call


def vectors(losses):
    """As many random individuals of DEAP with these losses."""
    made = []
    for number, lost in enumerate(losses):
        vector = creator.Vector(random.random() for _ in range(VARIABLES))
        vector.number, vector.fitness.values = number, lost
        made.append(vector)
    return made


def deap_generation(parents, lost, nd):
    """As in DEAP's own example of NSGA-II: tournament, simulated binary crossover, polynomial mutation, survivors."""
    children = [clone(parent) for parent in tools.selTournamentDCD(parents, len(parents))]
    for a, b in zip(children[::2], children[1::2], strict=True):
        if random.random() < CROSSOVER:
            tools.cxSimulatedBinaryBounded(a, b, ETA, 0.0, 1.0)
        for child in (a, b):
            tools.mutPolynomialBounded(child, ETA, 0.0, 1.0, 1 / VARIABLES)
    for child, values in zip(children, lost, strict=True):
        child.fitness.values = values
    return tools.selNSGA2(parents + children, len(parents), nd)


clone = base.Toolbox().clone


def deap_sorts(count):
    """Its default and its faster sort; the default is quadratic."""
    return ("standard", "log") if count <= QUADRATIC_TO else ("log",)


@contextmanager
def pymoo_on(losses, count, name, *more):
    """pymoo in its own environment with these losses, or None, which is said."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        job = Path(folder) / "losses.npz"
        np.savez(job, losses=losses, count=count, variables=VARIABLES, crossover=CROSSOVER, eta=ETA)
        try:
            rival = Rival(PYMOO._replace(more=more), job)
            stack.callback(rival.close)
        except AbsentError as absent:
            skipped(f"{name}, pymoo", absent)
            rival = None
        yield rival


def report(name, ours, timers):
    ours()
    mine, *theirs = quickest(timer(ours), *timers.values(), seconds=0, rounds=ROUNDS)
    for rival, seconds in zip(timers, theirs, strict=True):
        figure(name, 1000 * mine, "ms", f"{rival}: {1000 * seconds:.3g} ms", seconds / mine)


if __name__ == "__main__":
    main()
