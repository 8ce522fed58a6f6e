"""Evaluation of circuits: each once in an epoch, however often it occurs, and good ones on fresh cases.

The judge is not known here: circuits to be judged are yielded as a `Request`, and their results are sent back.
"""

import numpy as np

from circuits.errors import UserError
from evo import genome
from evo.engine import race as racing
from evo.engine.request import Request, Steps, driven
from evo.engine.stopwatch import Stopwatch
from evo.population import noise
from evo.population.individual import LOOKED_AT, Population, joined
from fitness.judges import PUT_OFF, Race

RESULTS = ("losses", "score", "spikes", "events")  # fields of the outcome from the results of a judge
NOISE = ("count", "mean", "spread")  # and of noisy scores
FRESH = ("validation", "held_out", "low", "high", "worst", "condition")

__all__ = ["Evaluator", "Request", "driven"]


class Evaluator:
    """The evaluator of an island for one epoch: it remembers the outcome of every circuit since the epoch began.

    outcome_dtype  see `individual.outcome`
    """

    def __init__(self, outcome_dtype: np.dtype, island: int, watch: Stopwatch, race: Race | None = None):
        self.watch, self.race = watch, race
        self.failed, self.fault = 0, None
        # outcome of individuals before they are evaluated
        self.unknown = np.zeros((), outcome_dtype)
        self.unknown["island"] = island
        for name in LOOKED_AT:
            self.unknown[name] = np.nan
        self.unknown["condition"] = -1
        self.noisy = "count" in (outcome_dtype.names or ())
        self.results = RESULTS + NOISE if self.noisy else RESULTS
        # Circuits are numbered in order of appearance: the number of the first circuit by its key, the results population by
        # population, and the number with which each population begins.
        self.number: dict[bytes, int] = {}
        self.known: list[tuple[np.ndarray, np.ndarray]] = []
        self.begin = [0]

    def remember(self, population: Population):
        """Remember results of earlier epochs."""
        with self.watch("identify"):
            self._numbered(population.genomes)
        self.known.append((population.outcomes, population.case_scores))

    def _numbered(self, genomes):
        """The number of each genome, or of the first equal one: int64 [n]."""
        first, count = self.begin[-1], len(genomes)
        keys = genome.keys(genomes)
        numbers = np.fromiter(map(self.number.setdefault, keys, range(first, first + count)), "i8", count)
        self.begin.append(first + count)
        return numbers

    def evaluated(self, genomes: np.ndarray, generation: int, again: Population | None = None) -> Steps:
        """The genomes as a population, and its log: evaluations; repeats, the number of known ones; simulated, the share of the
        work for the others that early stopping left. Where scores are noisy, individuals of `again` are judged once more, and
        their outcomes are updated in place."""
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
            case_scores = self._written(outcomes, new, results)
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
        new_genomes = genomes if len(new) == len(genomes) else genomes.take(new)
        if self.race is not None:
            results = yield from racing.judged(new_genomes, again, due, self.race)
        elif len(due):
            attempts = np.concatenate([np.zeros(len(new), int), again.outcomes["count"][due].astype(int)])
            results = yield Request(joined(new_genomes, again.genomes.take(due)), attempts=attempts)
        else:
            results = yield Request(new_genomes)
        self._account(results)
        return results

    def _written(self, outcomes, new, results):
        """Write the results of new circuits; returns the case scores of all circuits, those of the others not filled in yet."""
        width = self.known[0][1].shape[1] if self.known else results.cases.shape[1]
        if results is not None and results.cases.shape[1] != width:
            raise UserError(f"the judge gives {results.cases.shape[1]} case scores of a circuit, before {width}")
        n = len(new)
        if results is not None:
            columns = results.objectives[:n], results.score[:n], results.spikes[:n], results.events[:n]
            for name, values in zip(RESULTS, columns, strict=True):
                outcomes[name][new] = values
            if self.noisy:
                judged = outcomes[new]
                noise.begin(judged, results.share[:n] >= 1 if self.race else True)
                outcomes[new] = judged
            if n == len(outcomes):
                return np.ascontiguousarray(results.cases[:n], "f4")
        case_scores = np.empty((len(outcomes), width), "f4")
        if results is not None:
            case_scores[new] = results.cases[:n]
        return case_scores

    def _copy(self, outcomes, case_scores, targets, numbers):
        """Copy the outcomes of known circuits, by their numbers."""
        sources = np.searchsorted(self.begin, numbers, "right") - 1
        for source in np.unique(sources):
            chosen, (known, known_cases) = sources == source, self.known[source]
            known_rows = numbers[chosen] - self.begin[source]
            for name in self.results:
                outcomes[name][targets[chosen]] = known[name][known_rows]
            case_scores[targets[chosen]] = known_cases[known_rows]

    def _once_more(self, again, due, results, first):
        """Update the outcomes of circuits that were judged again, by the results from `first` on."""
        if len(due):
            judged = again.outcomes[due]
            noise.again(judged, results.objectives[first:], results.score[first:])
            again.outcomes[due] = judged
            deviation = results.cases[first:] - again.case_scores[due]
            again.case_scores[due] += deviation / judged["count"][:, None].astype("f4")

    def look(self, population: Population, kept: np.ndarray) -> Steps:
        """Judge the best of a population on fresh cases if it is better than all validated ones of the archive; its outcome is
        updated."""
        validated = kept["score"][~np.isnan(kept["validation"])]
        best = int(np.argmax(population.outcomes["score"]))
        if population.outcomes["score"][best] > validated.max(initial=-np.inf):
            yield from self._on_fresh_cases(population.genomes, population.outcomes, np.array([best]), bounds=False)

    def championed(self, records: np.ndarray) -> Steps:
        """The records, the one with the best score judged on fresh cases if none was."""
        if np.isnan(records["validation"]).all():
            records = records.copy()
            yield from self._on_fresh_cases(records["genome"], records, np.array([np.argmax(records["score"])]))
        return records

    def measured(self, records: np.ndarray, population: Population) -> Steps:
        """The records with all scores on fresh cases: those that lack them, or all where scores are noisy, are judged. The
        confidence intervals that were put off, of records and of the population, are computed as well, all at once."""
        records = records.copy()
        new = np.flatnonzero(np.isnan(records["validation"]) | self.noisy)
        if len(new):
            yield from self._on_fresh_cases(records["genome"], records, new)
        outcomes = population.outcomes
        of_records, living = (np.flatnonzero(each["low"] == PUT_OFF) for each in (records, outcomes))
        if len(of_records) or len(living):
            genomes = joined(records["genome"][of_records], population.genomes[living])
            score = joined(records["score"][of_records], outcomes["score"][living])
            fresh = yield Request(genomes, fresh=True, score=score)
            self._account(fresh._replace(failed=np.zeros(len(genomes), int), fault=None))  # failures were counted before
            for name in ("low", "high"):
                records[name][of_records], outcomes[name][living] = np.split(getattr(fresh, name), [len(of_records)])
        return records

    def _on_fresh_cases(self, genomes, outcomes, rows, bounds=True):
        fresh = yield Request(genomes[rows], fresh=True, score=outcomes["score"][rows], bounds=bounds)
        self._account(fresh)
        for name in FRESH:
            outcomes[name][rows] = getattr(fresh, name)

    def failures(self) -> dict:
        """Log entries for the circuits with which the judge failed since the last call: their number, and the first message."""
        entries = {"failed": self.failed} | ({"fault": self.fault} if self.failed else {})
        self.failed, self.fault = 0, None
        return entries

    def _account(self, results):
        self.failed += int(results.failed.sum())
        self.fault = self.fault or results.fault
        for phase, seconds in results.seconds.items():
            self.watch.add(phase, seconds)
