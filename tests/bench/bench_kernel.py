"""The kernel against the hand-written AVX-512 yardstick, both on one core: python -m tests.bench.bench_kernel

"kernel" is one call of the kernel on one circuit; "population" is `simulate_population` per circuit, on 64 copies of it, with
its counting of spikes and events and its copying of outputs, which the yardstick does not do.
"""

import numpy as np

from circuits.population import simulate_population
from circuits.tables import Tables, from_circuit
from tests.bench.report import fastest, figure, skipped
from tests.bench.yardstick_job import circuit_of, inputs_of, kernel_call, yardstick

JOBS = (
    {"neurons": 8},
    {},
    {"dt": 0.1, "steps": 2000},
    {"neurons": 32},
    {"neurons": 64},
)
COPIES = 64


def main():
    module, reason = yardstick()
    for settings in JOBS:
        name = f"{settings.get('neurons', 16)} neurons, dt {settings.get('dt', 1.0):g} ms, {settings.get('steps', 200)} steps"
        if module is None:
            skipped(f"kernel and population, {name}", reason)
        else:
            compare(name, module, module.Job(**settings))


def compare(name, module, job):
    rival, alone, population = fastest(module.Yardstick(job).run, *ours(job))
    figure(f"kernel, {name}", job.updates / alone, "updates/s", "yardstick (C, AVX-512)", rival / alone)
    each = population / COPIES
    figure(f"population, {name}", job.updates / each, "updates/s", "yardstick (C, AVX-512)", rival / each)


def ours(job, real=np.float32):
    """The job as two calls: the kernel alone, and `simulate_population` on `COPIES` copies of the circuit."""
    tables, inputs = copies(from_circuit(circuit_of(job), real), COPIES), inputs_of(job)
    kernel_alone, _ = kernel_call(job, real)
    return kernel_alone, lambda: simulate_population(tables, inputs, 64, threads=1)


def copies(tables: Tables, count) -> Tables:
    """The same circuit `count` times over, each with synapse lists of its own."""
    stacked = {
        name: np.repeat(getattr(tables, name), count, axis=0) for name in ("neurons", "table", "n_ref", "fan_out", "readout")
    }
    plastic = {name: lists and lists._replace(**_lists(lists, count)) for name, lists in _plastic(tables)}
    static = tables._replace(**stacked, **plastic)
    return static._replace(**_lists(tables, count, ("weight", "offset")))


def _plastic(tables):
    return [(name, getattr(tables, name)) for name in ("short_term", "stdp")]


def _lists(lists, count, names=None):
    """Synapse lists `count` times over."""
    shift = np.arange(count)[:, None, None] * len(lists.weight)
    names = names or [name for name in lists._fields if name != "bounds"]
    return {name: np.tile(getattr(lists, name), count) for name in names} | {"bounds": lists.bounds + shift}


if __name__ == "__main__":
    main()
