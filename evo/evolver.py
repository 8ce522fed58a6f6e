"""A search by ask and tell, whose circuits you score yourself, by any computation.

    evolver = evo.Evolver(inputs=["a", "b"], outputs=["x"], population=50, seed=1)
    for generation in range(20):
        circuits = evolver.ask()
        evolver.tell([my_score(circuit) for circuit in circuits])
    print(evolver.best.score, evolver.best.circuit)

It is the same search as that of `evo run`: the algorithms, islands, the archive and the lineage are the same code
(`evo.engine.island`), with scores from `tell` in place of a judge's.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from circuits import show
from circuits.circuit import Circuit
from circuits.errors import MachineError, UserError
from circuits.motif_file import Motif
from evo.engine.codec import to_bytes
from evo.engine.epochs import Result
from evo.engine.lockstep import IDLE, Lockstep
from evo.engine.problem import Problem
from evo.running.search import begin
from evo.running.stored_search import locked
from evo.spec.from_evolver import spec_of_evolver
from evo.spec.run_spec import RunSpec
from evo.storage import evolver_file
from evo.storage.front import Member, members, provenance, ranked
from evo.storage.run_folder import Run, read_spec
from evo.storage.store import Store
from evo.storage.stored import STORE
from evo.storage.task_code import checked_code
from fitness.evaluation.objectives import objective
from fitness.judges import Results
from fitness.judges.scores import PLACE, results_of
from fitness.sandbox.code import Code

SINCE = "told.zst"  # in a run folder: what was told since the last stored epoch


class Evolver:
    """A search by `ask` and `tell`, with scores from any computation.

    Parameters
    ----------
    spec : str, Path, dict or RunSpec, optional
        A run spec, or the name of a built-in task, as for `evo.run`. Its [circuit] and [search] count, its judge does not: its
        objectives have to be told. By default a spec is made of the other parameters.
    inputs, outputs : sequence of str, optional
        Names of the input channels and of the output ports of circuits, if no spec says them.
    dt_ms : float, optional
        Time step of circuits [ms], likewise.
    circuit : dict, optional
        Keys of [circuit] in a spec: {"neurons": [3, 8], "parameters": {"tau_m_ms": [5, 40]}}.
    folder : str or Path, optional
        Where to write an ordinary run, which `evo inspect`, `evo export`, `evo motifs` and `evo fork` read, and from which
        `Evolver.load` continues: all scores are stored after every `tell`.
    **search
        Keys of [search] in a spec: population, seed, algorithm, objectives, islands, noisy, ...

    Raises
    ------
    UserError
        For a wrong spec, and for a folder that holds a run.

    See Also
    --------
    evo.run : a search whose circuits a task judges, or a function.

    Notes
    -----
    Objectives have names. "score" is maximised, others of ours have their usual direction ("energy" is minimised), and any
    other name says its direction: objectives=["score", "min:cost", "max:speed"]. "size", "wiring" and "delay" are computed
    from a circuit, and need not be told.

    With noisy=True `ask` returns survivors again, up to 16 times; they are ranked by a lower bound of their mean score.

    Examples
    --------
    >>> import evo
    >>> evolver = evo.Evolver(outputs=["out"], circuit={"neurons": [2, 5]}, population=10, seed=1)
    >>> for generation in range(3):
    ...     circuits = evolver.ask()
    ...     evolver.tell([-abs(circuit.synapse_count - 3) for circuit in circuits])
    >>> evolver.generation
    2
    """

    def __init__(
        self,
        spec: Any = None,
        *,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        dt_ms: float | None = None,
        circuit: Mapping[str, Any] | None = None,
        folder: str | Path | None = None,
        **search: Any,
    ):
        resolved, source = spec_of_evolver(spec, inputs, outputs, dt_ms, circuit, search)
        run_folder = None if folder is None else Path(folder)
        if run_folder is not None:
            resolved = begin(run_folder, resolved, source)
        self._set(resolved, source, run_folder)

    def _set(self, spec: RunSpec, source: Code | None, folder: Path | None, before: evolver_file.Saved | None = None):
        """Set the state: that of the start, or that after earlier results."""
        self.spec, self.folder = spec, folder
        self._source, self._start, self._elapsed = source, time.monotonic(), 0.0
        self._problem = Problem.of(spec, source)
        self._objectives = {name: objective(name) for name in spec.search.objectives}
        states, epoch = (None, -1) if before is None else (before.states, before.epoch)
        self._islands = Lockstep(self._problem, states, epoch)
        self._islands.evaluations = self._counted = 0 if before is None else before.evaluations
        self._since: list[Results] = []
        self._asked: list[Circuit] | None = None
        for results in [] if before is None else before.since:
            self._take(results)
        self._last = self._stored()

    def ask(self) -> list[Circuit]:
        """Return the circuits that are to be scored next: new ones, and with noisy scores survivors again.

        Returns
        -------
        list of circuits.Circuit
            The same circuits until their scores are told; empty when the search is over (search.generations).
        """
        self._settle()
        if self._asked is None:
            candidates = self._candidates()
            self._asked = [candidates.circuit(k) for k in range(len(candidates))]
        return list(self._asked)

    def _candidates(self):
        none = np.empty(0, self._problem.toolbox.init(0, np.random.default_rng(0)).dtype)
        return self._problem.candidates(none if self._islands.over else self._islands.genomes)

    @property
    def attempts(self) -> np.ndarray:
        """The number of earlier judgements of each circuit of `ask`, int [n]: all 0 unless scores are noisy."""
        self._settle()
        return np.zeros(0, int) if self._islands.over else self._islands.attempts

    def tell(self, scores: Any, cases: Any = None):
        """Take in the scores of the circuits of the last `ask`, in their order.

        Parameters
        ----------
        scores : sequence, array of float [n], dict of arrays [n] by name, or Results
            For each circuit a number (larger is better); a dict of numbers by name {"score": 0.7, "cost": 3.0}, optionally with
            "cases", an array of numbers for lexicase selection (larger is better); a tuple of the objectives in their
            order; or None for a circuit that failed, which gets the worst score.
        cases : array of float [n, cases], optional
            Case scores, in place of "cases".

        Raises
        ------
        UserError
            For a wrong number of scores, for numbers that are not finite, and for unknown names. Then nothing is taken in.
        MachineError
            If another process has continued the search in the same folder.
        """
        count = len(self.ask())
        if not count:
            raise UserError(f"{PLACE}: the search is over, there are no circuits to score")
        results = results_of(scores, cases, self._objectives, self._candidates(), self._width())
        if self.folder is not None:
            with locked(self.folder), Store.open(self.folder / STORE, write=True) as store:
                finished = (self._islands.epoch + 1) * self.spec.search.islands
                if store.finished() != finished or self._stored() != self._last:
                    raise MachineError(
                        f"{self.folder}: another process has continued it; load it by evo.Evolver.load({str(self.folder)!r})"
                    )
                self._take(results, store)
                self._settle(store)
                self._write(self.folder / SINCE)
                self._last = self._stored()
                if self._islands.over:
                    store.settle()
        else:
            self._take(results)

    def _stored(self) -> bytes:
        """Digest of the stored part of the current epoch, by which changes of another process are seen."""
        path = None if self.folder is None else self.folder / SINCE
        return b"" if path is None or not path.exists() else hashlib.sha256(path.read_bytes()).digest()

    def _width(self):
        """The number of case scores of a circuit; None before the first `tell`."""
        if self._since:
            return self._since[0].cases.shape[1]
        states = self._islands.states
        return None if states is None else states[0].grades.shape[1]

    def _take(self, results: Results, store: Store | None = None):
        self._since.append(results)
        self._asked = None
        states = self._islands.answer(results)
        if states is not None:
            self._next(states, store)

    def _next(self, states, store):
        """Store an epoch that has ended, and begin the next one."""
        if store is not None:
            count, s = self.spec.search.migrants, self.spec.search
            elapsed = self._elapsed + time.monotonic() - self._start
            epochs = [
                Result(k, self._islands.epoch + 1, to_bytes(state), to_bytes(state.migrants(count)), state.log, dict(watch))
                for k, (state, watch) in enumerate(zip(states, self._islands.watches, strict=True))
            ]
            store.add_epochs(epochs, elapsed, s.epoch)
        self._since, self._counted = [], self._islands.evaluations
        self._islands.go_on(states)

    def _settle(self, store: Store | None = None):
        """Go through generations without new circuits."""
        islands, idle = self._islands, 0
        while not islands.over and all(request is None for request in islands.requests):
            idle += 1
            if idle > IDLE:
                raise UserError(
                    "ask: no new circuit has come up for many generations: the bounds of [circuit] leave too few circuits"
                )
            self._next([state for state in islands.after if state is not None], store)

    @property
    def over(self) -> bool:
        """True once the search has reached its last generation (search.generations)."""
        self._settle()
        return self._islands.over

    @property
    def generation(self) -> int:
        """The last generation whose scores are complete, -1 before the first."""
        return min(self._islands.generations)

    @property
    def evaluations(self) -> int:
        """The number of scores that were told."""
        return self._islands.evaluations

    @property
    def front(self) -> list[Member]:
        """The archive: the circuits that are not dominated in all objectives, best score first."""
        if self._islands.archive is None:
            return []
        rows = sorted(ranked(self._islands.archive), key=lambda row: -row["score"])
        return members(rows, self.spec, self._problem.judge.interface)

    @property
    def best(self) -> Member:
        """The circuit with the best score.

        It has `circuit`, `score`, `objectives`, and with noisy scores `judgements` and `mean_score`. Raises UserError before
        the first `tell`.
        """
        front = self.front
        if not front:
            raise UserError("best: no scores were told yet")
        return front[0]

    def motif(self, rank: int = 0) -> Motif:
        """Return a circuit of the front with its provenance.

        Parameters
        ----------
        rank : int
            Its rank in the front.

        Returns
        -------
        circuits.Motif
            The motif, which `circuits.save` saves.

        Raises
        ------
        UserError
            If there is no such rank.
        """
        front = self.front
        if not 0 <= rank < len(front):
            raise UserError(f"motif: there is no rank {rank}; the front has {len(front)} circuits")
        name = "told" if self.folder is None else self.folder.resolve().name
        return provenance(front[rank], self.spec, name, self.spec.digest(self._source))

    def save(self, path: str | Path) -> Path:
        """Write the search to a file, from which `load` continues bit for bit.

        Parameters
        ----------
        path : str or Path
            The file.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        UserError
            With an algorithm of your own, whose code is kept in a run folder: give the Evolver one.
        """
        if self._source is not None:
            raise UserError("save: an algorithm of your own is kept in a run folder: give the Evolver a folder")
        self._write(Path(path))
        return Path(path)

    def _write(self, path):
        islands = self._islands
        if len(self._since) or path.name != SINCE:
            evolver_file.write(path, self.spec, islands.epoch, self._counted, islands.states, self._since)
        else:
            path.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | Path) -> "Evolver":
        """Continue a search as if it had never stopped.

        Parameters
        ----------
        path : str or Path
            A file that `save` wrote, or the folder of an Evolver's run. Nothing in it is executed except the code of an
            algorithm of your own in a run folder, if it is unchanged.

        Returns
        -------
        Evolver
            The search.

        Raises
        ------
        UserError
            If the path holds no such search, a damaged one, or a run with another judge.
        """
        evolver, path = cls.__new__(cls), Path(path)
        if not path.is_dir():
            before = evolver_file.read(path)
            _check_external(before.spec, path)
            evolver._set(before.spec, None, None, before)
            return evolver
        spec = read_spec(path)
        _check_external(spec, path)
        source, run, since = checked_code(spec, path), Run(path), path / SINCE
        done = min(run.progress.epoch)
        if done != max(run.progress.epoch):
            raise UserError(
                f"{path / STORE}: is damaged: its islands are not at the same epoch; restore the folder from a copy"
            )
        judged = sum(row["evaluations"] - row["repeats"] for epoch in run.epochs for row in epoch["log"])
        before = evolver_file.Saved(spec, done, judged, run.states or None, [])
        if since.exists():
            stored = evolver_file.read(since)
            if stored.epoch == done and stored.spec == spec:
                before = before._replace(since=stored.since)
        evolver._set(spec, source, path, before)
        evolver._elapsed = run.progress.elapsed
        return evolver

    def __enter__(self) -> "Evolver":
        return self

    def __exit__(self, *_):
        return None

    def _repr_html_(self) -> str:
        return show.draw(self, "html")

    def __repr__(self):
        front = self.front
        best = f"best score {front[0].score:.4g}" if front else "no scores yet"
        return f"<Evolver: generation {self.generation}, {self.evaluations:,} judgements, {best}>"


def _check_external(spec, path):
    if spec.judge_class.computes:
        raise UserError(f"{path}: is a run whose circuits {spec.judged_by} judges; go on with it by evo resume")
