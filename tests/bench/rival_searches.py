"""Searches that others offer, as `tests.bench.bench_rivals` runs them: with their defaults where they have some. Each goes on
until `evaluate` ends it."""

import random

import numpy as np

from evo.genome import variation

POPULATION = 200  # where one has to be named


def random_search(contest):
    """Founders alone."""
    rng = np.random.default_rng(contest.seed)
    while True:
        contest.evaluate(variation.founders(contest.problem.encoding.bounds, POPULATION, rng))


def pycma(contest):
    """CMA-ES with a diagonal covariance, as its author says for hundreds of numbers, begun anew with twice as many circuits
    where it ends (IPOP)."""
    import cma

    rng, count = np.random.default_rng(contest.seed), 20
    while True:
        options = {"bounds": [0, 1], "CMA_diagonal": True, "popsize": count, "verbose": -9}
        options["seed"] = int(rng.integers(1, 2**31))
        strategy = cma.CMAEvolutionStrategy(rng.random(contest.vectors.size), 0.3, options)
        while not strategy.stop():
            vectors = strategy.ask()
            strategy.tell(vectors, contest.evaluate_vectors(np.array(vectors))[:, 0].tolist())
        count *= 2


def pymoo_nsga2(contest):
    """pymoo's NSGA-II with its own operators, on all objectives."""
    from pymoo.algorithms.moo.nsga2 import NSGA2

    _pymoo(contest, NSGA2(pop_size=POPULATION), contest.problem.judge.objectives)


def pymoo_de(contest):
    """pymoo's differential evolution, on the score."""
    from pymoo.algorithms.soo.nonconvex.de import DE

    _pymoo(contest, DE(pop_size=POPULATION), contest.problem.judge.objectives[:1])


def _pymoo(contest, algorithm, objectives):
    from pymoo.core.problem import Problem
    from pymoo.core.termination import NoTermination

    count = len(objectives)
    problem = Problem(n_var=contest.vectors.size, n_obj=count, xl=0.0, xu=1.0)
    algorithm.setup(problem, termination=NoTermination(), seed=contest.seed, verbose=False)
    while True:
        asked = algorithm.ask()
        asked.set("F", contest.evaluate_vectors(asked.get("X"))[:, :count])
        algorithm.tell(infills=asked)


def pyribs(contest):
    """CMA-MAE: an archive over neurons and excitatory share, four emitters with separable CMA-ES."""
    from ribs.archives import GridArchive
    from ribs.emitters import EvolutionStrategyEmitter
    from ribs.schedulers import Scheduler

    size, bounds = contest.vectors.size, contest.problem.encoding.bounds
    axes = {"dims": [bounds.capacity, 10], "ranges": [(0, bounds.capacity), (0, 1)]}
    archive = GridArchive(solution_dim=size, learning_rate=0.01, threshold_min=-1.0, seed=contest.seed, **axes)
    result = GridArchive(solution_dim=size, seed=contest.seed, **axes)
    seeds = np.random.default_rng(contest.seed).integers(1, 2**31, 4)
    emitters = [
        EvolutionStrategyEmitter(
            archive, x0=np.full(size, 0.5), sigma0=0.2, ranker="imp", es="sep_cma_es", restart_rule="basic", batch_size=50,
            bounds=[(0, 1)] * size, seed=int(seed),
        )
        for seed in seeds
    ]  # fmt: skip
    scheduler = Scheduler(archive, emitters, result_archive=result)
    while True:
        genomes = contest.vectors.genomes(scheduler.ask())
        neurons, excitatory = (genomes["kind"] != 0).sum(axis=1), (genomes["kind"] > 0).sum(axis=1)
        scheduler.tell(-contest.evaluate(genomes)[:, 0], np.column_stack([neurons, excitatory / neurons]))


def deap_nsga2(contest):
    """DEAP's mu + lambda with its NSGA-II, and the operators of `evo.deap`."""
    from deap import algorithms

    import evo.deap

    random.seed(contest.seed)
    toolbox = evo.deap.toolbox(contest.path, seed=contest.seed)
    signs = np.where(np.array(toolbox.individual().fitness.weights) > 0, -1, 1)

    def evaluated(_, individuals):
        individuals = list(individuals)
        if not individuals:
            return []
        objectives = contest.evaluate(np.concatenate([individual.genome for individual in individuals]))
        return [tuple(map(float, row)) for row in objectives * signs]

    toolbox.register("map", evaluated)
    population = toolbox.population(n=POPULATION)
    algorithms.eaMuPlusLambda(population, toolbox, POPULATION, POPULATION, cxpb=0.5, mutpb=0.5, ngen=10**9, verbose=False)


RIVALS = {
    "random search": random_search,
    "pycma CMA-ES": pycma,
    "pymoo NSGA-II": pymoo_nsga2,
    "pymoo DE": pymoo_de,
    "pyribs CMA-MAE": pyribs,
    "DEAP NSGA-II": deap_nsga2,
}
