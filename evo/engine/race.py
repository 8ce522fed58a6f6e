"""A race of new circuits, see `fitness.judges.judge.Race`: which are judged further, and which again.

A circuit that drops out keeps the score that it had reached, and counts as never judged where scores are noisy.
"""

import math

import numpy as np

from evo.engine.request import Request, Steps
from evo.population import noise
from evo.population.individual import Population
from fitness.judges import Race, Results
from fitness.judges.judge import ARRAYS
from fitness.judges.judge import joined as joined_results


def going_on(score: np.ndarray, keep: float) -> np.ndarray:
    """The indices of the best, a share of them and at least one; of equals the first. Ascending."""
    count = math.ceil(keep * len(score) - 1e-9)
    return np.sort(np.argsort(-score, kind="stable")[: max(1, count)])


def raced(genomes: np.ndarray, race: Race) -> Steps:
    """The results of circuits that race, of the last stage that each reached."""
    going, last = np.arange(len(genomes)), len(race.shares) - 1
    so_far = None
    for rung in range(last + 1):
        results = yield Request(genomes[going], rung=rung if rung < last else None)
        so_far = results if so_far is None else _written(so_far, going, results)
        if rung < last:
            going = going[going_on(results.score, race.keep)]
    return so_far


def due(outcomes: np.ndarray, new: int, race: Race | None) -> np.ndarray:
    """The individuals of a population with noisy scores that are judged again beside `new` circuits: all with fewer judgements
    than the maximum; in a race the best of those that were judged in full, as many as reach its end."""
    again = np.flatnonzero(outcomes["count"] < noise.MAX_JUDGEMENTS)
    if race is None:
        return again
    again = again[outcomes["count"][again] > 0]
    count = max(1, round(new * race.keep ** (len(race.shares) - 1)))
    return again[np.sort(np.argsort(-outcomes["score"][again], kind="stable")[:count])]


def judged(genomes: np.ndarray, again: Population | None, due: np.ndarray, race: Race) -> Steps:
    """The results of new circuits, which race, and then of those that are judged again."""
    results = (yield from raced(genomes, race)) if len(genomes) else None
    if not len(due) or again is None:
        return results
    more = yield Request(again.genomes.take(due), attempts=again.outcomes["count"][due].astype(int))
    return more if results is None else joined_results([results, more])


def _written(known: Results, rows: np.ndarray, results: Results) -> Results:
    """The known results with those of some circuits replaced."""
    columns = {name: getattr(known, name).copy() for name in ARRAYS}
    for name, column in columns.items():
        column[rows] = getattr(results, name)
    seconds = {key: known.seconds.get(key, 0.0) + spent for key, spent in results.seconds.items()}
    return Results(**columns, fault=known.fault or results.fault, seconds=known.seconds | seconds)
