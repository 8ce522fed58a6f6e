"""All islands of a run in lockstep, for a judge outside: their requests are gathered, results are distributed, and epochs
follow each other as in any run."""

from collections.abc import Callable

import numpy as np

from evo.engine.epochs import neighbour
from evo.engine.evaluator import Request
from evo.engine.island import State, epoch_steps
from evo.engine.problem import Problem
from evo.engine.stopwatch import Stopwatch
from evo.population import archive
from fitness.judges import Fresh, Results
from fitness.judges.judge import ARRAYS

IDLE = 100  # epochs in a row without a new circuit, after which the search counts as exhausted


class Lockstep:
    """The islands of a run, each at the same epoch.

    states       after the last whole epoch, one per island; None before the first
    requests     the current request of each island, None for one that waits for the others
    generations  the last whole generation of each island, -1 for none
    over         has the run reached its last generation?
    """

    def __init__(self, problem: Problem, states: list[State] | None = None, epoch: int = -1):
        s = problem.spec.search
        self.problem, self.islands, self.epoch = problem, range(s.islands), epoch
        self.states = states
        self.over, self.idle = self._reached(), 0
        self.archives: list[np.ndarray] = [] if states is None else [state.archive for state in states]
        self.evaluations = 0
        self.generations = [-1 if states is None else states[0].generation for _ in self.islands]
        if not self.over:
            self._begin()

    def _reached(self):
        return self.states is not None and self.states[0].generation >= self.problem.spec.search.generations

    def _begin(self):
        """Begin the next epoch, up to the first request of each island."""
        spec, states = self.problem.spec, self.states
        self.watches = [Stopwatch() for _ in self.islands]
        self.after: list[State | None] = [None for _ in self.islands]
        self.requests: list[Request | None] = [None for _ in self.islands]
        self.steps, self.asked = [], False
        archives = list(self.archives)
        self.archives = archives if archives else [np.empty(0) for _ in self.islands]
        for k in self.islands:
            sender = neighbour(spec, k)
            guests = states[sender].migrants(spec.search.migrants) if states is not None and sender is not None else None
            state = None if states is None else states[k]
            self.steps.append(epoch_steps(self.problem, k, self.epoch + 1, state, guests, self.watches[k], self._observer(k)))
            self._advance(k, None)

    def _observer(self, island) -> Callable[[int, np.ndarray], None]:
        def observe(generation, kept):
            self.generations[island], self.archives[island] = generation, kept

        return observe

    def _advance(self, island, answer):
        """Send an answer to an island and take its next request; requests for fresh cases are answered by the known scores."""
        try:
            request = self.steps[island].send(answer)
            while request.fresh:
                request = self.steps[island].send(Fresh.as_searched(request.score))
            self.requests[island], self.asked = request, True
        except StopIteration as end:
            self.requests[island], self.after[island] = None, end.value

    @property
    def genomes(self) -> np.ndarray:
        """The genomes of all current requests, island after island."""
        return np.concatenate([request.genomes for request in self.requests if request is not None])

    @property
    def attempts(self) -> np.ndarray:
        """The number of earlier judgements of each of `genomes`, int [n]."""
        return np.concatenate(
            [
                np.zeros(len(request.genomes), int) if request.attempts is None else request.attempts
                for request in self.requests
                if request is not None
            ]
        )

    def answer(self, results: Results) -> list[State] | None:
        """Take the results of all `genomes`; returns the states of the islands if that ends an epoch, before `go_on`."""
        first = 0
        self.evaluations += len(results.score)
        for k in self.islands:
            request = self.requests[k]
            if request is not None:
                end = first + len(request.genomes)
                self._advance(k, part(results, slice(first, end)))
                first = end
        if any(request is not None for request in self.requests):
            return None
        return [state for state in self.after if state is not None]

    def go_on(self, states: list[State]):
        """Go to the next epoch, or to the end."""
        self.states, self.epoch = states, self.epoch + 1
        self.archives = [state.archive for state in states]
        self.over = self._reached()
        if not self.over:
            self._begin()

    @property
    def archive(self) -> np.ndarray | None:
        """The archive of all islands as of the last generations; None before the first."""
        known = [rows for rows in self.archives if len(rows)]
        return archive.merged(known, self.problem.spec.search.archive) if known else None


def part(results: Results, rows: slice) -> Results:
    """The results of some circuits."""
    arrays = {name: getattr(results, name)[rows] for name in ARRAYS}
    return Results(**arrays, fault=results.fault if arrays["failed"].any() else None, seconds={})
