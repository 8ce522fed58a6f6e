"""The whole search: circuits a minute from the first generation to the stored archive, and where the time goes.

A run is timed from the call to the finished run. What is the same however long it goes on is left out, and a figure of its own:
Ray's start, until its workers are warm; opening the folder and analysing the front at the end. Shares are of the time that all
workers have, `workers` times the wall time: what epochs tell (`other` is the rest of them), `compile`, `Ray` (what its workers
do besides epochs) and `idle`. The store is written by the driver meanwhile: its share is of the wall time. Without Ray one
process does it all; what is left there is `driver`.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import evo
from evo.cluster.session import ray_session
from evo.engine.codec import from_bytes
from evo.engine.island import State
from evo.running import search, stored_search
from evo.spec.run_spec import RunSpec
from evo.storage.store import Store
from tests.bench import search_job
from tests.bench.report import figure

ROOT = Path(__file__).parents[2]
GOAL = 1_000_000  # circuits a minute with two workers
WORKERS = 2
# The default epoch, a longer one where it would take a worker less than some tenths of a second. A run takes some forty
# seconds: at its end workers wait for each other.
EPOCH = {100: 50, 1_000: 10, 10_000: 10}
GENERATIONS = {100: 2_400, 1_000: 240, 10_000: 40}
# What the driver does, by what does it; `once` is left out.
PARTS = (
    (Store, "add_epochs", "store"),
    (search, "warm_up", "compile"),
    (search, "Run", "once"),
    (stored_search, "Run", "once"),
    (stored_search.StoredSearch, "_analyse", "once"),
)
FLUSH = 2.0  # seconds: Ray's workers report once a second what they did


class Ran(NamedTuple):
    """A timed run.

    tried      circuits simulated and scored; those known already do not count
    shares     of the workers' time, by phase;   store  of the wall time;   once  seconds that are left out
    synapses   of a circuit in the last population, on average;   stored  bytes in the store for every circuit that is in it
    simulated  share of the steps that the stop rule left to simulate
    """

    tried: int
    wall: float
    shares: dict[str, float]
    store: float
    once: float
    synapses: float
    stored: float
    simulated: float

    @property
    def per_minute(self) -> float:
        return 60 * self.tried / self.wall


def main():
    compiling()
    with TemporaryDirectory() as folder:
        places = (Path(folder) / str(k) for k in range(1000))
        start = time.perf_counter()
        with ray_session(WORKERS):
            figure("start of Ray", time.perf_counter() - start, "s")
            start = time.perf_counter()
            evo.resume(search_job.begin(next(places), search_job.spec(**sizes(100, 1))), WORKERS)
            figure("first epoch of new workers", time.perf_counter() - start, "s")
            for n in EPOCH:
                ran = timed(next(places), search_job.spec(**sizes(n)), WORKERS)
                tell(f"population {n:,}, {WORKERS} workers", ran, "goal", GOAL)
                alone = timed(next(places), search_job.spec(**sizes(n, GENERATIONS[n] // 2)), 0)
                tell(f"population {n:,}, in one process", alone, f"{WORKERS} workers", ran.per_minute)
                usual = timed(next(places), search_job.usual(**sizes(n)), WORKERS)
                tell(f"population {n:,}, {WORKERS} workers, usual search", usual, "goal", GOAL)


def sizes(population: int, generations: int | None = None) -> dict[str, int]:
    chosen = {"population": population, "epoch": EPOCH[population]}
    return chosen | {"generations": generations or GENERATIONS[population]}


def compiling():
    """What comes before a search: with nothing compiled, and with the cache of compiled code."""
    with TemporaryDirectory() as cache:
        spec = Path(cache) / "job.toml"
        spec.write_text(search_job.TEXT, encoding="utf-8")
        command, env = [sys.executable, "-m", "evo.cli", "warmup", str(spec)], {**os.environ, "NUMBA_CACHE_DIR": cache}
        seconds = []
        for _ in range(2):
            start = time.perf_counter()
            subprocess.run(command, env=env, cwd=ROOT, check=True, stdout=subprocess.PIPE)
            seconds.append(time.perf_counter() - start)
    figure("evo warmup, compiled before", seconds[1], "s", f"nothing compiled: {seconds[0]:.3g} s", seconds[0] / seconds[1])


def timed(folder: Path, spec: RunSpec, workers: int) -> Ran:
    """A run of the spec from its second epoch to its end, whose founders are the job's, or its own if it asks for few
    synapses."""
    first = spec.model_copy(update={"search": spec.search.model_copy(update={"generations": spec.search.epoch})})
    evo.resume(search_job.begin(folder, first, founded="wiring" not in spec.search.objectives), workers)
    seconds, logs, begun = Counter(), [], time.time()

    def observe(result):
        seconds.update(result.timings)
        logs.extend(result.log)

    with ExitStack() as stack:
        for owner, name, phase in PARTS:
            stack.enter_context(clocked(owner, name, seconds, phase))
        start = time.perf_counter()
        evo.resume(folder, workers, observe=observe, generations=spec.search.generations)
        wall = time.perf_counter() - start
    store, total, once = seconds.pop("store"), seconds.pop("total"), seconds.pop("once")
    wall -= once
    seconds["other"] = total + seconds["compile"] - seconds.total()
    if workers:
        seconds["Ray"] = at_tasks(begun) - total
        seconds["idle"] = workers * wall - seconds.total()
    else:
        seconds["store"] = store
        seconds["driver"] = wall - seconds.total()
    shares = {phase: spent / wall / max(1, workers) for phase, spent in seconds.items()}
    tried = sum(row["evaluations"] - row["repeats"] for row in logs)
    simulated = sum((row["evaluations"] - row["repeats"]) * row["simulated"] for row in logs) / tried
    return Ran(tried, wall, shares, store / wall, once, *left(folder), simulated)


@contextmanager
def clocked(owner, name, seconds, phase):
    """Add the time that a function takes to the seconds of a phase."""
    function = getattr(owner, name)

    def timed(*arguments, **more):
        start = time.perf_counter()
        try:
            return function(*arguments, **more)
        finally:
            seconds[phase] += time.perf_counter() - start

    setattr(owner, name, timed)
    try:
        yield
    finally:
        setattr(owner, name, function)


def at_tasks(begun: float) -> float:
    """Seconds that Ray's workers have been at tasks since then."""
    import ray

    time.sleep(FLUSH)
    return sum(e["dur"] for e in ray.timeline() if e["cat"].startswith("task::") and e["ts"] > 1e6 * begun) / 1e6


def left(folder: Path) -> tuple[float, float]:
    """What a run leaves: synapses of a circuit in its populations, and bytes of the store, less the founders that it was given,
    for every circuit in there."""
    with Store.open(folder / search.STORE) as store:
        states = [from_bytes(State, blob) for *_, blob in store.states()]
        given = len(store.fact("heritage") or b"")
    kept = sum(len(state.population) + len(state.archive) for state in states)
    synapses = sum((state.population["genome"]["weight"] > 0).sum(axis=(1, 2)).mean() for state in states) / len(states)
    return float(synapses), ((folder / search.STORE).stat().st_size - given) / kept


def tell(name: str, ran: Ran, rival: str, theirs: float):
    """Circuits a minute, and where the time went."""
    figure(name, ran.per_minute, "circuits/min", rival, ran.per_minute / theirs)
    for phase, share in sorted(ran.shares.items(), key=lambda one: -one[1]):
        figure(f"  {phase}", 100 * share, "%")
    figure("  all but simulate and score", 100 * (1 - ran.shares["simulate"] - ran.shares["score"]), "%")
    if "Ray" in ran.shares:
        figure("  store, in the driver", 100 * ran.store, "%")
    figure("  opening and analysing, besides", ran.once, "s")
    figure("  synapses of a circuit", ran.synapses, "")
    figure("  steps simulated", 100 * ran.simulated, "%")
    figure("  stored", ran.stored, "B/circuit")


if __name__ == "__main__":
    main()
