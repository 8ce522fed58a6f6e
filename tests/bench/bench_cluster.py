"""What distribution costs, and how far it goes: real epochs on one and two workers, then the real driver and store over epochs
that only sleep, so that many more workers than this machine has processors can be tried, and a model up to 1,000.

python -m tests.bench.bench_cluster [overhead] [sleeping] [real] [compiling]; all by default
"""

import json
import os
import subprocess
import sys
import textwrap
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from evo.cluster import tasks
from evo.engine.epochs import Plan, Result, compute
from evo.engine.progress import Progress
from evo.running.stored_search import _guests
from evo.spec.run_spec import RunSpec
from evo.storage.store import Store
from tests.bench.report import figure, quickest, skipped

ROOT = Path(__file__).parents[2]
CORES, EPOCHS_S = 1000, (1, 2, 5, 10)
SLEEP_S = 1.0
ISLANDS = 2  # for each worker


def spec_of(islands, epochs, generations=10):
    search = {"islands": islands, "epoch": generations, "generations": generations * epochs, "held_out": 64}
    return RunSpec.model_validate_json(json.dumps({"task": {"name": "gate"}, "search": search}))


def real_epoch():
    """What a second epoch of the default population brings: state, migrants, log, timings."""
    text = spec_of(2, 2).model_dump_json()
    first = compute(text, None, 0, 0, None, None)
    state, sent, (log, timings) = compute(text, None, 0, 1, first[0], first[1])
    return state, sent, log, timings


def sleeping_worker(epoch_s, found):
    """In place of `tasks._worker`: an epoch that sleeps and returns a real one's bytes."""
    state, sent, log, _ = found

    def epoch(driver_code, spec_json, source, island, epoch, before, guests):
        time.sleep(epoch_s)
        rows = [row | {"generation": 10 * epoch + k + 1} for k, row in enumerate(log[-10:])]
        return state, sent, (rows, {"total": epoch_s})

    return lambda: epoch


class Watched:
    """The time that the driver waits for Ray."""

    def __init__(self):
        import ray

        self.seconds, self.wait = 0.0, ray.wait
        ray.wait = self

    def __call__(self, *arguments, **options):
        start = time.perf_counter()
        try:
            return self.wait(*arguments, **options)
        finally:
            self.seconds += time.perf_counter() - start


def driven(workers, epoch_s, rounds, found):
    """The driver and the store over sleeping epochs: (epochs per second, processor and busy seconds of the driver's main
    thread per epoch, epochs per transaction)."""
    tasks._worker = sleeping_worker(epoch_s, found)
    waits = Watched()
    with TemporaryDirectory(dir=ROOT / "runs") as folder:
        spec = spec_of(ISLANDS * workers, rounds)
        store = Store.create(Path(folder) / "run.db", {"spec_sha256": "none"})
        progress = Progress.of(spec)
        plan = Plan(spec, None, progress, store.state, partial(_guests, spec, store))
        done = batches = 0
        start = None
        for results in tasks.on_ray(plan, workers):
            store.add_epochs(results, 0.0, 0)
            for result in results:
                progress.add(result.island, result.epoch, result.log, 0.0)
            done, batches = done + len(results), batches + 1
            now = done, time.perf_counter(), time.thread_time(), waits.seconds, batches
            if start is None and done >= ISLANDS * workers:
                start = now
        store._db.close()
    count, wall, processor, waited, batches = (b - a for a, b in zip(start, now, strict=True))  # without Ray's own end
    return count / wall, processor / count, (wall - waited) / count, count / batches


def overhead(found):
    """Sizes, and what the driver does for each epoch."""
    state, sent, log, timings = found
    figure("state of an island of 200", len(state) / 1000, "kB")
    figure("its migrants", len(sent) / 1000, "kB")
    figure("its log", len(json.dumps(log)) / 1000, "kB")
    figure("the epoch of 10 generations itself", timings["total"], "s")
    for batch in (1, 16, 256):
        with TemporaryDirectory(dir=ROOT / "runs") as folder:
            store = Store.create(Path(folder) / "run.db", {"spec_sha256": "none"})
            epochs = iter(range(10**6))

            def stored(store=store, epochs=epochs, batch=batch):
                epoch, start = next(epochs), time.perf_counter()
                store.add_epochs([Result(i, epoch, state, sent, log, timings) for i in range(batch)], 0.0, 0)
                return time.perf_counter() - start

            best = quickest(stored, seconds=1.0, rounds=5)[0]
            store._db.close()
        figure(f"storing, {batch} epochs in a transaction", 1000 * best / batch, "ms/epoch")
    best = max((driven(2, 0.0, 100, found) for _ in range(3)), key=lambda row: row[0])
    figure("empty epochs through Ray and the store", best[0], "1/s")


def sleeping(found):
    """Efficiency by workers, and the model."""
    costs = []
    for workers in (1, 2, 4, 8, 16, 32):
        best = max((driven(workers, SLEEP_S, 12, found) for _ in range(2)), key=lambda row: row[0])
        rate, processor, busy, batch = best
        figure(
            f"{workers} workers, epochs of {SLEEP_S:g} s",
            rate,
            "1/s",
            f"ideal: {workers / SLEEP_S:g}",
            rate * SLEEP_S / workers,
        )
        costs.append((workers, processor, busy, batch))
    workers, processor, busy, batch = costs[-1]
    figure("driver, main thread", 1000 * processor, "ms/epoch", f"not waiting: {1000 * busy:.2f} ms", processor / busy)
    figure("epochs in a transaction", batch, "")
    limit = 1 / processor
    figure("the driver is busy all the time at", limit, "epochs/s")
    for seconds in EPOCHS_S:
        reached = min(1.0, limit * seconds / CORES)
        figure(f"model: {CORES} cores, epochs of {seconds} s", 100 * reached, "% efficient")
    size = len(found[0]) + len(found[1])
    figure(f"model: {CORES} cores, epochs of 1 s: to the driver", CORES * size / 1e6, "MB/s")


REAL = """
import sys, time, evo
spec, out, workers = sys.argv[1:]
run = evo.run(spec, out, workers=int(workers))
islands = run.spec.search.islands
times = sorted(row["elapsed"] for row in run.epochs)
print((len(times) - islands) / (times[-1] - times[islands - 1]))
"""
PLAIN = """
import sys, time
from tests.bench.bench_cluster import compute, spec_of
text = spec_of(1, 9, int(sys.argv[1])).model_dump_json()
state, sent, _ = compute(text, None, 0, 0, None, None)
print("ready", flush=True)
sys.stdin.readline()
start = time.perf_counter()
for epoch in range(1, 7):
    state, sent, _ = compute(text, None, 0, epoch, state, sent)
print(6 / (time.perf_counter() - start))
"""


def plain(processes, generations):
    """Epochs per second of each of some processes at once, without Ray: what the machine gives."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PLAIN, str(generations)], cwd=ROOT, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(processes)
    ]  # fmt: skip
    for process in started:
        process.stdout.readline()
    for process in started:
        process.stdin.write("\n")
        process.stdin.flush()
    return sum(float(process.communicate()[0]) for process in started) / processes


def real(found):
    """One and two workers over real epochs of about a second."""
    if len(os.sched_getaffinity(0)) < 2:
        return skipped("real epochs", "needs two processors")
    generations = max(1, round(10 * SLEEP_S / found[3]["total"]))
    alone, both = [max(plain(n, generations) for _ in range(3)) for n in (1, 2)]
    rates = {1: 0.0, 2: 0.0}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "spec.toml"
        path.write_text(spec_of(4, 9, generations).to_toml())
        for turn in range(3):
            for workers in rates:
                out = str(Path(folder) / f"{turn}-{workers}")
                done = subprocess.run(
                    [sys.executable, "-c", REAL, str(path), out, str(workers)], cwd=ROOT, text=True,
                    stdout=subprocess.PIPE, check=True,
                )  # fmt: skip
                rates[workers] = max(rates[workers], float(done.stdout.split()[-1]))
    figure("real epochs, 1 worker", rates[1], "1/s", "in one process", rates[1] / alone)
    figure("real epochs, 2 workers", rates[2], "1/s", "in two processes", rates[2] / (2 * both))
    figure("efficiency of 2 workers", rates[2] / (2 * rates[1]), "", "two processes without Ray", both / alone)


COMPILE = """
import time
start = time.perf_counter()
from evo.spec import RunSpec
from evo.cluster.warm_up import warm_up
imported = time.perf_counter()
warm_up(RunSpec(task={"name": "gate"}), None)
print(time.perf_counter() - imported)
"""


def compiling(found):
    """The first process of a machine, one that starts at the same time, and a later one."""
    with TemporaryDirectory() as cache:
        environment = os.environ | {"NUMBA_CACHE_DIR": cache}

        def start():
            return subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(COMPILE)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
            )

        first = [start(), start()]
        cold = sorted(float(process.communicate()[0]) for process in first)
        warm = min(float(start().communicate()[0]) for _ in range(3))
    figure("compiling, nothing cached", cold[0], "s", "a second at the same time", cold[0] / cold[1])
    figure("compiled before", warm, "s", "nothing cached", cold[0] / warm)


PARTS = {"overhead": overhead, "sleeping": sleeping, "real": real, "compiling": compiling}


def main():
    os.environ.setdefault("RAY_worker_niceness", "0")  # else workers wait for whatever else runs
    chosen, found = sys.argv[1:] or PARTS, real_epoch()
    for name in chosen:
        PARTS[name](found)


if __name__ == "__main__":
    main()
