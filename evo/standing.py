"""How far a run has come and whether it is over: worked out from its stored epochs alone, so alike wherever it is asked."""

from dataclasses import dataclass
from typing import Literal

from evo.spec import RunSpec

End = Literal["generations", "target", "evaluations", "stagnation", "seconds"]


@dataclass
class Standing:
    """The sum of a run's stored epochs.

    epoch, generation  the last one of each island, -1 and 0 for none
    best               highest score on validation trials, by which a target is judged; best_generation: the first that had it
    evaluations        circuits tried
    elapsed            seconds that the search took until its last stored epoch, all its sessions together; not the compiling
                       before it, nor the analysis after it. Every time of a run that is shown anywhere is this one
    """

    spec: RunSpec
    epoch: list[int]
    generation: list[int]
    best: float = -1.0
    best_generation: int = 0
    evaluations: int = 0
    elapsed: float = 0.0

    @classmethod
    def of(cls, spec: RunSpec, epochs: list[dict] = ()) -> "Standing":  # type: ignore[assignment]
        """From stored epochs, in any order (`Store.epochs`)."""
        islands = spec.search.islands
        found = cls(spec, [-1] * islands, [0] * islands)
        for row in epochs:
            found.add(row["island"], row["epoch"], row["log"], row["elapsed"])
        return found

    def add(self, island: int, epoch: int, log: list[dict], elapsed: float):
        """One more epoch has been stored."""
        self.epoch[island] = max(self.epoch[island], epoch)
        self.generation[island] = max(self.generation[island], log[-1]["generation"])
        self.evaluations += sum(row["evaluations"] for row in log)
        self.elapsed = max(self.elapsed, elapsed)
        for row in log:
            better = row["validation"] - self.best
            if better > 0 or (better == 0 and row["generation"] < self.best_generation):
                self.best, self.best_generation = row["validation"], row["generation"]

    @property
    def last_epoch(self) -> int:
        """The epoch in which islands reach the last generation."""
        s = self.spec.search
        return self.epoch[0] - (self.generation[0] - s.generations) // s.epoch

    @property
    def ended(self) -> End | None:
        """What ended the run; None while it goes on. But for the last generation a run ends only when all islands have done
        the same epoch, and none is stored further: the end is the same for any number of workers."""
        s = self.spec.search
        if min(self.generation) >= s.generations and min(self.epoch) >= 0:
            return "generations"
        if min(self.epoch) < max(self.epoch) or self.epoch[0] < 0:
            return None
        if s.target is not None and self.best >= s.target:
            return "target"
        if s.evaluations is not None and self.evaluations >= s.evaluations:
            return "evaluations"
        if s.stagnation is not None and min(self.generation) - self.best_generation >= s.stagnation:
            return "stagnation"
        return "seconds" if s.seconds is not None and self.elapsed >= s.seconds else None
