"""The remaining epochs of a run, and the computation of one epoch from bytes to bytes, the same in this process and on
workers."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from evo.engine.codec import from_bytes, to_bytes
from evo.engine.evaluator import Request, driven
from evo.engine.island import Founders, Migrants, State, epoch_steps
from evo.engine.problem import Problem, problem
from evo.engine.progress import Progress
from evo.engine.recheck import recheck
from evo.engine.stopwatch import Stopwatch
from evo.population.individual import up_to_date
from evo.spec.run_spec import RunSpec
from fitness.judges import Fresh, Results, judged
from fitness.sandbox.code import Code


class Result(NamedTuple):
    """A finished epoch, ready to be stored. timings: seconds by phase, `total` among them; elapsed: duration of the run
    so far (`Progress.elapsed`), for observers, None until it is stored."""

    island: int
    epoch: int
    state: bytes
    migrants: bytes
    log: list
    timings: dict[str, float]
    elapsed: float | None = None


class Plan(NamedTuple):
    """The work of a run: its spec with the user's own code, if any, and access to its store.

    progress                 of the run, updated by the caller that stores the results
    state(island)            the stored state, None before the first epoch
    guests(island, epoch)    genomes that the island receives before this epoch, from the store: founders before epoch 0, later
                             the migrants of its neighbour
    enough()                 may the computation end although the run has not ended?
    """

    spec: RunSpec
    source: Code | None
    progress: Progress
    state: Callable[[int], bytes | None]
    guests: Callable[[int, int], bytes | None]
    enough: Callable[[], bool] = lambda: False

    @property
    def ended(self) -> bool:
        """Is nothing left to compute?"""
        return self.progress.ended is not None or self.enough()


def neighbour(spec: RunSpec, island: int) -> int | None:
    """The island that sends migrants to this one, in a ring; None for none."""
    s = spec.search
    return (island - 1) % s.islands if s.islands > 1 and s.migrants > 0 else None


LATEST, SMALL = 4, 2_000_000  # number of states, bytes of each
_latest: deque[tuple[bytes, State]] = deque(maxlen=LATEST)  # computed here, a cache for the next epochs


def _read(stored: bytes) -> State:
    known = next((state for blob, state in _latest if blob == stored), None)
    if known is not None:
        return known
    state = from_bytes(State, stored)
    return state._replace(population=up_to_date(state.population), archive=up_to_date(state.archive))


def _arrived(guests: bytes, epoch: int) -> Migrants | Founders:
    if not epoch:
        return from_bytes(Founders, guests)
    migrants = from_bytes(Migrants, guests)
    return migrants._replace(population=up_to_date(migrants.population))


def run_epoch(
    problem: Problem,
    island: int,
    epoch: int,
    state: State | None,
    guests: Migrants | Founders | None,
    watch: Stopwatch | None = None,
) -> State:
    """The island's next state, see `epoch_steps`, with the judge of the spec."""
    judge, watch = problem.judge, Stopwatch() if watch is None else watch

    def answer(request: Request):
        candidates = problem.candidates(request.genomes)
        if request.fresh:
            return judge.validate(candidates, request.bounds)
        return judged(judge, candidates, request.attempts, request.rung)

    if state is not None and judge.own:
        arrived = [(guests.population, guests.grades)] if isinstance(guests, Migrants) else []
        with watch("score"):
            recheck(problem, epoch, (state.population, state.grades), *arrived)
    return driven(epoch_steps(problem, island, epoch, state, guests, watch), answer)


def rehearse(problem: Problem):
    """Compute two epochs with made-up results, so that everything besides the judge is compiled, or read from the disk."""
    objectives = len(problem.spec.search.objectives)

    def answer(request: Request):
        score = np.arange(len(request.genomes), dtype=float)
        if request.fresh:
            return Fresh.as_searched(score)
        return Results.unmeasured(np.column_stack([-score] * objectives), score, score.astype("f4")[:, None])

    state = driven(epoch_steps(problem, 0, 0, None, None), answer)
    driven(epoch_steps(problem, 0, 1, state, state.migrants(1)), answer)


def compute(spec_json: str, source, island: int, epoch: int, state, guests):
    """One epoch from bytes to bytes: (state, migrants, (log, timings))."""
    start, watch = time.perf_counter(), Stopwatch()
    compiled = problem(spec_json, source)
    with watch("bytes"):
        before = None if state is None else _read(state)
        arrived = None if guests is None else _arrived(guests, epoch)
    after = run_epoch(compiled, island, epoch, before, arrived, watch)
    with watch("bytes"):
        blob, sent = to_bytes(after), to_bytes(after.migrants(compiled.spec.search.migrants))
        if len(blob) < SMALL:
            _latest.append((blob, after))
    return blob, sent, (after.log, dict(watch) | {"total": time.perf_counter() - start})


def in_process(plan: Plan) -> Iterator[list[Result]]:
    """The remaining epochs in this process, one after the other. The caller stores each before asking for the next."""
    spec_json, progress = plan.spec.model_dump_json(), plan.progress
    while not plan.ended:
        island = progress.epoch.index(min(progress.epoch))
        epoch = progress.epoch[island] + 1
        blob, sent, (log, timings) = compute(
            spec_json, plan.source, island, epoch, plan.state(island), plan.guests(island, epoch)
        )
        yield [Result(island, epoch, blob, sent, log, timings)]
