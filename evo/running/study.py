"""Running a study: all its runs on the same workers, each in a folder of its own like those of `evo run`.

The unit of work is an epoch. The run that was begun first gets as many workers as it can use, others fill the gaps. Stored
epochs are kept: a study that was stopped or killed continues from there.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shlex import quote

from circuits.errors import MachineError, UserError
from circuits.motif_file import write_whole
from evo.cluster.each import each_here_or_on_ray
from evo.cluster.joining import check_address
from evo.cluster.warm_up import warm_up
from evo.engine.epochs import Plan, Result, in_process
from evo.running.search import begin, free_folder, processes
from evo.running.stored_search import StoredSearch, going_on, locked
from evo.spec.founders import founders, place_of
from evo.spec.run_spec import RunSpec
from evo.storage.front import versions
from evo.storage.run_folder import read_spec
from evo.storage.stored import SPEC
from evo.storage.task_code import checked_code
from evo.studies.study.design import (
    STUDY,
    TARGET,
    Arm,
    Design,
    arms,
    check_reachable,
    check_seeds,
    named,
    read_design,
    seeds_of,
    stems,
)
from evo.studies.study.event import Event
from evo.studies.study.folder import Study
from evo.studies.study.reached import reached_in

Observer = Callable[[Event], None]


def run_study(
    specs,
    out=None,
    seeds: int | str | Sequence[int] = 10,
    settings: Mapping[str, Sequence[str]] | None = None,
    workers: int | str = "auto",
    address: str | None = None,
    target: float = TARGET,
    worst: float | None = None,
    until_target: bool = False,
    observe: Observer | None = None,
) -> Study:
    """Run specs with many seeds and settings, as one thing on the same workers.

    Parameters
    ----------
    specs : sequence or mapping
        Several specs as `evo.run` takes them, or a mapping of names to specs.
    out : str or path-like, optional
        The folder of the study, by default the first free of runs/study-1, runs/study-2, ...
    seeds : int, str or sequence of int
        How many, from 1; or which, as text such as "11-30".
    settings : mapping of str to sequence of str, optional
        Keys of the spec with their section, and the values of each as TOML; every combination is run:
        {"search.crossover": ["0.0", "0.5"]}.
    workers : int or "auto"
        Number of processes; "auto" is one per core, 0 runs everything in this process, without Ray. The result is the same.
    address : str, optional
        A running Ray to use instead of starting one: "auto" or HOST:PORT.
    target : float
        Score on held-out trials that runs shall reach.
    worst : float, optional
        Score that they shall reach in the worst condition too.
    until_target : bool
        End a run once it has reached the target.
    observe : callable, optional
        Called with an `Event` for every stored epoch, and for every run that is over or fails.

    Returns
    -------
    Study
        The study.

    Raises
    ------
    circuits.errors.UserError
        For a wrong spec, task, setting or folder, before anything is computed.
    circuits.errors.MachineError
        For faults of the surroundings; and, once all others are over, for runs that failed.

    Examples
    --------
    >>> import evo
    >>> small = {"search.population": ["16"], "search.islands": ["1"], "search.generations": ["2"]}
    >>> study = evo.run_study(["gate"], out="runs/many", seeds=2, workers=0, settings=small)
    >>> [run.state for run in study.runs]
    ['finished', 'finished']
    """
    folder = Path(out) if out is not None else free_folder("study")
    begin_study(specs, folder, seeds, settings, target, worst, until_target)
    return resume_study(folder, workers, address, observe)


def begin_study(
    specs,
    folder: Path,
    seeds: int | str | Sequence[int],
    settings: Mapping[str, Sequence[str]] | None = None,
    target: float = TARGET,
    worst: float | None = None,
    until_target: bool = False,
    before_code: Callable[[RunSpec, Path], None] = lambda *_: None,
) -> Design:
    """Make the folder of a study, whole or not at all. The first run of every arm is checked and begun, with the code and the
    founders that the arm's other runs take from it. Nothing is computed. Raises UserError."""
    if (folder / STUDY).exists():
        raise UserError(f"{folder}: already holds a study; go on with it by evo study resume {quote(str(folder))}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder}: exists already, and is no study; choose another --out")
    numbers = check_seeds(seeds_of(str(seeds)) if isinstance(seeds, int | str) else seeds)
    given_arms = arms(specs, settings or {}, before_code)
    check_reachable(given_arms, target=target, worst=worst)
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        stored = []
        for stem, arm in zip(stems([arm.name for arm in given_arms]), given_arms, strict=True):
            resolved, source, *_ = arm.checked
            search = resolved.search.model_copy(update={"seed": numbers[0]})
            spec = resolved.model_copy(update={"search": search})
            spec_founders = founders(spec, spec.make_judge(source).interface, place_of(arm.given))
            kept = begin(part / f"{stem}-{numbers[0]}", spec, source, spec_founders)
            stored.append(
                Arm(
                    name=arm.name,
                    stem=stem,
                    given=named(arm.given),
                    settings=arm.settings,
                    spec=kept.model_dump(mode="json", exclude_none=True),
                )
            )
        design = Design(seeds=numbers, target=target, worst=worst, until_target=until_target, versions=versions(), arms=stored)
        write_whole(part / STUDY, design.to_toml())
        if folder.exists():
            folder.rmdir()
        os.rename(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return design


def resume_study(folder, workers: int | str = "auto", address: str | None = None, observe: Observer | None = None) -> Study:
    """Continue a study: its runs end in the archives of runs that were never stopped.

    Parameters
    ----------
    folder : str or path-like
        The folder of the study.
    workers : int or "auto"
        Number of processes, see `run_study`.
    address : str, optional
        A running Ray to use instead of starting one.
    observe : callable, optional
        Called with every `Event`.

    Returns
    -------
    Study
        The study.

    Raises
    ------
    circuits.errors.UserError
        For a folder that holds no study, or a damaged one.
    circuits.errors.MachineError
        For faults of the surroundings; and, once all others are over, for runs that failed.

    Examples
    --------
    >>> import evo
    >>> small = {"search.population": ["16"], "search.islands": ["1"], "search.generations": ["2"]}
    >>> study = evo.run_study(["gate"], out="runs/stopped", seeds=2, workers=0, settings=small)
    >>> evo.resume_study("runs/stopped", workers=0).state
    'finished'
    """
    folder = Path(folder)
    design = read_design(folder)
    check_address(address)
    with locked(folder, STUDY, "evo study status"):
        failed = _Session(folder, design, workers, address, observe).run()
    if failed:
        name, error = next(iter(failed.items()))
        others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        raise MachineError(f"{folder}: {name}{others} failed: {error}; the others are done; evo study resume tries again")
    return Study(folder)


class _Open:
    """A run of the study that is being computed: its search, the stack that closes it, and whether it has reached the target.

    rows  of its log since the last check of the target
    """

    def __init__(self, search: StoredSearch, closing: ExitStack):
        self.closing, self.over = closing, False
        search.plan = search.plan._replace(enough=lambda: self.over)
        self.search, self.rows = search, [row for epoch in search.epochs for row in epoch["log"]]

    def look(self, design: Design):
        """Check the target once all islands are at the same epoch, so that the result does not depend on the workers."""
        done = self.search.plan.progress.epoch
        if design.until_target and min(done) == max(done):
            self.over = reached_in(self.rows, design.target, design.worst) is not None
            self.rows.clear()


class _Session:
    """One session of computing a study.

    opened  the runs that are being computed, by the name of their folder;   names  these names, by the id of the run's plan
    failed  the errors of the runs that failed, by name
    """

    def __init__(self, folder: Path, design: Design, workers: int | str, address: str | None, observe: Observer | None):
        islands = max(arm.spec(design.seeds[0]).search.islands for arm in design.arms)
        self.workers = processes(workers, islands * len(design.runs))
        self.folder, self.design, self.address = folder, design, address
        self.observe = observe or (lambda _: None)
        self.stack = ExitStack()  # closes all open runs
        self.opened: dict[str, _Open] = {}
        self.names: dict[int, str] = {}
        self.failed: dict[str, Exception] = {}

    def run(self) -> dict[str, Exception]:
        """Compute all remaining epochs; returns the errors of the runs that failed, by name."""
        with self.stack:
            for plan, results in self._computed():
                with self._failing(self.names[id(plan)]) as name:
                    if isinstance(results, Exception):
                        raise results
                    self._add(name, results)
        return self.failed

    def _computed(self) -> Iterator[tuple[Plan, list[Result] | Exception]]:
        if self.workers or self.address:
            from evo.cluster.tasks import together_on_ray

            yield from together_on_ray(self._plans(), self.workers, self.address)
            return
        for plan in self._plans():
            try:
                for results in in_process(plan):
                    yield plan, results
            except (UserError, MachineError) as error:
                yield plan, error

    def _plans(self) -> Iterator[Plan]:
        """The plans of the runs that are not over, each opened on demand."""
        for arm, seed, name in self.design.runs:
            plan = None
            with self._failing(name):
                plan = self._open(arm, seed, name)
            if plan is not None:
                yield plan

    @contextmanager
    def _failing(self, name: str) -> Iterator[str]:
        """Record an error of this run and close it; other runs go on."""
        try:
            yield name
        except (UserError, MachineError) as error:
            self.failed[name] = error
            if (run := self.opened.pop(name, None)) is not None:
                run.over = True
                run.closing.close()
            self.observe(Event(name, error=error))

    def _open(self, arm: Arm, seed: int, name: str) -> Plan | None:
        """The plan of a run; None if the run is over."""
        folder = self.folder / name
        if not (folder / SPEC).exists():
            self._begin(arm, seed, folder)
        closing = self.stack.enter_context(ExitStack())
        run = _Open(closing.enter_context(going_on(folder, max(1, self.workers), by_core=True)), closing)
        self.opened[name], self.names[id(run.search.plan)] = run, name
        run.look(self.design)
        if run.search.plan.ended:
            self._finish(name)
            return None
        warm_up(run.search.spec, run.search.source)
        return run.search.plan

    def _begin(self, arm: Arm, seed: int, folder: Path):
        """Make a run's folder, with the code and the founders in the folder of the arm's first run."""
        first = self.folder / f"{arm.stem}-{self.design.seeds[0]}"
        spec, source = arm.spec(seed), checked_code(read_spec(first), first)
        begin(folder, spec, source, founders(spec, spec.make_judge(source).interface, first), checked=True)

    def _add(self, name: str, results: list[Result]):
        """Store finished epochs of a run."""
        run = self.opened[name]
        for result in run.search.add(results):
            run.rows += result.log
            self.observe(Event(name, result))
        run.look(self.design)
        if run.search.plan.ended:
            self._finish(name)

    def _finish(self, name: str):
        """Finish and close a run that is over."""
        run = self.opened[name]
        run.search.finish(each_here_or_on_ray)
        del self.opened[name]
        run.closing.close()
        self.observe(Event(name))
