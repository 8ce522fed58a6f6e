"""neat-python's own spiking networks (neat.iznn) and its parallel evaluator, in two processes.

Its model is another: Izhikevich neurons in pure Python without synaptic currents, delays and Dale's law; its search has the
score alone. Its networks begin with all connections that it makes at the start, about as many as the job's circuit has.
"""

import tempfile
import time
from pathlib import Path

import neat
import numpy as np
from direction import objectives
from protocol import serve

CONFIG = """
[NEAT]
pop_size = {population}
fitness_criterion = max
fitness_threshold = 2.0
reset_on_extinction = True
no_fitness_termination = True

[IZGenome]
num_inputs = {inputs}
num_outputs = 1
num_hidden = {hidden}
feed_forward = False
initial_connection = full_direct
compatibility_disjoint_coefficient = 0.5
compatibility_weight_coefficient = 0.01
conn_add_prob = 0.3
conn_delete_prob = 0.3
node_add_prob = 0.0
node_delete_prob = 0.0
single_structural_mutation = False
structural_mutation_surer = default
enabled_default = True
enabled_mutate_rate = 0.01
enabled_rate_to_true_add = 0.0
enabled_rate_to_false_add = 0.0
{attributes}
[DefaultSpeciesSet]
compatibility_threshold = 3.0

[DefaultStagnation]
species_fitness_func = max
max_stagnation = 20
species_elitism = 2

[DefaultReproduction]
elitism = 2
survival_threshold = 0.2
min_species_size = 2
"""
ATTRIBUTE = """
{name}_init_type = gaussian
{name}_init_mean = {mean}
{name}_init_stdev = {spread}
{name}_replace_rate = 0.1
{name}_mutate_rate = 0.5
{name}_mutate_power = {spread}
{name}_min_value = {low}
{name}_max_value = {high}
"""
ATTRIBUTES = (
    {"name": "bias", "mean": 0.0, "spread": 1.0, "low": -20.0, "high": 20.0},
    {"name": "weight", "mean": 5.0, "spread": 20.0, "low": -150.0, "high": 150.0},
    *(
        {
            "name": name,
            "mean": value,
            "spread": abs(value) / 10,
            "low": min(0.5 * value, 2 * value),
            "high": max(0.5 * value, 2 * value),
        }
        for name, value in neat.iznn.REGULAR_SPIKING_PARAMS.items()
    ),
)


def prepare(given, workers="2", population="100"):
    global job
    job = given
    text = CONFIG.format(
        population=population,
        inputs=int(job.channels),
        hidden=int(job.neurons) - 1,
        attributes="".join(ATTRIBUTE.format(**a) for a in ATTRIBUTES),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config"
        path.write_text(text)
        kinds = neat.iznn.IZGenome, neat.DefaultReproduction, neat.DefaultSpeciesSet, neat.DefaultStagnation
        config = neat.Config(*kinds, str(path))
    evaluator = neat.ParallelEvaluator(int(workers), fitness)

    def run():
        start = time.perf_counter()
        neat.Population(config, seed=1).run(evaluator.evaluate, 1)
        return time.perf_counter() - start, None

    first = next(iter(neat.Population(config, seed=1).population.values()))
    network = neat.iznn.IZNN.create(first, config)
    about = {"result": simulated(network, list(network.neurons.values())).sum((0, 1)), "circuits": int(population)}
    leaves_out = ["delays", "synaptic currents", "integrate-and-fire neurons", "Dale's law", "more than one objective"]
    return run, about | {"version": neat.__version__, "leaves_out": leaves_out}


def fitness(genome, config):
    network = neat.iznn.IZNN.create(genome, config)
    outputs = [network.neurons[key] for key in network.outputs]
    return float(objectives(simulated(network, outputs)[..., 0], job)[0])


def simulated(network, neurons):
    """Spikes of these neurons, bool [trials, steps, neurons]."""
    steps, _, trials = job.spikes.shape
    inputs = job.spikes.transpose(2, 0, 1).astype(float).tolist()
    raster = np.zeros((trials, steps, len(neurons)), bool)
    for trial in range(trials):
        network.reset()
        for k in range(steps):
            network.set_inputs(inputs[trial][k])
            network.advance(float(job.dt))
            raster[trial, k] = [neuron.fired > 0 for neuron in neurons]
    return raster


if __name__ == "__main__":
    serve(prepare)
