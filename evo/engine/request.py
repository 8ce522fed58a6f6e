"""Requests of an epoch on its way: circuits that are to be judged, by whomever."""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import numpy as np

from fitness.judges import Fresh, Results


class Request(NamedTuple):
    """Circuits that are to be judged: answered by their `Results`, or by their `Fresh` if fresh.

    genomes  [n];   fresh  are they to be judged on what the search never sees? Then score, float64 [n], is what it saw
    bounds   of fresh: are the confidence intervals wanted now?
    attempts int [n]: how often each was judged before;   rung  of a race: how far they are to be judged, None for all of it
    """

    genomes: np.ndarray
    fresh: bool = False
    score: np.ndarray | None = None
    bounds: bool = True
    attempts: np.ndarray | None = None
    rung: int | None = None


Steps = Generator[Request, Any, Any]  # of a computation that asks for judgements on its way


def driven(steps: Steps, answer: Callable[[Request], Results | Fresh]) -> Any:
    """Run a computation whose requests are answered so, and return its result."""
    try:
        request = next(steps)
        while True:
            request = steps.send(answer(request))
    except StopIteration as end:
        return end.value
