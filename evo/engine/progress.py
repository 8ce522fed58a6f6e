"""Progress of a run and whether it has ended, from its stored epochs alone."""

import math
from dataclasses import dataclass, field
from typing import Literal

from evo.spec.run_spec import RunSpec

End = Literal["generations", "target", "evaluations", "stagnation", "seconds"]
ENDS: tuple[End, ...] = ("target", "evaluations", "stagnation", "seconds")


def generations(log: list[dict]) -> int:
    """Number of generations of an epoch, by its log; founders do not count."""
    return len(log) - (log[0]["generation"] == 0)


@dataclass
class Progress:
    """The sum of a run's stored epochs.

    epoch, generation  the last one of each island, -1 and 0 for none
    best               highest score on validation trials, by which a target is judged; best_generation: the first with it
    evaluations        number of circuits evaluated
    elapsed            seconds of the search until its last stored epoch, over all its sessions, without compilation before and
                       analysis after it. All displays of a run show this time
    cut                islands whose last epoch was cut short by a last generation that is no longer the run's, so that it must
                       be computed again
    went_past_cut      did a run of 0.4 go on from such an epoch without computing it again? Then its archive is not that of an
                       uninterrupted run
    """

    spec: RunSpec
    epoch: list[int]
    generation: list[int]
    best: float = -math.inf
    best_generation: int = 0
    evaluations: int = 0
    elapsed: float = 0.0
    went_past_cut: bool = False
    _length: dict[int, int] = field(default_factory=dict)  # of each island's last epoch, in generations

    @classmethod
    def of(cls, spec: RunSpec, epochs: list[dict] = ()) -> "Progress":  # type: ignore[assignment]
        """The progress by stored epochs, in any order (`Store.epochs`)."""
        islands = spec.search.islands
        progress = cls(spec, [-1] * islands, [0] * islands)
        for row in epochs:
            progress.add(row["island"], row["epoch"], row["log"], row["elapsed"])
        return progress

    def add(self, island: int, epoch: int, log: list[dict], elapsed: float):
        """Count another stored epoch."""
        if epoch > self.epoch[island]:
            self.went_past_cut |= self._length.get(island, self.spec.search.epoch) < self.spec.search.epoch
            self.epoch[island], self.generation[island] = epoch, log[-1]["generation"]
            self._length[island] = generations(log)
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
    def cut(self) -> list[int]:
        s = self.spec.search
        return [k for k, length in self._length.items() if length < s.epoch and self.generation[k] < s.generations]

    @property
    def ended(self) -> End | None:
        """The condition that ended the run; None while it goes on."""
        return next(iter(self.ends), None)

    @property
    def ends(self) -> list[End]:
        """All conditions that would have ended the run by now. Except at the last generation, a run ends only when all islands
        have stored the same epoch and none a later one, so that the end is the same for any number of workers."""
        s, first, last = self.spec.search, min(self.epoch), max(self.epoch)
        if first < 0 or self.cut:
            return []
        holds = {
            "target": s.target is not None and self.best >= s.target,
            "evaluations": s.evaluations is not None and self.evaluations >= s.evaluations,
            "stagnation": s.stagnation is not None and min(self.generation) - self.best_generation >= s.stagnation,
            "seconds": s.seconds is not None and self.elapsed >= s.seconds,
        }
        done: list[End] = ["generations"] if min(self.generation) >= s.generations else []
        return done + [end for end in ENDS if first == last and holds[end]]
