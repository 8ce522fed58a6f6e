"""Our simulator beside what one would pick instead, where its speed goes with size, and its start: make bench-simulator

All rivals of a figure are timed in turn with us in one run, each on one core. `make rivals` installs them; those that are
absent are skipped by name. NEST and Brian2 compute in float64, the others and we in float32 unless it is said. How a rival
takes part, and how its spikes are compared with ours: contest.py and rivals/protocol.py.
"""

import numpy as np

from tests.bench import bench_kernel, bench_models, curves, startup
from tests.bench.contest import contest, one_core
from tests.bench.report import figure, quickest, timer
from tests.bench.yardstick import Job, Yardstick, reason, widths

TURN = 0.02  # seconds; see `report.quickest`


def main():
    with one_core():
        bench_kernel.main()
        bench_models.main()
        beside_rivals()
        curves.main()
        startup.main()
    curves.threads()


def beside_rivals():
    """The yardstick's default job: the kernel alone and `simulate_population` per circuit, beside every rival."""
    job, here = Job(), "" if reason() else widths()[0]
    calls = [*bench_kernel.ours(job), *bench_kernel.ours(job, np.float64)]
    names = []
    if here:
        calls, names = [*calls, Yardstick(job, here).run], [f"yardstick (C, {here})"]
    for call in calls:
        call()
    with contest(job) as rivals:
        found = quickest(*map(timer, calls), *(rival.go for rival in rivals), stretch=TURN)
    kernel, population, kernel64, population64, *seconds = found
    for name, taken in zip([*names, *(rival.name for rival in rivals)], seconds, strict=True):
        beside(f"{name}: {1000 * taken:.3g} ms", taken, kernel, population, job.updates)
    for rival, taken in zip(rivals, seconds[len(names) :], strict=True):
        if building := rival.about.get("build_seconds"):
            taken += building
            beside(f"{rival.name}, built for this circuit: {taken:.3g} s", taken, kernel, population, job.updates)
    figure("kernel, float64", job.updates / kernel64, "updates/s", "ours, float32", kernel / kernel64)
    each = population64 / bench_kernel.COPIES
    figure("population, float64", job.updates / each, "updates/s", "ours, float32", population / population64)


def beside(rival, taken, kernel, population, updates):
    each = population / bench_kernel.COPIES
    figure("kernel, 16 neurons, 64 trials", updates / kernel, "updates/s", rival, taken / kernel)
    figure("population, 16 neurons, 64 trials", updates / each, "updates/s", rival, taken / each)


if __name__ == "__main__":
    main()
