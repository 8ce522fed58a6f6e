"""A DEAP script over Brian2 (runtime mode, its default code generation): same equations, same delays, in two processes.

The network, 64 copies of the circuit with every possible synapse, is built and compiled once in each process; a circuit is what
weights, delays and time constants it is given. Refractory as in brian2_standalone.py.
"""

import multiprocessing
import time
from types import SimpleNamespace

import numpy as np
from brian2_standalone import EQUATIONS
from deap_search import Shape, individual_of, search, toolbox
from direction import objectives
from protocol import serve

GENERATIONS = 1


def prepare(job, workers="2", *population):
    import brian2

    global setting
    start = time.perf_counter()
    setting = build(brian2, job)
    raster = simulated(individual_of(job, delays=True))
    building = time.perf_counter() - start
    box = toolbox(job, evaluate, delays=True)
    box.register("map", multiprocessing.get_context("fork").Pool(int(workers)).map)
    run, circuits = search(box, GENERATIONS, *map(int, population))
    about = {
        "result": raster.sum((0, 1)),
        "objectives": evaluate(individual_of(job, delays=True)),
        "circuits": circuits,
        "compile_seconds": building,
    }
    return run, about | {"version": brian2.__version__, "leaves_out": []}


def evaluate(individual):
    return objectives(simulated(individual)[..., setting.job.readout], setting.job)


def build(brian2, job):
    b, n, trials = brian2, int(job.neurons), job.spikes.shape[2]
    b.start_scope()
    b.defaultclock.dt = job.dt * b.ms
    group = b.NeuronGroup(
        n * trials,
        EQUATIONS,
        threshold="v >= 1",
        reset="v = 0",
        refractory=(round(job.t_ref / job.dt) + 1) * job.dt * b.ms,
        method="exact",
        namespace={"tau_e": job.tau_e * b.ms, "tau_i": job.tau_i * b.ms},
    )
    step, channel, trial = np.nonzero(job.spikes)
    entering = b.SpikeGeneratorGroup(job.channels * trials, trial * job.channels + channel, step * job.dt * b.ms)
    first_i, copy = int(job.excitatory.sum()), np.arange(trials)[:, None]
    wiring = []
    for source, to, pre, size in (
        (entering, "i_e", np.arange(job.channels), job.channels),
        (group, "i_e", np.arange(first_i), n),
        (group, "i_i", np.arange(first_i, n), n),
    ):
        synapses = b.Synapses(source, group, "w : 1", on_pre=f"{to}_post += w")
        synapses.connect(i=(np.repeat(pre, n) + copy * size).ravel(), j=(np.tile(np.arange(n), len(pre)) + copy * n).ravel())
        wiring.append(synapses)
    monitor = b.SpikeMonitor(group)
    network = b.Network(group, entering, *wiring, monitor)
    network.store()
    shape = Shape(int(job.channels), n, int(job.delay.max()))
    return SimpleNamespace(b=b, job=job, shape=shape, group=group, wiring=wiring, monitor=monitor, network=network)


def simulated(individual):
    """What a circuit does, bool [trials, steps, neurons]."""
    s, b, job = setting, setting.b, setting.job
    weights, constants, delays = s.shape.parts(individual)
    steps, _, trials = job.spikes.shape
    first_i = s.shape.channels + int(job.excitatory.sum())
    s.network.restore()
    s.group.tau_m = np.tile(constants[0], trials) * b.ms
    rows = slice(s.shape.channels), slice(s.shape.channels, first_i), slice(first_i, None)
    for synapses, row, sign in zip(s.wiring, rows, (1, 1, -1), strict=True):
        synapses.w = np.tile(sign * weights[row].ravel(), trials)
        synapses.delay = np.tile(np.maximum(delays[row], 1).ravel(), trials) * job.dt * b.ms
    s.network.run(steps * job.dt * b.ms)
    raster = np.zeros((trials, steps, s.shape.neurons), bool)
    trial, neuron = np.divmod(np.asarray(s.monitor.i), s.shape.neurons)
    raster[trial, np.rint(np.asarray(s.monitor.t / b.ms) / job.dt).astype(int), neuron] = True
    return raster


if __name__ == "__main__":
    serve(prepare)
