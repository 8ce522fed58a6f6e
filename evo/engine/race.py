"""A race of new circuits, see `fitness.judges.judge.Race`: who is judged further, and who is judged again.

A circuit that is given up keeps the score that it had reached, and counts as never judged where scores are noisy.
"""

import math

import numpy as np

from evo.engine.request import Request, Steps
from evo.population import noise
from evo.population.individual import Population
from fitness.judges import Race, Results
from fitness.judges.judge import joined as joined_results


def going_on(score: np.ndarray, keep: float) -> np.ndarray:
    """The places of the best, a share of them and one at least; of equals the first. Ascending."""
    count = math.ceil(keep * len(score) - 1e-9)
    return np.sort(np.argsort(-score, kind="stable")[: max(1, count)])


def raced(genomes: np.ndarray, race: Race) -> Steps:
    """The results of circuits that race: those of the last stage that each came to."""
    going, last = np.arange(len(genomes)), len(race.shares) - 1
    found = None
    for rung in range(last + 1):
        results = yield Request(genomes[going], rung=rung if rung < last else None)
        found = results if found is None else _written(found, going, results)
        if rung < last:
            going = going[going_on(results.score, race.keep)]
    return found


def due(outcomes: np.ndarray, new: int, race: Race | None) -> np.ndarray:
    """Which of a population whose scores are noisy are judged again beside so many new circuits: all whose scores are not sure
    yet; in a race the best of those that were judged as a whole, as many as come to the end of it."""
    again = np.flatnonzero(outcomes["count"] < noise.MOST)
    if race is None:
        return again
    again = again[outcomes["count"][again] > 0]
    most = max(1, round(new * race.keep ** (len(race.shares) - 1)))
    return again[np.sort(np.argsort(-outcomes["score"][again], kind="stable")[:most])]


def judged(genomes: np.ndarray, again: Population | None, due: np.ndarray, race: Race) -> Steps:
    """The results of new circuits, which race, and then of those that are judged again."""
    found = (yield from raced(genomes, race)) if len(genomes) else None
    if not len(due) or again is None:
        return found
    more = yield Request(again.genomes.take(due), attempts=again.outcomes["count"][due].astype(int))
    return more if found is None else joined_results([found, more])


def _written(found: Results, which: np.ndarray, results: Results) -> Results:
    """Results of some circuits in place of what was known of them."""
    columns = {}
    for name in Results._fields:
        if name not in ("fault", "seconds"):
            columns[name] = getattr(found, name).copy()
            columns[name][which] = getattr(results, name)
    seconds = {key: found.seconds.get(key, 0.0) + taken for key, taken in results.seconds.items()}
    return Results(**columns, fault=found.fault or results.fault, seconds=found.seconds | seconds)
