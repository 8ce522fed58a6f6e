"""pymoo's NSGA-II on losses that are given: who survives by RankAndCrowding, or with "generation" a whole generation."""

import time

import numpy as np
import pymoo
from protocol import serve
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.survival.rank_and_crowding import RankAndCrowding


def prepare(job, *more):
    problem = Problem(n_var=int(job.variables), n_obj=job.losses.shape[1], xl=0.0, xu=1.0)
    run = generation(job, problem) if "generation" in more else survivors(job, problem)
    return run, {"version": pymoo.__version__}


def survivors(job, problem):
    everyone = Population.new(F=job.losses, X=np.zeros((len(job.losses), problem.n_var)), number=np.arange(len(job.losses)))
    survival, rng = RankAndCrowding(), np.random.default_rng(1)

    def run():
        start = time.perf_counter()
        kept = survival.do(problem, everyone, n_survive=int(job.count), random_state=rng)
        return time.perf_counter() - start, np.sort(kept.get("number").astype(int))

    return run


def generation(job, problem):
    """Parents, simulated binary crossover, polynomial mutation, survivors: as in `tests.bench.nsga2`."""
    algorithm = NSGA2(
        pop_size=int(job.count),
        crossover=SBX(prob=float(job.crossover), eta=float(job.eta)),
        mutation=PM(prob=1.0, prob_var=1 / problem.n_var, eta=float(job.eta)),
        eliminate_duplicates=False,  # as elsewhere
    )
    algorithm.setup(problem, termination=NoTermination(), seed=1)
    founders = algorithm.ask()
    founders.set("F", job.losses[: int(job.count)])
    algorithm.tell(founders)
    parents = algorithm.pop

    def run():
        algorithm.pop = parents  # the same work every time
        start = time.perf_counter()
        children = algorithm.ask()
        children.set("F", job.losses[int(job.count) :])
        algorithm.tell(children)
        return time.perf_counter() - start, [len(algorithm.pop)]

    return run


if __name__ == "__main__":
    serve(prepare)
