"""Running a search: start one from a spec or from another run, or go on with a stopped one."""

import fcntl
import json
import os
import time
import warnings
from collections.abc import Callable
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np

from circuits.errors import MachineError, UserError
from circuits.motif_file import digest, write_whole
from evo.analysis import analyse, to_text, trials_for
from evo.cluster.joining import check_address
from evo.epochs import Plan, Result, in_process, neighbour
from evo.fork import heritage
from evo.island import Founders
from evo.run_folder import SPEC, STORE, Examples, Heritage, Run, read_spec, versions
from evo.setting import HELD_OUT_TRIALS
from evo.spec import Search, changed, read
from evo.state_file import from_bytes, to_bytes
from evo.store import Store
from evo.warm import warm_up
from fitness.check import check
from fitness.registry import is_own, read_source

HERITAGE = "founders.npz"  # of a fork, until its store is made; named when states were .npz files
ANALYSED = 100  # of the front, best held-out score first: a second for about ten of them
Observer = Callable[[Result], None]


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
    path = Path(spec)
    resolved, source = read(path, **overrides)
    folder = Path(out) if out is not None else free_folder(path.stem)
    _begin(folder, resolved, source, workers, address)
    return _go_on(folder, workers, address, observe)


def fork(
    folder,
    changes: dict[str, str],
    out=None,
    workers: int | str = "auto",
    address: str | None = None,
    observe: Observer | None = None,
) -> Run:
    """Start a new run from the circuits of a finished or stopped one, with changed settings; returns it finished.

    changes  keys of the spec with their section, and values as TOML: {"search.algorithm": "cma", "task.volleys": "3"}
    out      the new run folder (default: the first free one beside its parent, NAME-1, ...)
    Its founders are the parent's archives and populations, as far as they keep the changed bounds; the store records the
    parent. Executes the task file in the folder if the parent has one. Raises UserError.
    """
    parent = Run(folder)
    if not parent.states:
        raise UserError(f"{parent.folder}: has no circuits yet; go on with it by evo resume {parent.folder}")
    source = read_source(parent.spec.task["name"], parent.folder)
    spec = changed(parent.spec, changes)
    inherited = heritage(parent, spec, spec.make_task(source).interface)
    beside = Path(out) if out is not None else free_folder(parent.name, parent.folder.parent)
    _begin(beside, spec, source, workers, address, inherited)
    return _go_on(beside, workers, address, observe)


def _begin(folder, spec, source, workers, address, inherited=None):
    """Make the folder of a new run. What it needs is there before run.toml is, with which it can be resumed."""
    _workers(workers, spec.search.islands)
    check_address(address)
    if is_own(spec.task["name"]):
        check(spec.make_task(source), spec.search.seed, min(spec.search.trials, 64))
    if any((folder / name).exists() for name in (SPEC, STORE)):
        raise UserError(f"{folder}: already holds a run; go on with it by evo resume {folder}, or choose another --out")
    if inherited is not None:
        write_whole(folder / HERITAGE, to_bytes(inherited))
    if source is not None:
        spec = spec.model_copy(update={"task": spec.task | {"name": Path(spec.task["name"]).name}})
        write_whole(folder / spec.task["name"].rpartition(":")[0], source)
    write_whole(folder / SPEC, spec.to_toml())


def resume(
    folder,
    workers: int | str = "auto",
    address: str | None = None,
    observe: Observer | None = None,
    generations: int | None = None,
) -> Run:
    """Go on with a stopped run from its last stored epochs; ends in the archive the uninterrupted run has. A finished run is
    returned as it is, or goes on to `generations` if given (what else had ended it no longer does). Executes the task file in
    the folder if the run has one."""
    folder = Path(folder)
    if generations is not None:
        _extend(folder, workers, address, observe, generations)
    return _go_on(folder, workers, address, observe)


def _extend(folder, workers, address, observe, generations):
    """Let a run go on to another generation: the new limit goes into its spec."""
    spec, found = read_spec(folder), Run(folder).standing
    if generations < max(found.generation):
        raise UserError(f"{folder}: is at generation {max(found.generation)} already; --generations must be more")
    if found.ended is None and spec.search.generations in found.generation:
        found = _go_on(folder, workers, address, observe).standing  # a last epoch cut short is one of all islands
    changes: dict[str, object] = {"generations": generations}
    if found.ended not in (None, "generations"):
        changes[found.ended] = None
    search = Search.model_validate({**spec.search.model_dump(), **changes})
    with _locked(folder):
        write_whole(folder / SPEC, spec.model_copy(update={"search": search}).to_toml())


def _go_on(folder, workers, address, observe):
    spec = read_spec(folder)
    workers = _workers(workers, spec.search.islands)
    check_address(address)
    source = read_source(spec.task["name"], folder)
    with _locked(folder), _open_store(folder, spec, source) as store:
        if store.fact("spec_sha256") != spec.digest(source):
            raise UserError(f"{folder / SPEC}: was changed since the run began; undo the change, or start a new run from it")
        standing = Run(folder).standing  # finds damage before anything is computed
        plan = Plan(spec, source, standing, store.state, partial(_guests, spec, store))
        if not standing.ended:
            start = time.monotonic() - standing.elapsed
            for results in _results(plan, workers, address):
                elapsed = time.monotonic() - start
                store.add_epochs(results, elapsed)
                for result in results:
                    standing.add(result.island, result.epoch, result.log, elapsed)
                for result in results:
                    if observe:
                        observe(result)
        if standing.ended:
            _analyse(Run(folder), source, store)
        store.settle()
    return Run(folder)


def _analyse(run, source, store):
    """Work out why the best circuits of the front work, while the task's own code is at hand. Those already stored are kept."""
    there, task, failed = store.analyses(), run.spec.make_task(source), []
    trials = trials_for(task, run.spec.search.seed, run.spec.search.held_out)
    for rank, member in enumerate(run.front[:ANALYSED]):
        if (key := digest(member.circuit)) not in there:
            try:
                found = analyse(task, run.motif(rank), *trials, name=f"{run.name}, rank {rank}")
                store.add_analysis(key, to_text(found))
            except UserError as error:
                failed.append(error)
    if failed:
        warnings.warn(f"{run.folder}: {len(failed)} circuits could not be analysed; {failed[0]}", stacklevel=4)


def _guests(spec, store, island, epoch):
    """What an island receives before an epoch, see `Plan`."""
    if epoch == 0:
        stored = store.fact("heritage")
        if stored is None:
            return None
        inherited = from_bytes(Heritage, stored)
        return to_bytes(Founders(inherited.genomes[inherited.island == island]))
    sender = neighbour(spec, island)
    return None if sender is None else store.migrants(sender, epoch - 1)


def _results(plan, workers, address):
    if workers == 0 and not address:
        yield from in_process(plan)
        return
    from evo.cluster.tasks import on_ray

    warm_up(plan.spec, plan.source)
    yield from on_ray(plan, workers, address)


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
    path, inherited = folder / STORE, folder / HERITAGE
    if not path.exists():
        facts = _facts(spec, source)
        if inherited.exists():
            facts["heritage"] = inherited.read_bytes()
        Store.create(path, facts).close()
    with suppress(OSError):  # gone already, or a file system that has become read-only
        inherited.unlink()
    return Store.open(path, write=True)


def _facts(spec, source):
    task = spec.make_task(source)
    trials = task.trials((spec.search.seed, HELD_OUT_TRIALS), spec.search.held_out)
    classes = np.unique(trials.labels)[:12]
    shown = np.concatenate([np.flatnonzero(trials.labels == label)[:2] for label in classes])
    return {
        "spec_sha256": spec.digest(source),
        "interface": json.dumps(task.interface),
        "conditions": json.dumps([[name, len(members)] for name, members in zip(*task.grouped(trials), strict=True)]),
        "examples": to_bytes(Examples(trials.spikes[shown], trials.labels[shown])),
        "versions": json.dumps(versions()),
    }


def free_folder(stem: str, beside: Path = Path("runs")) -> Path:
    """The first of STEM-1, STEM-2, ... that is not there."""
    k = 1
    while (folder := beside / f"{stem}-{k}").exists():
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
