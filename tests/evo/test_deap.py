"""DEAP's own programs over our genomes: algorithms, selections, hall of fame and statistics run unchanged."""

import pickle
import random

import numpy as np
import pytest
from deap import algorithms, tools

import circuits
import evo.deap
from evo.engine.problem import problem
from evo.genome import faults
from evo.spec.run_spec import read
from tests.evo.tiny import spec_file


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    return spec_file(tmp_path_factory.mktemp("deap"))


def searched(spec, select=None, **options):
    random.seed(2)
    toolbox = evo.deap.toolbox(spec, seed=2)
    if select is not None:
        toolbox.register("select", select, **options)
    statistics = tools.Statistics(lambda individual: individual.fitness.values[0])
    statistics.register("best", np.max)
    best = tools.ParetoFront()
    population = toolbox.population(n=16)
    population, log = algorithms.eaMuPlusLambda(
        population, toolbox, 16, 16, 0.5, 0.5, 5, stats=statistics, halloffame=best, verbose=False
    )
    return toolbox, population, log, best


REFERENCE_POINTS = tools.uniform_reference_points(3, 4)


@pytest.mark.parametrize(
    ("select", "options"),
    [
        (None, {}),
        (tools.selNSGA2, {}),
        (tools.selNSGA3, {"ref_points": REFERENCE_POINTS}),
        (tools.selSPEA2, {}),
        (tools.selTournament, {"tournsize": 3}),
        (tools.selAutomaticEpsilonLexicase, {}),
    ],
)
def test_deaps_algorithm_runs_unchanged_with_its_selections(spec, select, options):
    _, population, log, best = searched(spec, select, **options)
    assert len(population) == 16
    assert max(individual.fitness.values[0] for individual in best) == max(log.select("best")) > 0
    assert all(individual.fitness.valid for individual in population)
    bounds = population[0]._source.problem.encoding.bounds
    assert not any(faults(individual.genome[0], bounds) for individual in [*population, *best])
    assert isinstance(best[0].circuit, circuits.Circuit)


@pytest.mark.parametrize("algorithm", [algorithms.eaSimple, algorithms.eaMuCommaLambda])
def test_the_other_algorithms_run_too(spec, algorithm):
    random.seed(1)
    toolbox = evo.deap.toolbox(spec)
    toolbox.register("select", tools.selTournament, tournsize=2)
    numbers = (0.5, 0.5, 2) if algorithm is algorithms.eaSimple else (8, 16, 0.5, 0.5, 2)
    best = tools.HallOfFame(3)
    population, _ = algorithm(toolbox.population(n=8), toolbox, *numbers, halloffame=best, verbose=False)
    assert len(population) == 8
    assert len(best) == 3


def test_the_same_seeds_give_the_same_search(spec):
    one, other = (searched(spec)[1] for _ in range(2))
    assert one == other


def test_a_population_is_evaluated_in_one_go_with_the_values_that_each_alone_gets(spec):
    toolbox = evo.deap.toolbox(spec)
    population = toolbox.population(n=5)
    together = list(toolbox.map(toolbox.evaluate, population))
    assert together == [toolbox.evaluate(individual) for individual in population]
    resolved, source = read(spec)
    here = problem(resolved.model_dump_json(), source)
    score, energy, wiring = together[0]
    found = here.judge.evaluate(here.candidates(population[0].genome))
    assert score == -float(found.objectives[0, 0])
    assert (energy, wiring) == (float(found.spikes[0] + found.events[0]), population[0].circuit.synapse_count)
    assert population[0].fitness.weights == (1.0, -1.0, -1.0)


def test_a_fitness_of_ones_own_reads_the_circuit(spec):
    toolbox = evo.deap.toolbox(spec)
    toolbox.register("evaluate", lambda individual: (float(len(individual.circuit.neurons)), 0.0, 0.0))
    sizes = list(toolbox.map(toolbox.evaluate, toolbox.population(n=4)))
    assert all(3 <= size <= 6 for size, _, _ in sizes)


def test_a_clone_stays_as_it_was_when_the_original_changes(spec):
    toolbox = evo.deap.toolbox(spec)
    (original,) = toolbox.population(n=1)
    original.fitness.values = toolbox.evaluate(original)
    clone = toolbox.clone(original)
    assert clone == original
    assert clone.fitness == original.fitness
    toolbox.mutate(original)
    del original.fitness.values
    assert clone != original
    assert clone.fitness.valid


def test_individuals_and_evaluation_travel_to_other_processes(spec):
    toolbox = evo.deap.toolbox(spec)
    (individual,) = toolbox.population(n=1)
    individual.fitness.values = toolbox.evaluate(individual)
    there, evaluate = pickle.loads(pickle.dumps((individual, toolbox.evaluate)))
    assert there == individual
    assert evaluate(there) == there.fitness.values == individual.fitness.values
