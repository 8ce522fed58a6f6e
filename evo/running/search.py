"""Running a search: start one from a spec or from another run, or resume a stopped one."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote

from circuits.errors import UserError
from circuits.motif_file import write_whole
from circuits.numerics.processors import processors
from evo.cluster.joining import check_address
from evo.cluster.warm_up import warm_up
from evo.engine.codec import to_bytes
from evo.engine.epochs import Result, in_process
from evo.engine.progress import Progress
from evo.running.stored_search import INITIAL, going_on, locked, open_store
from evo.spec.estimate import check_memory
from evo.spec.founders import Founder, files, founders, inferred, place_of
from evo.spec.founders import kept as with_founders
from evo.spec.resolve import resolve
from evo.spec.run_spec import CHECK_CIRCUITS, RunSpec, parse
from evo.spec.search_section import Search
from evo.storage.fork import forked, initial_population
from evo.storage.founded import founded
from evo.storage.run_folder import Run, read_spec
from evo.storage.store import Store
from evo.storage.stored import SPEC, STORE, check_before
from evo.storage.task_code import checked_code, forked_code, keep, kept
from fitness.sandbox.code import Code

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
    resolved, source, stem, _ = resolve(spec, changes, **overrides)
    _check_not_told(resolved, "the spec")
    if progress not in (True, False, "auto"):
        raise UserError(f'progress: must be True, False or "auto", not {progress!r}')
    folder = Path(out) if out is not None else free_folder(stem)
    spec_founders = founders(resolved, resolved.make_judge(source).interface, place_of(spec))
    _begin(folder, resolved, source, workers, address, spec_founders=spec_founders)
    if not (progress or page):
        return _go_on(folder, workers, address, observe)
    from evo.inspect import page as pages  # imported only if shown
    from evo.inspect.watching import watching

    with watching(resolved, folder, progress=progress, page=page, others=[observe] if observe else []) as watch:
        result = _go_on(folder, workers, address, watch)
    if page:
        pages.write(result, pages.default_path(folder))
    return result


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
    inherited = initial_population(parent, spec, spec.make_judge(source).interface)
    target = Path(out) if out is not None else free_folder(parent.name, parent.folder.parent)
    _begin(target, spec, source, workers, address, inherited)
    return _go_on(target, workers, address, observe)


def _begin(folder, spec, source, workers, address, inherited=None, spec_founders=(), checked=False):
    """Make the folder of a new run. All files are complete before run.toml is written, which makes it resumable. inherited: the
    circuits of a fork; spec_founders: the founders that the spec names; checked: has the judge been checked with another
    seed?"""
    count = processes(workers, spec.search.islands)
    check_address(address)
    judge = spec.make_judge(source)
    check_memory(spec, judge, "the spec", 1 if address else max(1, count))
    # checks the user's own code, and that held-out trials differ from those of the search
    if not checked and (warning := judge.check(spec.founders(judge.interface, CHECK_CIRCUITS))) is not None:
        say.warning(warning)
    if (folder / SPEC).exists() or not _is_unused(folder / STORE):
        raise UserError(
            f"{folder}: already holds a run; go on with it by evo resume {quote(str(folder))}, or choose another --out"
        )
    spec_founders = [*spec_founders, *inferred(spec, judge, spec_founders)]
    if spec_founders:
        inherited, spec = founded(spec, judge.interface, spec_founders), with_founders(spec, spec_founders)
        for founder in spec_founders:
            if founder.remarks:
                say.warning("search.founders: %s: not taken exactly: %s", founder.name, "; ".join(founder.remarks))
        for name, text in files(spec_founders).items():
            write_whole(folder / name, text)
    if inherited is not None:
        write_whole(folder / INITIAL, to_bytes(inherited))
    if source is not None:
        spec = kept(spec, source)
        keep(spec, source, folder)
        open_store(folder, parse(spec.to_toml()), source, anew=True).close()  # it records the code's digests
    write_whole(folder / SPEC, spec.to_toml())


def begin(
    folder: Path, spec: RunSpec, source: Code | None, spec_founders: Sequence[Founder] = (), checked: bool = False
) -> RunSpec:
    """Make the folder of a run that is computed later, with its store; see `_begin`. Returns the spec in the folder. Raises
    UserError if the folder holds a run."""
    _begin(folder, spec, source, 0, None, spec_founders=spec_founders, checked=checked)
    kept_spec = read_spec(folder)
    open_store(folder, kept_spec, source).close()
    return kept_spec


def _is_unused(path):
    """Is there no store, or one without epochs?"""
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


def _check_not_told(spec, where):
    if not spec.judge_class.computes:
        raise UserError(
            f"{where}: its scores come from outside: continue it by evo.Evolver.load(FOLDER), or give it a task by "
            "evo fork FOLDER --set task.name=..."
        )


def _extend(folder, generations):
    """Let a run go on to another generation: the new limit goes into its spec."""
    spec, run = read_spec(folder), Run(folder)
    if generations < max(run.progress.generation):
        raise UserError(f"{folder}: is at generation {max(run.progress.generation)} already; --generations must be more")
    changes = dict.fromkeys(run.progress.ends) | {"generations": generations}
    search = Search.model_validate({**spec.search.model_dump(), **changes})
    longer = spec.model_copy(update={"search": search})
    with locked(folder):
        if cut := Progress.of(longer, run.epochs).cut:
            with Store.open(folder / STORE) as store:
                check_before(store, spec, run.stored, cut)
        write_whole(folder / SPEC, longer.to_toml())


def _go_on(folder, workers, address, observe):
    spec = read_spec(folder)
    workers = processes(workers, spec.search.islands)
    check_address(address)
    with going_on(folder, 1 if address else max(1, workers)) as search:
        if not search.plan.ended:
            for results in _results(search.plan, workers, address):
                for result in search.add(results):
                    if observe:
                        observe(result)
        search.finish()
    return Run(folder)


def _results(plan, workers, address):
    if workers == 0 and not address:
        yield from in_process(plan)
        return
    from evo.cluster.tasks import on_ray

    warm_up(plan.spec, plan.source)
    yield from on_ray(plan, workers, address)


def processes(workers: int | str, islands: int) -> int:
    """The number of processes for `workers` if so many islands can be computed at once. Raises UserError."""
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


def free_folder(stem: str, beside: Path = Path("runs")) -> Path:
    """The first of STEM-1, STEM-2, ... that does not exist."""
    k = 1
    while (folder := beside / f"{stem}-{k}").exists():
        k += 1
    return folder
