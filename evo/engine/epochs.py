"""The epochs of a run that are to be computed, and one epoch from bytes to bytes: the same function here and on any worker."""

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
from evo.population.individual import up_to_date
from evo.spec.run_spec import RunSpec
from evo.stopwatch import Stopwatch
from fitness.judges import Fresh, Results, judged
from fitness.sandbox.code import Code


class Result(NamedTuple):
    """A finished epoch, ready to be stored. timings: seconds by phase, `total` among them; elapsed: how long the run had taken
    by then (`Progress.elapsed`), for whoever observes it, None until it is stored."""

    island: int
    epoch: int
    state: bytes
    migrants: bytes
    log: list
    timings: dict[str, float]
    elapsed: float | None = None


class Plan(NamedTuple):
    """Work to be done: a run's spec with the code of its own task, if it has one, and what is stored of the run.

    progress is kept up to date by whoever stores the results
    state(island)            the stored state, None before the first epoch
    guests(island, epoch)    what the island receives before this epoch, from what is stored: the founders it was given before
                             epoch 0, later the migrants that its neighbour sent
    enough()                 is what is stored enough, though the run has not ended?
    """

    spec: RunSpec
    source: Code | None
    progress: Progress
    state: Callable[[int], bytes | None]
    guests: Callable[[int, int], bytes | None]
    enough: Callable[[], bool] = lambda: False

    @property
    def ended(self) -> bool:
        """Is nothing left to be computed?"""
        return self.progress.ended is not None or self.enough()


def neighbour(spec: RunSpec, island: int) -> int | None:
    """The island that sends migrants to this one: the ring."""
    s = spec.search
    return (island - 1) % s.islands if s.islands > 1 and s.migrants > 0 else None


LATEST, SMALL = 4, 2_000_000  # how many, and bytes
_latest: deque[tuple[bytes, State]] = deque(maxlen=LATEST)  # made here, as bytes and as they were: often one of them comes next


def _read(stored: bytes) -> State:
    known = next((state for made, state in _latest if made == stored), None)
    if known is not None:
        return known
    state = from_bytes(State, stored)
    return state._replace(population=up_to_date(state.population), archive=up_to_date(state.archive))


def _arrived(guests: bytes, epoch: int) -> Migrants | Founders:
    if not epoch:
        return from_bytes(Founders, guests)
    found = from_bytes(Migrants, guests)
    return found._replace(population=up_to_date(found.population))


def run_epoch(
    problem: Problem,
    island: int,
    epoch: int,
    state: State | None,
    guests: Migrants | Founders | None,
    watch: Stopwatch | None = None,
) -> State:
    """The island's next state, see `epoch_steps`, by what the judge of the spec says."""
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
    """Two epochs in which nobody judges: all that an epoch needs besides is compiled, or read from the disk."""
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
    here = problem(spec_json, source)
    with watch("bytes"):
        before = None if state is None else _read(state)
        arrived = None if guests is None else _arrived(guests, epoch)
    after = run_epoch(here, island, epoch, before, arrived, watch)
    with watch("bytes"):
        made, sent = to_bytes(after), to_bytes(after.migrants(here.spec.search.migrants))
        if len(made) < SMALL:
            _latest.append((made, after))
    return made, sent, (after.log, dict(watch) | {"total": time.perf_counter() - start})


def in_process(plan: Plan) -> Iterator[list[Result]]:
    """The remaining epochs in this process, one after the other. The caller stores each before asking for the next."""
    spec_json, progress = plan.spec.model_dump_json(), plan.progress
    while not plan.ended:
        island = progress.epoch.index(min(progress.epoch))
        epoch = progress.epoch[island] + 1
        made, sent, (log, timings) = compute(
            spec_json, plan.source, island, epoch, plan.state(island), plan.guests(island, epoch)
        )
        yield [Result(island, epoch, made, sent, log, timings)]
