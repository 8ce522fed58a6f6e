"""Running a search: start one from a spec or from another run, or go on with a stopped one."""

import json
import logging
import os
import time
import warnings
from collections.abc import Callable
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from shlex import quote

from circuits.circuit import Sampled
from circuits.errors import MachineError, UserError
from circuits.files import read_bytes
from circuits.motif_file import digest, write_whole
from circuits.numerics.processors import processors
from evo.cluster.joining import check_address
from evo.cluster.warm_up import warm_up
from evo.engine.codec import to_bytes
from evo.engine.epochs import Plan, Result, in_process, neighbour
from evo.engine.island import Founders
from evo.engine.problem import problem
from evo.engine.progress import Progress
from evo.engine.recheck import recheck_archive
from evo.spec.estimate import check_memory
from evo.spec.founders import files, founders, place_of
from evo.spec.founders import kept as with_founders
from evo.spec.given import given
from evo.spec.run_spec import TRIED, RunSpec, Search, parse
from evo.storage import lock
from evo.storage.documents import damaged
from evo.storage.fork import forked, heritage
from evo.storage.founded import founded
from evo.storage.run_folder import Run, read_spec, versions
from evo.storage.store import Store
from evo.storage.stored import SPEC, STORE, Examples, check_before, check_going_on
from evo.storage.task_code import FACT, checked_code, files_fact, forked_code, keep, kept, refuse_changes
from fitness.analysis import to_text
from fitness.judges import TOLD
from fitness.sandbox.code import Code

HERITAGE = "founders.npz"  # of a fork or of founders, until the store is made; named when states were .npz files
LARGEST = 10**10  # bytes of that
PAST_CUT = "evocircuits 0.4 extended it past an epoch that was cut short: its archive is not that of a run in one go"
say = logging.getLogger("evo")
Observer = Callable[[Result], None]


def run(
    spec,
    out=None,
    workers: int | str = "auto",
    address: str | None = None,
    observe: Observer | None = None,
    progress: bool | str = False,
    page: bool = False,
    changes: dict[str, str] | None = None,
    **overrides,
) -> Run:
    """Run a search to its end.

    Parameters
    ----------
    spec : str, path-like, dict or RunSpec
        Path of a spec file; a dict of its sections, {"task": {"name": "itd"}, "search": {"seed": 2}}; or the name of a task,
        "itd", for the spec that `evo new itd` writes.
    out : str or path-like, optional
        The run folder, by default the first free of runs/NAME-1, runs/NAME-2, ...; a folder that holds a run is refused.
    workers : int or "auto"
        Number of processes; "auto" is one per core, 0 runs everything in this process, without Ray. The result is the same.
    address : str, optional
        A running Ray to use instead of starting one: "auto" or HOST:PORT.
    observe : callable, optional
        Called with the result of every finished epoch once it is stored.
    progress : bool or "auto"
        Show the progress as the command does: a live table on a terminal, lines elsewhere; "auto": only on a terminal.
    page : bool
        Keep the page of the run, report.html, up to date while it runs, and write it at the end.
    changes : dict of str, optional
        Keys of the spec with their section, and values as TOML: {"search.algorithm": "cma", "task.volleys": "3"}.
    **overrides
        Keys of [search], such as seed=3; None leaves the spec as it is.

    Returns
    -------
    Run
        The finished run.

    Raises
    ------
    circuits.errors.UserError
        For a wrong spec, task or folder, with one line that names the key and what would be right.
    circuits.errors.MachineError
        For faults of the surroundings.

    Examples
    --------
    >>> import evo
    >>> run = evo.run("gate", out="runs/first", workers=0, generations=100)
    >>> run.state
    'finished'
    """
    resolved, source, stem, _ = given(spec, changes, **overrides)
    _check_not_told(resolved, "the spec")
    if progress not in (True, False, "auto"):
        raise UserError(f'progress: must be True, False or "auto", not {progress!r}')
    folder = Path(out) if out is not None else free_folder(stem)
    begun = founders(resolved, resolved.make_judge(source).interface, place_of(spec))
    _begin(folder, resolved, source, workers, address, begun=begun)
    if not (progress or page):
        return _go_on(folder, workers, address, observe)
    from evo.inspect import page as pages  # a search that shows nothing imports nothing that shows
    from evo.inspect.watching import watching

    with watching(resolved, folder, progress=progress, page=page, others=[observe] if observe else []) as watch:
        done = _go_on(folder, workers, address, watch)
    if page:
        pages.write(done, pages.default_path(folder))
    return done


def fork(
    folder,
    changes: dict[str, str],
    out=None,
    workers: int | str = "auto",
    address: str | None = None,
    observe: Observer | None = None,
) -> Run:
    """Start a new run from the circuits of another one, with changed settings.

    The founders are the archives and populations of the parent run, as far as they keep the changed bounds; the store records
    the parent. The code of a task of your own in the folder is executed, if it is what that run began with.

    Parameters
    ----------
    folder : str or path-like
        Folder of the parent run, finished or stopped.
    changes : dict of str
        Keys of the spec with their section, and values as TOML: {"search.algorithm": "cma", "task.volleys": "3"}.
    out : str or path-like, optional
        The new run folder, by default the first free one beside the parent, NAME-1, NAME-2, ...
    workers : int or "auto"
        Number of processes, see `evo.run`.
    address : str, optional
        A running Ray to use instead of starting one.
    observe : callable, optional
        Called with the result of every finished epoch once it is stored.

    Returns
    -------
    Run
        The finished run.

    Raises
    ------
    circuits.errors.UserError
        For a parent without circuits, and for wrong changes.
    circuits.errors.MachineError
        For faults of the surroundings.

    Examples
    --------
    >>> import evo
    >>> evo.fork("runs/mine", {"search.seed": "2"}, out="runs/forked", workers=0).parent["run"]
    'mine'
    """
    parent = Run(folder)
    if not parent.states:
        raise UserError(f"{parent.folder}: has no circuits yet; go on with it by evo resume {quote(str(parent.folder))}")
    spec = forked(parent.spec, changes)
    source = forked_code(parent.spec, spec, parent.folder)
    _check_not_told(spec, parent.folder)
    inherited = heritage(parent, spec, spec.make_judge(source).interface)
    beside = Path(out) if out is not None else free_folder(parent.name, parent.folder.parent)
    _begin(beside, spec, source, workers, address, inherited)
    return _go_on(beside, workers, address, observe)


def _begin(folder, spec, source, workers, address, inherited=None, begun=()):
    """Make the folder of a new run. What it needs is there before run.toml is, with which it can be resumed. inherited: of a
    fork; begun: the founders that the spec names."""
    count = _workers(workers, spec.search.islands)
    check_address(address)
    judge = spec.make_judge(source)
    check_memory(spec, judge, "the spec", 1 if address else max(1, count))
    # whether code of the user's own is sound, and what is held out in fact is
    if (said := judge.check(spec.founders(judge.interface, TRIED))) is not None:
        say.warning(said)
    if (folder / SPEC).exists() or not _is_unused(folder / STORE):
        raise UserError(
            f"{folder}: already holds a run; go on with it by evo resume {quote(str(folder))}, or choose another --out"
        )
    if begun:
        inherited, spec = founded(spec, judge.interface, begun), with_founders(spec, begun)
        for founder in begun:
            if founder.remarks:
                say.warning("search.founders: %s: not taken exactly: %s", founder.name, "; ".join(founder.remarks))
        for name, text in files(begun).items():
            write_whole(folder / name, text)
    if inherited is not None:
        write_whole(folder / HERITAGE, to_bytes(inherited))
    if source is not None:
        spec = kept(spec, source)
        keep(spec, source, folder)
        _open_store(folder, parse(spec.to_toml()), source, anew=True).close()  # by which the code is checked from now on
    write_whole(folder / SPEC, spec.to_toml())


def begin(folder: Path, spec: RunSpec, source: Code | None) -> RunSpec:
    """Make the folder of a run whose scores are told from outside (`evo.Evolver`), with its store; returns the spec that lies
    there. Raises UserError where there is a run already."""
    _begin(folder, spec, source, 0, None)
    kept_spec = read_spec(folder)
    _open_store(folder, kept_spec, source).close()
    return kept_spec


def _is_unused(path):
    """Is there no store, or one that was made for a run which was stopped before it began?"""
    if not path.exists():
        return True
    with Store.open(path) as store:
        return not store.epochs()


def resume(
    folder,
    workers: int | str = "auto",
    address: str | None = None,
    observe: Observer | None = None,
    generations: int | None = None,
) -> Run:
    """Continue a stopped run from its last stored epochs.

    The run ends in the archive of a run that was never stopped. A finished run is returned as it is, or continued to
    `generations`: it then ends in the archive of a run that was so long from the start, for which a last epoch that was cut
    short is computed again. The code of a task of your own in the folder is executed, if it is what the run began with.

    Parameters
    ----------
    folder : str or path-like
        The run folder.
    workers : int or "auto"
        Number of processes, see `evo.run`.
    address : str, optional
        A running Ray to use instead of starting one.
    observe : callable, optional
        Called with the result of every finished epoch once it is stored.
    generations : int, optional
        The generation to which the run goes on, whatever else had ended it.

    Returns
    -------
    Run
        The finished run.

    Raises
    ------
    circuits.errors.UserError
        For a folder that holds no run, a changed task, or a generation that is passed already.
    circuits.errors.MachineError
        For faults of the surroundings.

    Examples
    --------
    >>> import evo
    >>> evo.resume("runs/mine", workers=0).state
    'finished'
    """
    folder = Path(folder)
    spec = read_spec(folder)
    _check_not_told(spec, folder)
    checked_code(spec, folder)
    if generations is not None:
        _extend(folder, generations)
    return _go_on(folder, workers, address, observe)


def _check_not_told(spec, place):
    if spec.judged_by == TOLD:
        raise UserError(
            f"{place}: its scores are told from outside: go on with it by evo.Evolver.load(FOLDER), or let something judge, by "
            "evo fork FOLDER --set task.name=..."
        )


def _extend(folder, generations):
    """Let a run go on to another generation: the new limit goes into its spec."""
    spec, found = read_spec(folder), Run(folder)
    if generations < max(found.progress.generation):
        raise UserError(f"{folder}: is at generation {max(found.progress.generation)} already; --generations must be more")
    changes = dict.fromkeys(found.progress.ends) | {"generations": generations}
    search = Search.model_validate({**spec.search.model_dump(), **changes})
    longer = spec.model_copy(update={"search": search})
    with locked(folder):
        if cut := Progress.of(longer, found.epochs).cut:
            with Store.open(folder / STORE) as store:
                check_before(store, spec, found.stored, cut)
        write_whole(folder / SPEC, longer.to_toml())


def _go_on(folder, workers, address, observe):
    spec = read_spec(folder)
    workers = _workers(workers, spec.search.islands)
    check_address(address)
    source = checked_code(spec, folder)
    with locked(folder), _open_store(folder, spec, source) as store:
        refuse_changes(spec, source, store, folder)
        found = Run(folder)  # finds damage before anything is computed
        if found.progress.cut:
            check_before(store, spec, found.stored, found.progress.cut)
            store.take_back(found.progress.cut)
            found = Run(folder)
        progress = found.progress
        if progress.went_past_cut:
            say.warning(f"{folder}: {PAST_CUT}")
        plan = Plan(spec, source, progress, store.state, partial(_guests, spec, store, found.stored.heritage))
        if not progress.ended:
            judge = spec.make_judge(source)
            if judge.interface != found.interface:
                raise damaged(store.path, "it is of another task")
            check_memory(spec, judge, str(folder / SPEC), 1 if address else max(1, workers))
            check_going_on(store, spec, found.stored)
            start, driver = time.monotonic() - progress.elapsed, os.getpid()
            for results in _results(plan, workers, address):
                if os.getpid() != driver:
                    os._exit(1)  # the task has forked: one process alone writes the store
                elapsed = time.monotonic() - start
                store.add_epochs(results, elapsed, spec.search.epoch)
                for result in results:
                    progress.add(result.island, result.epoch, result.log, elapsed)
                for result in results:
                    if observe:
                        observe(result._replace(elapsed=elapsed))
        if progress.ended:
            done = Run(folder)
            if source is not None:
                recheck_archive(problem(spec.model_dump_json(), source), done.archive)
            _analyse(done, source, store)
        store.settle()
    return Run(folder)


def _analyse(run, source, store):
    """Work out why the best circuits of the front work, while the user's own code is at hand. Those already stored are kept."""
    there, judge, failed = store.analyses(), run.spec.make_judge(source), []
    for rank, member in enumerate(run.front[: judge.analysed]):
        if (key := digest(member.circuit)) not in there:
            try:
                found = judge.analyse(run.motif(rank), f"{run.name}, rank {rank}")
                if found is not None:
                    store.add_analysis(key, to_text(found))
            except UserError as error:
                failed.append(error)
            except MachineError:
                raise
            except Exception as error:
                if source is None:
                    raise
                failed.append(f"{type(error).__name__}: {error}")  # of answers that make no sense together
    if failed:
        warnings.warn(f"{run.folder}: {len(failed)} circuits could not be analysed; {failed[0]}", stacklevel=4)


def _guests(spec, store, inherited, island, epoch):
    """Migrants or founders that an island receives before an epoch, see `Plan`."""
    if epoch == 0:
        if inherited is None:
            return None
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
    count = min(processors(), islands)
    return count if count > 1 else 0


def _open_store(folder, spec, source, anew=False):
    """The run's store; made now if the run was stopped before it had one."""
    path, inherited = folder / STORE, folder / HERITAGE
    if anew:
        for left in ("-wal", "-shm", "-journal"):  # of one that is replaced
            path.with_name(path.name + left).unlink(missing_ok=True)
    if anew or not path.exists():
        facts = _facts(spec, source)
        if inherited.exists():
            facts["heritage"] = read_bytes(inherited, LARGEST)
        Store.create(path, facts).close()
    with suppress(OSError):  # gone already, or a file system that has become read-only
        inherited.unlink()
    return Store.open(path, write=True)


def _facts(spec, source):
    judge = spec.make_judge(source)
    told = judge.described()
    facts = {
        "spec_sha256": spec.digest(source),
        "interface": json.dumps(judge.interface, default=Sampled.model_dump),
        "conditions": json.dumps(told.conditions),
        "versions": json.dumps(versions()),
    }
    if told.about is not None:
        facts["about"] = json.dumps(told.about)
    if told.examples is not None:
        spikes, labels, *signals = told.examples
        facts["examples"] = to_bytes(Examples(spikes, labels, *(s for s in signals if s is not None)))
    return facts if source is None else facts | {FACT: files_fact(source)}


def free_folder(stem: str, beside: Path = Path("runs")) -> Path:
    """The first of STEM-1, STEM-2, ... that is not there."""
    k = 1
    while (folder := beside / f"{stem}-{k}").exists():
        k += 1
    return folder


@contextmanager
def locked(folder):
    """Only one process at a time goes on with a run. `evo status` holds the lock for a moment."""
    try:
        with lock.alone(folder / SPEC):
            yield
    except lock.HeldError:
        raise MachineError(f"{folder}: another process is running it; see evo status {quote(str(folder))}") from None
