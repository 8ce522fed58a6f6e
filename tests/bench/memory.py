"""A long run of short epochs: whether the memory of driver and workers stays flat, and what the store grows by."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import evo
from evo.cluster.session import ray_session
from evo.running.search import STORE
from tests.bench import search_job
from tests.bench.report import figure
from tests.bench.throughput import WORKERS

EPOCHS, SETTLED, AROUND = 1_000, 200, 20  # of all islands together; memory is the median of so many epochs
ISLANDS, POPULATION = 4, 12


def main():
    with TemporaryDirectory() as folder:
        grown(Path(folder) / "alone", 0)
        with ray_session(WORKERS):
            grown(Path(folder) / "ray", WORKERS)


def grown(folder: Path, workers: int):
    """One run, watched epoch by epoch."""
    spec = search_job.usual(generations=EPOCHS // ISLANDS, epoch=1, islands=ISLANDS, population=POPULATION, migrants=1)
    driver, others, stored, tried = [], [], [], []
    name = f"{EPOCHS:,} epochs, {f'{workers} workers' if workers else 'one process'}"

    def observe(result):
        driver.append(resident(os.getpid()))
        others.append(sum(map(resident, workers_of(os.getpid()))))
        if len(driver) in (SETTLED, EPOCHS):
            stored.append(pages(folder / STORE))
        tried.append(sum(row["evaluations"] for row in result.log))

    evo.resume(search_job.begin(folder, spec, founded=False), workers, observe=observe)
    for who, sizes in (("driver", driver), ("workers", others)):
        if any(sizes):
            before, after = (float(np.median(sizes[end - AROUND : end])) for end in (SETTLED, len(sizes)))
            figure(f"{name}: {who}", after / 2**20, "MiB", f"after {SETTLED}: {before / 2**20:.0f} MiB", after / before)
            figure(f"{name}: {who} grew by", 100 * (after / before - 1), "%")
    figure(f"{name}: store", (stored[1] - stored[0]) / sum(tried[SETTLED:]), "B/evaluation")


def resident(pid: int) -> int:
    """Bytes of a process's own memory, without what it shares with others as Ray's workers do; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
    except (OSError, StopIteration):
        return 0


def pages(store: Path) -> int:
    """Bytes of the pages in use, wherever SQLite has them."""
    with closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)) as db:
        size, count, free = (
            db.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_size", "page_count", "freelist_count")
        )
    return size * (count - free)


def workers_of(driver: int) -> list[int]:
    """Ray's workers under this process."""
    found = []
    for pid in children(driver):
        found += workers_of(pid)
        if command(pid).startswith(b"ray::"):
            found.append(pid)
    return found


def children(pid: int) -> list[int]:
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


if __name__ == "__main__":
    main()
