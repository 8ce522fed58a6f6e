"""Trying circuits: on the search's trials, each once in an epoch however often it comes up, and good ones on fresh trials."""

import numpy as np

from evo import genome
from evo.engine.setting import Setting
from evo.genome import identity
from evo.population.individual import LOOKED_AT, Crowd, fate
from evo.stopwatch import Stopwatch
from fitness.evaluation.evaluate import evaluate
from fitness.evaluation.objectives import losses

TOLD = ("losses", "score", "spikes", "events")  # what trying a circuit tells of it, besides its grades
TOGETHER = 1000  # circuits that are simulated in one go: more do not fit the processor's cache


class Trier:
    """An island's for one epoch: knows what has come of every circuit since the epoch began."""

    def __init__(self, setting: Setting, island: int, watch: Stopwatch):
        self.setting, self.watch = setting, watch
        self.failed, self.fault = 0, None
        # what is true of everyone before it was tried
        self.unknown = np.zeros((), fate(len(setting.spec.search.objectives)))
        self.unknown["island"] = island
        for name in LOOKED_AT:
            self.unknown[name] = np.nan
        self.unknown["condition"] = -1
        # Circuits are numbered in the order in which they come: the number of each first one by its key, what became of them
        # crowd by crowd, and the number with which each crowd begins.
        self.number: dict[bytes, int] = {}
        self.crowds: list[tuple[np.ndarray, np.ndarray]] = []
        self.begin = [0]

    def remember(self, crowd: Crowd):
        """What is known from earlier epochs."""
        with self.watch("identify"):
            self._numbered(crowd)

    def _numbered(self, crowd):
        """The number of each, or of the one like it that came first: int64 [n]."""
        first, count = self.begin[-1], len(crowd.genomes)
        keys = identity.keys(crowd.genomes)
        numbers = np.fromiter(map(self.number.setdefault, keys, range(first, first + count)), "i8", count)
        self.crowds.append((crowd.fates, crowd.grades))
        self.begin.append(first + count)
        return numbers

    def tried(self, genomes: np.ndarray, generation: int) -> tuple[Crowd, dict]:
        """The genomes as a crowd, and what to log of it: evaluations; repeats, how many of them were known; simulated, the
        share of the steps of the others that the stop rule left to simulate."""
        crowd = Crowd(genomes, self._born(genomes, generation), np.empty((len(genomes), len(self.setting.search)), "f4"))
        with self.watch("identify"):
            first, numbers = self.begin[-1], self._numbered(crowd)
            is_new = numbers == np.arange(first, first + len(numbers))
        new = np.flatnonzero(is_new)
        simulated = self._try(crowd, new) if len(new) else 1.0
        with self.watch("identify"):
            self._copy(crowd, np.flatnonzero(~is_new), numbers[~is_new])
        return crowd, {"evaluations": len(genomes), "repeats": len(genomes) - len(new), "simulated": simulated}

    def _copy(self, crowd, which, numbers):
        """What became of circuits that have come before, by their numbers."""
        places = np.searchsorted(self.begin, numbers, "right") - 1
        for place in np.unique(places):
            here, (fates, grades) = places == place, self.crowds[place]
            theirs = numbers[here] - self.begin[place]
            for name in TOLD:
                crowd.fates[name][which[here]] = fates[name][theirs]
            crowd.grades[which[here]] = grades[theirs]

    def _born(self, genomes, generation):
        fates = np.full(len(genomes), self.unknown)
        fates["generation"] = fates["wired"] = generation
        return fates

    def _try(self, crowd, new):
        simulated = 0.0
        for some in np.array_split(new, -(-len(new) // TOGETHER)):
            whole = len(some) == len(crowd.genomes)
            found = self.setting.toolbox.evaluate(crowd.genomes if whole else crowd.genomes.take(some))
            self._took(found)
            with self.watch("score"):
                told = losses(self.setting.spec.search.objectives, found), found.score, found.spikes, found.events
                for name, values in zip(TOLD, told, strict=True):
                    crowd.fates[name][some] = values
                crowd.grades[some] = found.grades
                simulated += float(found.simulated.sum())
        return simulated / len(new)

    def look(self, crowd: Crowd, kept: np.ndarray):
        """Try the best of a crowd on fresh trials if it is better than all in the archive that were: it then says so."""
        tried = kept["score"][~np.isnan(kept["validation"])]
        best = int(np.argmax(crowd.fates["score"]))
        if crowd.fates["score"][best] > tried.max(initial=-1.0):
            self._on_fresh_trials(crowd.genomes, crowd.fates, np.array([best]))

    def measured(self, records: np.ndarray) -> np.ndarray:
        """The records with every missing score on fresh trials measured."""
        records, new = records.copy(), np.flatnonzero(np.isnan(records["validation"]))
        if len(new):
            self._on_fresh_trials(records["genome"], records, new)
        return records

    def _on_fresh_trials(self, genomes, fates, which):
        task, tables = self.setting.task, genome.tables(genomes[which], self.setting.form)
        validation, found = (evaluate(task, trials, tables) for trials in (self.setting.validation, self.setting.held_out))
        self._took(validation)
        self._took(found)
        fates["validation"][which], fates["held_out"][which] = validation.score, found.score
        fates["low"][which], fates["high"][which] = found.interval
        fates["worst"][which], fates["condition"][which] = found.worst

    def failures(self) -> dict:
        """What to log of the circuits for which the task's own code failed since this was asked last: how many, and the first
        message."""
        found = {"failed": self.failed} | ({"fault": self.fault} if self.failed else {})
        self.failed, self.fault = 0, None
        return found

    def _took(self, found):
        self.failed += int(found.failed.sum())
        self.fault = self.fault or found.fault
        for phase, seconds in found.seconds.items():
            self.watch.add(phase, seconds)
