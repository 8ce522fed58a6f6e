"""The search as DEAP's users write it: creator, toolbox, NSGA-II by `selNSGA2` and `eaMuPlusLambda`.

An individual is one flat array of numbers: weights in units of the threshold, 0 for no synapse, of all sources (input channels
first) onto all neurons; the neurons' time constants; delays, for who has them. Signs are the neurons' (Dale's law) and stay.
"""

import random
import time
from typing import NamedTuple

import numpy as np
from deap import algorithms, base, creator, tools
from protocol import matrices

LIGHTEST, HEAVIEST = 1 / 15, 10.0
TAU_M = 10.0, 30.0
POPULATION = 100


class Shape(NamedTuple):
    """What an individual holds;   longest  delay in steps, 0 where there are none."""

    channels: int
    neurons: int
    longest: int = 0

    def parts(self, individual):
        """Views of it: weights [sources, neurons], tau_m in ms [1, neurons], delays in steps [sources or none, neurons]."""
        rows = self.channels + self.neurons
        return np.split(np.asarray(individual).reshape(-1, self.neurons), [rows, rows + 1])


creator.create("Fitness", base.Fitness, weights=(1.0, -1.0))
creator.create("Circuit", np.ndarray, fitness=creator.Fitness)


def toolbox(job, evaluate, delays=False):
    """All but the map, which rivals have of their own."""
    shape = Shape(int(job.channels), int(job.neurons), int(job.delay.max()) if delays else 0)
    box = base.Toolbox()
    shares = len(job.input_post) / (shape.channels * shape.neurons), len(job.pre) / shape.neurons**2
    box.register("individual", founder, shape, *shares)
    box.register("population", tools.initRepeat, list, box.individual)
    box.register("evaluate", evaluate)
    box.register("mate", mate, shape=shape)
    box.register("mutate", mutate, shape=shape)
    box.register("select", tools.selNSGA2)
    return box


def founder(shape, entering, between):
    """With as many synapses as the job's circuit, give or take."""
    chance = np.repeat([entering, between], [shape.channels, shape.neurons])[:, None]
    there = np.random.random((len(chance), shape.neurons)) < chance
    weights = np.where(there, np.random.uniform(LIGHTEST, HEAVIEST, there.shape), 0)
    delays = np.random.randint(1, shape.longest + 1, there.shape if shape.longest else (0, shape.neurons))
    return creator.Circuit(np.concatenate([weights, np.random.uniform(*TAU_M, (1, shape.neurons)), delays]).ravel())


def mate(a, b, shape):
    """Swap half the neurons, each with its incoming synapses."""
    swapped = np.random.random(shape.neurons) < 0.5
    for x, y in zip(shape.parts(a), shape.parts(b), strict=True):
        x[:, swapped], y[:, swapped] = y[:, swapped].copy(), x[:, swapped].copy()
    return a, b


def mutate(individual, shape):
    """One change or more: of a weight, a time constant, a delay, a synapse there or not."""
    weights, tau_m, delays = shape.parts(individual)
    while True:
        die, present = random.random(), np.argwhere(weights)
        if die < 0.4 and len(present):
            k = tuple(random.choice(present))
            weights[k] = np.clip(weights[k] * random.gauss(1, 0.3), LIGHTEST, HEAVIEST)
        elif die < 0.5 and len(delays):
            delays[tuple(random.choice(present))] = random.randint(1, shape.longest)
        elif die < 0.6:
            tau_m[0, random.randrange(shape.neurons)] = random.uniform(*TAU_M)
        elif die < 0.8 and len(present):
            weights[tuple(random.choice(present))] = 0
        else:
            weights[tuple(random.choice(np.argwhere(weights == 0)))] = random.uniform(LIGHTEST, HEAVIEST)
        if random.random() < 0.5:
            return (individual,)


def individual_of(job, delays=False):
    """The job's circuit as an individual."""
    weights = np.vstack([matrices(job)[0], np.abs(sum(matrices(job)[1:]))])
    parts = [weights, job.tau_m[None]]
    if delays:
        parts.append(np.ones_like(weights))
        parts[2][job.pre + job.channels, job.post] = job.delay
    return np.concatenate(parts).ravel()


def search(box, generations, population=POPULATION):
    """What `protocol.serve` asks for: a call that searches from founders on, and the number of circuits that it tries."""

    def run():
        random.seed(1)
        np.random.seed(1)
        start = time.perf_counter()
        founders = box.population(population)
        sizes = {"mu": population, "lambda_": population, "cxpb": 0.5, "mutpb": 0.5, "ngen": generations}
        _, log = algorithms.eaMuPlusLambda(founders, box, **sizes, halloffame=tools.ParetoFront(np.array_equal), verbose=False)
        assert sum(log.select("nevals")) == circuits
        return time.perf_counter() - start, None

    circuits = population * (generations + 1)
    return run, circuits
