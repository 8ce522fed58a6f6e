"""Running a search: start one from a spec, or go on with a stopped one."""

import fcntl
import json
import os
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from circuits.errors import MachineError, UserError
from circuits.motif_file import write_whole
from evo import cluster
from evo.island import HELD_OUT_TRIALS, to_bytes
from evo.run_folder import SPEC, STORE, Examples, Run, read_spec, versions
from evo.spec import read
from evo.store import Store
from fitness.check import check
from fitness.registry import is_own, read_source

Observer = Callable[[cluster.Result], None]


def run(
    spec, out=None, workers: int | str = "auto", address: str | None = None, observe: Observer | None = None, **overrides
) -> Run:
    """Run a search from a spec file to its end; returns the finished run.

    out       the run folder (default: the first free runs/NAME-1, runs/NAME-2, ...); one that holds a run is refused
    workers   processes; "auto" is one per core; 0 runs everything in this process, without Ray
    address   a running Ray to use instead of starting one: "auto" or HOST:PORT
    observe   called with every finished epoch once it is stored
    overrides keys of [search], such as seed=3
    Raises UserError or MachineError with one line each.
    """
    spec_path = Path(spec)
    resolved, source = read(spec_path, **overrides)
    workers = _workers(workers, resolved.search.islands)
    cluster.check_address(address)
    if is_own(resolved.task["name"]):
        check(resolved.make_task(source), resolved.search.seed, min(resolved.search.trials, 64))
    folder = Path(out) if out is not None else free_folder(spec_path.stem)
    if any((folder / name).exists() for name in (SPEC, STORE)):
        raise UserError(f"{folder}: already holds a run; go on with it by evo resume {folder}, or choose another --out")
    task = dict(resolved.task)
    if source is not None:
        task["name"] = Path(task["name"]).name
        resolved = resolved.model_copy(update={"task": task})
        write_whole(folder / task["name"].rpartition(":")[0], source)
    write_whole(folder / SPEC, resolved.to_toml())
    return _go_on(folder, workers, address, observe)


def resume(folder, workers: int | str = "auto", address: str | None = None, observe: Observer | None = None) -> Run:
    """Go on with a stopped run from its last stored epochs; ends in the archive the uninterrupted run has. A finished run is
    returned as it is. Executes the task file in the folder if the run has one."""
    return _go_on(Path(folder), workers, address, observe)


def _go_on(folder, workers, address, observe):
    spec = read_spec(folder)
    workers = _workers(workers, spec.search.islands)
    cluster.check_address(address)
    source = read_source(spec.task["name"], folder)
    with _locked(folder), _open_store(folder, spec, source) as store:
        if store.fact("spec_sha256") != spec.digest(source):
            raise UserError(f"{folder / SPEC}: was changed since the run began; undo the change, or start a new run from it")
        Run(folder)  # finds damage before anything is computed
        done = dict.fromkeys(range(spec.search.islands), -1) | store.latest()
        stored = list(done.values()), store.state, store.migrants, cluster.best_of(store.epochs())
        plan = cluster.Plan(spec, source, cluster.epochs_of(spec), *stored)
        if not cluster.is_finished(spec, plan.done, plan.best):
            for result in _results(plan, workers, address):
                store.add_epoch(result.island, result.epoch, result.state, result.migrants, result.log, result.seconds)
                if observe:
                    observe(result)
        store.settle()
    return Run(folder)


def _results(plan, workers, address):
    if workers == 0 and not address:
        yield from cluster.in_process(plan)
        return
    with cluster.ray_session(workers, address):
        cluster.warm_up(plan.spec, plan.source)  # once, before many processes would all compile the same
        yield from cluster.on_ray(plan)


def _workers(workers, islands):
    if workers != "auto":
        try:
            count = int(workers)
        except ValueError:
            count = -1
        if not 0 <= count <= 10_000:
            raise UserError(f"--workers: a number from 0, or auto, not {workers}")
        return count
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = min(cores, islands)
    return count if count > 1 else 0


def _open_store(folder, spec, source):
    """The run's store; made now if the run was stopped before it had one."""
    path = folder / STORE
    if path.exists():
        return Store.open(path, write=True)
    task = spec.make_task(source)
    trials = task.trials((spec.search.seed, HELD_OUT_TRIALS), spec.search.held_out)
    classes = np.unique(trials.labels)[:12]
    shown = np.concatenate([np.flatnonzero(trials.labels == label)[:2] for label in classes])
    facts = {
        "spec_sha256": spec.digest(source),
        "interface": json.dumps(task.interface),
        "examples": to_bytes(Examples(trials.spikes[shown], trials.labels[shown])),
        "versions": json.dumps(versions()),
    }
    return Store.create(path, facts)


def free_folder(stem):
    k = 1
    while (folder := Path("runs") / f"{stem}-{k}").exists():
        k += 1
    return folder


@contextmanager
def _locked(folder):
    """Only one process at a time goes on with a run; the lock goes with the process, however it ends."""
    with open(folder / SPEC, "rb") as file:
        for patience in range(20, -1, -1):  # evo status holds the lock for a moment
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if not patience:
                    raise MachineError(f"{folder}: another process is running it; see evo status {folder}") from None
                time.sleep(0.05)
        yield
