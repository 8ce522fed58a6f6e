"""A search in its folder, opened to be continued: its plan, the storing of epochs, and the analyses at its end.

The epochs are computed elsewhere: by `evo.running.search` for one search, by `evo.running.study` for many.
"""

import json
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from shlex import quote

from circuits.circuit import Sampled
from circuits.errors import MachineError, UserError
from circuits.files import read_bytes
from circuits.motif_file import digest
from evo.engine.codec import to_bytes
from evo.engine.epochs import Plan, Result, neighbour
from evo.engine.island import Founders
from evo.engine.problem import problem
from evo.engine.recheck import recheck_archive
from evo.spec.estimate import check_memory
from evo.spec.run_spec import RunSpec
from evo.storage import lock
from evo.storage.documents import damaged
from evo.storage.front import versions
from evo.storage.run_folder import Run, read_spec
from evo.storage.store import Store
from evo.storage.stored import SPEC, STORE, Examples, check_before, check_going_on
from evo.storage.task_code import FACT, checked_code, files_fact, refuse_changes
from fitness.analysis import to_text
from fitness.sandbox.code import Code

INITIAL = "founders.npz"  # of a fork or of founders, until the store is made; named when states were .npz files
LARGEST = 10**10  # bytes of that file
PAST_CUT = "evocircuits 0.4 extended it past an epoch that was cut short: its archive is not that of a run in one go"
say = logging.getLogger("evo")


class StoredSearch:
    """A search whose folder is locked by this process, see `going_on`.

    plan    the epochs to compute; `add` keeps its progress up to date
    epochs  those that were stored when the search was opened
    """

    def __init__(self, folder: Path, spec: RunSpec, source: Code | None, store: Store, run: Run, by_core: bool):
        self.folder, self.spec, self.source, self.store, self.epochs = folder, spec, source, store, run.epochs
        self.plan = Plan(spec, source, run.progress, store.state, partial(_guests, spec, store, run.stored.initial))
        self._by_core, self._driver = by_core, os.getpid()
        self._start = time.monotonic() - run.progress.elapsed

    def add(self, results: list[Result]) -> list[Result]:
        """Store finished epochs; returns them with the time that the run has taken so far."""
        if os.getpid() != self._driver:
            os._exit(1)  # the task has forked: only one process writes the store
        progress = self.plan.progress
        if self._by_core:
            elapsed = progress.elapsed + sum(result.timings["total"] for result in results)
        else:
            elapsed = time.monotonic() - self._start
        self.store.add_epochs(results, elapsed, self.spec.search.epoch)
        for result in results:
            progress.add(result.island, result.epoch, result.log, elapsed)
        return [result._replace(elapsed=elapsed) for result in results]

    def finish(self, each: Callable[..., Iterable] = map):
        """Call this once nothing is left to compute: the best circuits of a run that has ended are analysed, and the store
        becomes one file. each: `map`, or a function that does the same elsewhere."""
        if self.plan.progress.ended:
            run = Run(self.folder)
            if self.source is not None:
                recheck_archive(problem(self.spec.model_dump_json(), self.source), run.archive)
            self._analyse(run, each)
        self.store.settle()

    def _analyse(self, run, each):
        """Analyse the best circuits of the front while the user's own code is at hand, unless their analyses are stored."""
        stored, judge = self.store.analyses(), self.spec.make_judge(self.source)
        ranks = [m.rank for m in run.front[: judge.analysed] if digest(m.circuit) not in stored]
        analysed = partial(_analysed, self.spec.model_dump_json(), self.source)
        motifs, names = [run.motif(rank) for rank in ranks], [f"{run.name}, rank {rank}" for rank in ranks]
        failed = []
        for rank, (text, fault) in zip(ranks, each(analysed, motifs, names), strict=True):
            if fault is not None:
                failed.append(fault)
            elif text is not None:
                self.store.add_analysis(digest(run.front[rank].circuit), text)
        if failed:
            warnings.warn(f"{run.folder}: {len(failed)} circuits could not be analysed; {failed[0]}", stacklevel=5)


def _analysed(spec_json, source, motif, name):
    """The analysis of a circuit as text, None if the judge has none; and the reason if it fails, else None."""
    try:
        analysis = problem(spec_json, source).judge.analyse(motif, name)
        return None if analysis is None else to_text(analysis), None
    except UserError as error:
        return None, str(error)
    except MachineError:
        raise
    except Exception as error:
        if source is None:
            raise
        return None, f"{type(error).__name__}: {error}"  # the user's task gives inconsistent answers


@contextmanager
def going_on(folder: Path, workers: int = 1, by_core: bool = False) -> Iterator[StoredSearch]:
    """The search in a folder, checked, and locked against other processes for the time of a `with` block.

    workers  number of processes on this machine, whose memory must suffice
    by_core  count the seconds of a core that epochs took, instead of the clock's

    Raises UserError for a folder that holds no run, a damaged one, and for code that has changed; MachineError if another
    process runs it.
    """
    spec = read_spec(folder)
    source = checked_code(spec, folder)
    with locked(folder), open_store(folder, spec, source) as store:
        refuse_changes(spec, source, store, folder)
        run = Run(folder)  # finds damage before anything is computed
        if run.progress.cut:
            check_before(store, spec, run.stored, run.progress.cut)
            store.take_back(run.progress.cut)
            run = Run(folder)
        if run.progress.went_past_cut:
            say.warning(f"{folder}: {PAST_CUT}")
        if not run.progress.ended:
            judge = spec.make_judge(source)
            if judge.interface != run.interface:
                raise damaged(store.path, "it is of another task")
            check_memory(spec, judge, str(folder / SPEC), workers)
            check_going_on(store, spec, run.stored)
        yield StoredSearch(folder, spec, source, store, run, by_core)


def _guests(spec, store, inherited, island, epoch):
    """The migrants or founders that an island receives before an epoch, see `Plan`."""
    if epoch == 0:
        if inherited is None:
            return None
        return to_bytes(Founders(inherited.genomes[inherited.island == island]))
    sender = neighbour(spec, island)
    return None if sender is None else store.migrants(sender, epoch - 1)


def open_store(folder, spec, source, anew=False):
    """The run's store; made now if the run was stopped before it had one."""
    path, inherited = folder / STORE, folder / INITIAL
    if anew:
        for suffix in ("-wal", "-shm", "-journal"):  # of the store that is replaced
            path.with_name(path.name + suffix).unlink(missing_ok=True)
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
    description = judge.describe()
    facts = {
        "spec_sha256": spec.digest(source),
        "interface": json.dumps(judge.interface, default=Sampled.model_dump),
        "conditions": json.dumps(description.conditions),
        "versions": json.dumps(versions()),
    }
    if description.about is not None:
        facts["about"] = json.dumps(description.about)
    if description.examples is not None:
        spikes, labels, *signals = description.examples
        facts["examples"] = to_bytes(Examples(spikes, labels, *(s for s in signals if s is not None)))
    return facts if source is None else facts | {FACT: files_fact(source)}


@contextmanager
def locked(folder, file=SPEC, command="evo status"):
    """Lock a run against other processes. `evo status` holds the lock for a moment."""
    try:
        with lock.alone(folder / file):
            yield
    except lock.HeldError:
        raise MachineError(f"{folder}: another process is running it; see {command} {quote(str(folder))}") from None
