"""The genome and its operators for programs written with DEAP: individuals, and a toolbox with which DEAP's own algorithms,
selections, halls of fame and statistics work unchanged.

    import random
    import evo.deap
    from deap import algorithms, tools

    random.seed(1)
    toolbox = evo.deap.toolbox("runs/gate.toml", seed=1)
    population, best = toolbox.population(n=40), tools.ParetoFront()
    algorithms.eaMuPlusLambda(population, toolbox, 40, 40, cxpb=0.5, mutpb=0.5, ngen=10, halloffame=best, verbose=False)
    print(best[0].fitness.values, best[0].circuit)

DEAP: Fortin et al., J. Mach. Learn. Res. 13, 2012. DEAP's algorithms and selections draw from Python's global `random`, the
operators here from a generator of the toolbox's own: seed both for a run that repeats.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from deap import base, tools

from circuits.circuit import Circuit
from circuits.errors import UserError
from evo.engine.problem import Problem, problem
from evo.genome import variation
from evo.spec.run_spec import read
from fitness.evaluation.objectives import objective
from fitness.judges import judged

__all__ = ["Evaluate", "Individual", "toolbox"]


class Source(NamedTuple):
    """The problem: a run spec as JSON, and the user's own code if it names some."""

    spec_json: str
    code: Any

    @property
    def problem(self) -> Problem:
        return problem(*self)


class Individual:
    """A circuit as an individual of DEAP.

    Two individuals are equal if their genomes are, as `HallOfFame` and `ParetoFront` need.

    Parameters
    ----------
    genome : ndarray
        One record of `evo.genome.dtype`, shape [1].
    fitness : deap.base.Fitness
        The fitness, invalid until the circuit was evaluated.
    source : Source
        The run spec and the code of your own that it names.

    Examples
    --------
    >>> import evo.deap
    >>> evo.deap.toolbox("runs/gate.toml", seed=1).individual().circuit.dt_ms
    0.5
    """

    def __init__(self, genome: np.ndarray, fitness: base.Fitness, source: Source):
        self.genome, self.fitness, self._source = genome, fitness, source

    @property
    def circuit(self) -> Circuit:
        """The genome as a `circuits.Circuit`."""
        return self._source.problem.candidates(self.genome).circuit(0)

    def __eq__(self, other):
        return isinstance(other, Individual) and self.genome.tobytes() == other.genome.tobytes()

    __hash__ = None  # type: ignore[assignment]  # a genome changes in place

    def __deepcopy__(self, _memo=None) -> "Individual":
        copy = type(self.fitness)()
        copy.wvalues = self.fitness.wvalues
        return Individual(self.genome.copy(), copy, self._source)

    def __reduce__(self):
        return _individual, (self._source, self.genome, self.fitness.wvalues)

    def __repr__(self):
        return f"<Individual: {int((self.genome['kind'] != 0).sum())} neurons, {self.fitness}>"


class Evaluate:
    """Fitness of circuits as in a search.

    Parameters
    ----------
    source : Source
        The run spec and the code of your own that it names.

    Examples
    --------
    >>> import evo.deap
    >>> toolbox = evo.deap.toolbox("runs/gate.toml", seed=1)
    >>> len(toolbox.evaluate(toolbox.individual()))
    4
    """

    def __init__(self, source: Source):
        self.source = source

    def __call__(self, individual: Individual) -> tuple[float, ...]:
        return self.batch([individual])[0]

    def batch(self, individuals: Sequence[Individual]) -> list[tuple[float, ...]]:
        """Evaluate individuals in one call, in a fraction of the time of one after the other.

        Parameters
        ----------
        individuals : sequence of Individual
            The individuals.

        Returns
        -------
        list of tuple of float
            For each individual the objectives of the spec in their units: score and robustness are to be large, the others
            small.
        """
        problem = self.source.problem
        candidates = problem.candidates(np.concatenate([individual.genome for individual in individuals]))
        signs = [objective(name).sign for name in problem.judge.objectives]
        return [tuple(map(float, row)) for row in judged(problem.judge, candidates).objectives * signs]

    def __reduce__(self):
        return Evaluate, (self.source,)


def toolbox(spec: str | Path, seed: int | None = None) -> base.Toolbox:
    """Make a DEAP toolbox for the circuits, the task and the objectives of a run spec.

    It has `individual()`, `population(n)`, `clone(ind)`, `mate(a, b)`, `mutate(ind)`, `evaluate(ind)`, `map(function,
    individuals)`, which evaluates a whole population in one call, and `select(individuals, k)`, NSGA-II. Others are registered
    in their place as usual; a fitness of your own takes an individual and reads its `circuit`.

    Parameters
    ----------
    spec : str or path-like
        Path of a run spec. Its [task], [circuit], and the objectives, trials, mutation and duplication of [search] count; the
        course of the search is up to the program.
    seed : int, optional
        Seed of founders, crossover and mutation; by default that of the spec.

    Returns
    -------
    deap.base.Toolbox
        The toolbox.

    Raises
    ------
    circuits.errors.UserError
        For a wrong spec, with one line that names the file, the key and what would be right.

    Examples
    --------
    >>> import evo.deap
    >>> toolbox = evo.deap.toolbox("runs/gate.toml", seed=1)
    >>> len(toolbox.select(toolbox.population(n=4), 2))
    2
    """
    resolved, source = read(spec)
    if resolved.roles:
        raise UserError(f"{spec}: roles: assemblies have no toolbox for DEAP's algorithms; use evo.run")
    problem_source = Source(resolved.model_dump_json(), source)
    bounds, search = problem_source.problem.encoding.bounds, resolved.search
    rng = np.random.default_rng(search.seed if seed is None else seed)
    make_fitness = _fitness(tuple(search.objectives))
    pair, other = np.array([0, 1]), np.array([1, 0])

    def population(n: int) -> list[Individual]:
        founders = variation.founders(bounds, n, rng)
        return [Individual(founders[k : k + 1].copy(), make_fitness(), problem_source) for k in range(n)]

    def mate(a: Individual, b: Individual) -> tuple[Individual, Individual]:
        children, _ = variation.crossover(np.concatenate([a.genome, b.genome]), pair, other, bounds, rng)
        a.genome, b.genome = children[:1], children[1:]
        return a, b

    def mutate(individual: Individual) -> tuple[Individual]:
        variation.mutate(individual.genome, bounds, rng, search.mutation, duplication=search.duplication)
        return (individual,)

    box = base.Toolbox()
    box.register("individual", lambda: population(1)[0])
    box.register("population", population)
    box.register("clone", Individual.__deepcopy__)
    box.register("mate", mate)
    box.register("mutate", mutate)
    box.register("evaluate", Evaluate(problem_source))
    box.register("map", _map)
    box.register("select", tools.selNSGA2, nd="log")
    return box


def _map(function: Callable, *sequences: Iterable):
    """Python's map, except for `Evaluate`, which takes the whole sequence."""
    inner = getattr(function, "func", function)
    if isinstance(inner, Evaluate):
        individuals = list(sequences[0])
        return inner.batch(individuals) if individuals else []
    return map(function, *sequences)


@cache
def _fitness(names: tuple[str, ...]) -> type[base.Fitness]:
    """DEAP's fitness for these objectives: weight 1 for those to be maximised, -1 for those to be minimised."""
    return type("Fitness", (base.Fitness,), {"weights": tuple(-float(objective(name).sign) for name in names)})


def _individual(source, genome, wvalues):
    fitness = _fitness(tuple(source.problem.spec.search.objectives))()
    fitness.wvalues = wvalues
    return Individual(genome, fitness, source)
