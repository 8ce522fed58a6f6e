"""Requests of an epoch for circuits to be judged, by any judge."""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import numpy as np

from fitness.judges import Fresh, Results


class Request(NamedTuple):
    """Circuits to be judged: answered by their `Results`, or by their `Fresh` if fresh.

    genomes  [n];   fresh  are they to be judged on fresh cases? Then score, float64 [n], is that of the search
    attempts int [n], the number of earlier judgements;   rung  of a race, None to judge in full
    """

    genomes: np.ndarray
    fresh: bool = False
    score: np.ndarray | None = None
    attempts: np.ndarray | None = None
    rung: int | None = None


Steps = Generator[Request, Any, Any]  # a computation that yields requests


def driven(steps: Steps, answer: Callable[[Request], Results | Fresh]) -> Any:
    """Run a computation, answering its requests by `answer`, and return its result."""
    try:
        request = next(steps)
        while True:
            request = steps.send(answer(request))
    except StopIteration as end:
        return end.value
