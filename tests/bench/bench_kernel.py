"""The kernel beside a C kernel written by hand for the same job, both on one core: python -m tests.bench.bench_kernel

With AVX-512, and with AVX2, to which then the kernel is held as well: figures for a processor that has no more. "kernel" is one
call of the kernel on one circuit; "population" is `simulate_population` per circuit, on 64 copies of it, with its counting of
spikes and events and its copying of outputs, which the C kernel does not do.
"""

import os
import subprocess
import sys

import numpy as np

from circuits.simulation.packed import PackedCircuits, from_circuit
from circuits.simulation.population import simulate_population
from tests.bench.report import fastest, figure, skipped
from tests.bench.yardstick import Job, Yardstick, reason, widths
from tests.bench.yardstick_job import circuit_of, inputs_of, kernel_call

JOBS = (
    {"neurons": 8},
    {},
    {"dt": 0.1, "steps": 2000},
    {"neurons": 32},
    {"neurons": 64},
)
COPIES = 64
AVX2_ALONE = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+bmi,+bmi2,+popcnt,+sse4.2"}


def main(only=None):
    if reason():
        skipped("kernel and population", reason())
        return
    for width in widths():
        if only is None and width == "AVX2" and len(widths()) > 1:  # the kernel's machine code is made once in a process
            again = [sys.executable, "-m", "tests.bench.bench_kernel", width]
            subprocess.run(again, env=os.environ | AVX2_ALONE, check=True)
        elif only in (None, width):
            for settings in JOBS:
                compare(width, Job(**settings))


def compare(width, job):
    name = f"{job.neurons} neurons, dt {job.dt:g} ms, {job.steps} steps"
    yardstick, call, spikes = Yardstick(job, width), *kernel_call(job)
    call()
    assert np.array_equal(yardstick.run(), spikes), "the C kernel does not simulate this job"
    rival, alone, population = fastest(yardstick.run, *ours(job))
    figure(f"kernel, {name}", job.updates / alone, "updates/s", f"yardstick (C, {width})", rival / alone)
    each = population / COPIES
    figure(f"population, {name}", job.updates / each, "updates/s", f"yardstick (C, {width})", rival / each)


def ours(job, real=np.float32):
    """The job as two calls: the kernel alone, and `simulate_population` on `COPIES` copies of the circuit."""
    tables, inputs = copies(from_circuit(circuit_of(job), real), COPIES), inputs_of(job)
    kernel_alone, _ = kernel_call(job, real)
    return kernel_alone, lambda: simulate_population(tables, inputs, 64, threads=1)


def copies(tables: PackedCircuits, count) -> PackedCircuits:
    """The same circuit `count` times over, each with synapse lists of its own."""
    names = ("neurons", "table", "n_ref", "fan_out", "readout", "excitatory")
    stacked = {name: np.repeat(getattr(tables, name), count, axis=0) for name in names}
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
    main(*sys.argv[1:])
