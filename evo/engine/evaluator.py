"""Evaluating circuits: each once in an epoch however often it comes up, and good ones on what the search never sees.

Who judges them is not known here: what is to be judged is yielded as a `Request`, and what became of it is sent back.
"""

import numpy as np

from circuits.errors import UserError
from evo import genome
from evo.engine import race as racing
from evo.engine.request import Request, Steps, driven
from evo.population import noise
from evo.population.individual import LOOKED_AT, Population, joined
from evo.stopwatch import Stopwatch
from fitness.judges import PUT_OFF, Race

RESULTS = ("losses", "score", "spikes", "events")  # what is known of a circuit that was evaluated, besides its case scores
NOISE = ("count", "mean", "spread")  # and where scores are noisy
FRESH = ("validation", "held_out", "low", "high", "worst", "condition")

__all__ = ["Evaluator", "Request", "driven"]


class Evaluator:
    """The evaluator of an island for one epoch: it remembers the outcome of every circuit since the epoch began.

    of_outcome: the dtype, see `individual.outcome`
    """

    def __init__(self, of_outcome: np.dtype, island: int, watch: Stopwatch, race: Race | None = None):
        self.watch, self.race = watch, race
        self.failed, self.fault = 0, None
        # what is true of everyone before it was evaluated
        self.unknown = np.zeros((), of_outcome)
        self.unknown["island"] = island
        for name in LOOKED_AT:
            self.unknown[name] = np.nan
        self.unknown["condition"] = -1
        self.noisy = "count" in (of_outcome.names or ())
        self.results = RESULTS + NOISE if self.noisy else RESULTS
        # Circuits are numbered in the order in which they come: the number of each first one by its key, what became of them
        # population by population, and the number with which each population begins.
        self.number: dict[bytes, int] = {}
        self.known: list[tuple[np.ndarray, np.ndarray]] = []
        self.begin = [0]

    def remember(self, population: Population):
        """Remember results of earlier epochs."""
        with self.watch("identify"):
            self._numbered(population.genomes)
        self.known.append((population.outcomes, population.case_scores))

    def _numbered(self, genomes):
        """The number of each, or of the one like it that came first: int64 [n]."""
        first, count = self.begin[-1], len(genomes)
        keys = genome.keys(genomes)
        numbers = np.fromiter(map(self.number.setdefault, keys, range(first, first + count)), "i8", count)
        self.begin.append(first + count)
        return numbers

    def evaluated(self, genomes: np.ndarray, generation: int, again: Population | None = None) -> Steps:
        """The genomes as a population, and what to log of it: evaluations; repeats, how many of them were known; simulated, the
        share of the work with the others that early stopping left. With `again`, where scores are noisy, its individuals are
        judged once more, and what then is known of them is written into it."""
        outcomes = np.full(len(genomes), self.unknown)
        outcomes["generation"] = outcomes["wired"] = generation
        with self.watch("identify"):
            first, numbers = self.begin[-1], self._numbered(genomes)
            is_new = numbers == np.arange(first, first + len(numbers))
        new, due = np.flatnonzero(is_new), np.empty(0, int)
        if again is not None:
            due = racing.due(again.outcomes, len(new), self.race)
        results = yield from self._judged(genomes, new, again, due)
        with self.watch("score"):
            case_scores = self._taken(outcomes, new, results)
            self.known.append((outcomes, case_scores))
        with self.watch("identify"):
            self._copy(outcomes, case_scores, np.flatnonzero(~is_new), numbers[~is_new])
        if again is not None:
            self._once_more(again, due, results, len(new))
        if self.noisy:
            deviation = noise.deviation(outcomes if again is None else again.outcomes)
            for each in (outcomes, *(() if again is None else (again.outcomes,))):
                noise.bound(each, deviation)
        repeats = len(genomes) - len(new)
        return Population(genomes, outcomes, case_scores), {
            "evaluations": len(genomes) + len(due),
            "repeats": repeats,
            "simulated": float(results.share.sum()) / len(results.share) if results is not None else 1.0,
        }

    def _judged(self, genomes, new, again, due):
        """The results of new circuits, and of those that are due again; None where there are neither."""
        if not len(new) and not len(due):
            return None
        asked = genomes if len(new) == len(genomes) else genomes.take(new)
        if self.race is not None:
            results = yield from racing.judged(asked, again, due, self.race)
            self._took(results)
            return results
        if len(due):
            attempts = np.concatenate([np.zeros(len(new), int), again.outcomes["count"][due].astype(int)])
            results = yield Request(joined(asked, again.genomes.take(due)), attempts=attempts)
        else:
            results = yield Request(asked)
        self._took(results)
        return results

    def _taken(self, outcomes, new, results):
        """Write the results of new circuits; returns the case scores of all, those of the others not filled in yet."""
        width = self.known[0][1].shape[1] if self.known else results.cases.shape[1]
        if results is not None and results.cases.shape[1] != width:
            raise UserError(f"the judge says {results.cases.shape[1]} case scores of a circuit, {width} before")
        n = len(new)
        if results is not None:
            told = results.objectives[:n], results.score[:n], results.spikes[:n], results.events[:n]
            for name, values in zip(RESULTS, told, strict=True):
                outcomes[name][new] = values
            if self.noisy:
                some = outcomes[new]
                noise.begin(some, results.share[:n] >= 1 if self.race else True)
                outcomes[new] = some
            if n == len(outcomes):
                return np.ascontiguousarray(results.cases[:n], "f4")
        case_scores = np.empty((len(outcomes), width), "f4")
        if results is not None:
            case_scores[new] = results.cases[:n]
        return case_scores

    def _copy(self, outcomes, case_scores, which, numbers):
        """Copy the outcomes of circuits that came before, by their numbers."""
        places = np.searchsorted(self.begin, numbers, "right") - 1
        for place in np.unique(places):
            here, (known, theirs_cases) = places == place, self.known[place]
            theirs = numbers[here] - self.begin[place]
            for name in self.results:
                outcomes[name][which[here]] = known[name][theirs]
            case_scores[which[here]] = theirs_cases[theirs]

    def _once_more(self, again, due, results, first):
        """Write what was judged again, the results from `first` on, into what is known."""
        if len(due):
            some = again.outcomes[due]
            noise.again(some, results.objectives[first:], results.score[first:])
            again.outcomes[due] = some
            off = results.cases[first:] - again.case_scores[due]
            again.case_scores[due] += off / some["count"][:, None].astype("f4")

    def look(self, population: Population, kept: np.ndarray) -> Steps:
        """Try the best of a population on fresh cases if it is better than all in the archive that were: it then says so."""
        tried = kept["score"][~np.isnan(kept["validation"])]
        best = int(np.argmax(population.outcomes["score"]))
        if population.outcomes["score"][best] > tried.max(initial=-np.inf):
            yield from self._on_fresh_cases(population.genomes, population.outcomes, np.array([best]), bounds=False)

    def championed(self, records: np.ndarray) -> Steps:
        """The records, the one with the best score tried on fresh cases if none was."""
        if np.isnan(records["validation"]).all():
            records = records.copy()
            yield from self._on_fresh_cases(records["genome"], records, np.array([np.argmax(records["score"])]))
        return records

    def measured(self, records: np.ndarray, population: Population) -> Steps:
        """The records with every missing score on fresh cases measured; where scores are noisy, all of them anew. Confidence
        intervals that were put off, there and in the population, are worked out too, all in one go."""
        records = records.copy()
        new = np.flatnonzero(np.isnan(records["validation"]) | self.noisy)
        if len(new):
            yield from self._on_fresh_cases(records["genome"], records, new)
        late, there = (np.flatnonzero(each["low"] == PUT_OFF) for each in (records, population.outcomes))
        if len(late) or len(there):
            genomes = joined(records["genome"][late], population.genomes[there])
            score = joined(records["score"][late], population.outcomes["score"][there])
            found = yield Request(genomes, fresh=True, score=score)
            self._took(found._replace(failed=np.zeros(len(genomes), int), fault=None))  # what failed was counted before
            for name in ("low", "high"):
                records[name][late], population.outcomes[name][there] = np.split(getattr(found, name), [len(late)])
        return records

    def _on_fresh_cases(self, genomes, outcomes, which, bounds=True):
        found = yield Request(genomes[which], fresh=True, score=outcomes["score"][which], bounds=bounds)
        self._took(found)
        for name in FRESH:
            outcomes[name][which] = getattr(found, name)

    def failures(self) -> dict:
        """Log entries for the circuits with which the judge failed since the last call: how many, and the first
        message."""
        found = {"failed": self.failed} | ({"fault": self.fault} if self.failed else {})
        self.failed, self.fault = 0, None
        return found

    def _took(self, found):
        self.failed += int(found.failed.sum())
        self.fault = self.fault or found.fault
        for phase, seconds in found.seconds.items():
            self.watch.add(phase, seconds)
