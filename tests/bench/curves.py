"""How the simulator's speed goes with trials, circuits, neurons and threads."""

import os

import numpy as np

from circuits.simulation.packed import from_circuit
from circuits.simulation.population import simulate_population
from tests.bench.bench_kernel import copies
from tests.bench.contest import TORCH, contest
from tests.bench.report import fastest, figure, quickest, timer
from tests.bench.yardstick import Job
from tests.bench.yardstick_job import circuit_of, inputs_of

TRIALS = (64, 256, 1024, 4096, 16384, 65536)
CIRCUITS = (1, 10, 100, 1_000, 10_000)
NEURONS = (128, 256, 512, 1024)
DENSE = (256, 512)
SYNAPSES_EACH = 20  # per neuron, so that larger circuits are sparser


def main():
    flat(Job())
    for neurons in NEURONS:
        large(Job(neurons=neurons, connection=SYNAPSES_EACH / neurons))
    for neurons in DENSE:
        large(Job(neurons=neurons, connection=1.0))


def flat(job):
    """Cost of a neuron update for more trials and more circuits; ratio 1 is as cheap as the fewest."""
    tables, inputs = from_circuit(circuit_of(job), np.float32), inputs_of(job)
    calls = [population(tables, np.tile(inputs, (trials // 64, 1, 1)), trials) for trials in TRIALS]
    curve("trials, one circuit", TRIALS, calls, job.updates / 64)
    calls = [population(copies(tables, count), inputs, 64) for count in CIRCUITS]
    curve("circuits, 64 trials", CIRCUITS, calls, job.updates)


def population(tables, inputs, trials, threads=1):
    return lambda: simulate_population(tables, inputs, trials, threads=threads)


def curve(name, sizes, calls, updates):
    """One figure per size beside the first one; `updates` are those of size 1.

    Smaller sizes are called as often as makes the work equal: the shortest of many short times is one that nothing disturbed,
    of few long ones it is not.
    """
    whole = [repeated(call, sizes[-1] // size) for size, call in zip(sizes, calls, strict=True)]
    seconds = fastest(*whole, rounds=10)
    for size, taken in zip(sizes, seconds, strict=True):
        figure(f"{size:,} {name}", sizes[-1] * updates / taken, "updates/s", f"{sizes[0]} at a time", seconds[0] / taken)


def repeated(call, times):
    def calls():
        for _ in range(times):
            call()

    return calls


def large(job):
    """A large circuit, 64 trials, beside dense matrix products of the same size; and its synaptic events."""
    tables, inputs = from_circuit(circuit_of(job), np.float32), inputs_of(job)
    each = len(job.synapses) / job.neurons
    name = f"{job.neurons} neurons, {each:.0f} synapses each"
    ours = population(tables, inputs, 64)
    events = ours().events.sum().item()
    with contest(job, [TORCH]) as rivals:
        seconds, *others = quickest(timer(ours), *(rival.go for rival in rivals), rounds=10)
        for rival, taken in zip(rivals, others, strict=True):
            figure(name, job.updates / seconds, "updates/s", f"{rival.name}: {1000 * taken:.3g} ms", taken / seconds)
        if not rivals:
            figure(name, job.updates / seconds, "updates/s")
    figure(f"{name}: spikes delivered", events / seconds, "events/s")


def threads(counts=(1, 2)):
    """A population on several threads beside one, and beside as many processes that share it out and nothing else."""
    job = Job()
    one = from_circuit(circuit_of(job), np.float32)
    tables, inputs = copies(one, 1000), inputs_of(job)
    apart = [processes(population(copies(one, 1000 // count), inputs, 64), count) for count in counts[1:]]
    alone, *seconds = fastest(*(population(tables, inputs, 64, count) for count in counts), *apart)
    for k, count in enumerate(counts[1:]):
        together, separate = seconds[k], seconds[k + len(apart)]
        figure(f"{count} threads, 1,000 circuits", 1000 * job.updates / together, "updates/s", "1 thread", alone / together)
        rival = f"{count} processes"
        figure(f"{count} threads, 1,000 circuits", 1000 * job.updates / together, "updates/s", rival, separate / together)


def processes(call, count):
    """The call in so many processes at once, this one among them."""

    def calls():
        others = []
        for _ in range(count - 1):
            others.append(os.fork())
            if others[-1] == 0:
                call()
                os._exit(0)
        call()
        for other in others:
            os.waitpid(other, 0)

    return calls


if __name__ == "__main__":
    main()
    threads()
