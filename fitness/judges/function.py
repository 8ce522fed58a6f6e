"""A function of the user's own as a judge: score(circuit, seed) says how good a circuit is, by whatever it computes.

    [task]
    judge = "mine.py:score"      # def score(circuit, seed): a `circuits.Circuit` and an int in, a number out: larger is better
    inputs = ["left", "right"]
    outputs = ["turn"]
    dt_ms = 0.5
    gain = 3.0                   # any further key: score(circuit, seed, gain=3.0)

What it may return is told in `fitness.judges.answers`. All that is random in it must come from the seed. A circuit is judged
with `search.trials` seeds, the same for all circuits (1 where the spec does not say it), and scores are means over them; the
few best once more with `search.held_out` others, and as many for validation.
"""

import re
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, ClassVar

import numpy as np

from circuits.errors import MachineError, UserError
from fitness.checks.collect import from_a_copy
from fitness.evaluation.fault_isolation import MANY
from fitness.evaluation.objectives import WORST, Objective
from fitness.interval import student
from fitness.judges.answers import SCORE, Answer, UnknownError, answer, mean, results
from fitness.judges.judge import Fresh, Judge
from fitness.sandbox.guard import Overtime, guarded
from fitness.sandbox.modules import said
from fitness.task import PARTS
from fitness.trials import Interface


class Function(Judge):
    """The judge that a function is, for a run of this seed.

    score  the function;   name  as the spec names it;   settings  what else it is given, by name
    trials, held_out  with how many seeds a circuit is judged in the search, and afresh;   seconds  most that one call may take
    """

    own = True
    exact: ClassVar[bool] = False
    warms: ClassVar[bool] = False  # a call may take long
    rule: ClassVar[str] = (
        "all that is random must come from the seed, and nothing may depend on the time, the process, or earlier calls"
    )

    def __init__(
        self,
        score: Callable[..., Any],
        name: str,
        interface: Interface,
        objectives: Mapping[str, Objective],
        settings: Mapping[str, Any],
        seed: int,
        trials: int,
        held_out: int,
        seconds: float | None = None,
    ):
        self.score, self.title, self.interface, self.settings = score, f"judge {name}", interface, dict(settings)
        self.objectives, self._objectives = tuple(objectives), dict(objectives)
        self.cases: int | None = None
        self._seed, self._trials, self._held_out, self._seconds = seed, trials, held_out, seconds

    def seeds(self, part: str, attempt: int = 0) -> list[int]:
        """Those of a part of the run, one of `fitness.task.PARTS`, each below 2^32."""
        count = self._trials if part == "search" else self._held_out
        state = np.random.SeedSequence((self._seed, PARTS.index(part), attempt)).generate_state(count, "u4")
        return [int(seed) for seed in state]

    def evaluate(self, candidates, attempts=None):
        start = perf_counter()
        attempts = np.zeros(len(candidates), int) if attempts is None else attempts
        answers: list[Answer | None] = []
        faults: list[str] = []
        for k, attempt in enumerate(attempts):
            answers.append(self._judged(candidates.circuit(k), self.seeds("search", int(attempt)), faults))
        fault = self._fault(answers, faults)
        seconds = {"score": perf_counter() - start}
        found = results(answers, self._objectives, candidates, self.title, self.cases, fault, seconds)
        if not found.failed.all():
            self.cases = found.cases.shape[1]
        return found

    def validate(self, candidates, bounds=True):
        start, n = perf_counter(), len(candidates)
        found, failed = np.full((n, 4), np.nan), np.zeros(n, int)
        faults: list[str] = []
        for k in range(n):
            circuit = candidates.circuit(k)
            for column, part in enumerate(("validation", "held_out")):
                each = [self._judged(circuit, [seed], faults) for seed in self.seeds(part)]
                scores = [-WORST if one is None else one.values[SCORE] for one in each]
                failed[k] += any(one is None for one in each)
                found[k, column] = np.mean(scores)
            if len(scores) > 1:
                half = student(len(scores) - 1) * np.std(scores, ddof=1) / np.sqrt(len(scores))
                found[k, 2:] = found[k, 1] - half, found[k, 1] + half
        nowhere = np.full(n, np.nan), np.full(n, -1)
        return Fresh(*found.T, *nowhere, failed, _plain(faults), {"score": perf_counter() - start})

    def check(self, candidates):
        """Judges the first of them with which it does not fail, twice; it may fail with some."""
        seeds, k, first = self.seeds("search")[:1], -1, None
        with from_a_copy(self.title):
            while first is None:
                k += 1
                try:
                    first = self._answer(candidates.circuit(k), seeds)
                    second = self._answer(candidates.circuit(k), seeds)
                except _FailedError as error:
                    if k + 1 == len(candidates) or first is not None:
                        raise UserError(str(error)) from error.__cause__
        for name, value in first.values.items():
            if name not in second.values or not np.isclose(value, second.values[name], rtol=1e-9, atol=0):
                again = second.values.get(name, "nothing")
                raise UserError(
                    f"{self.title}: says {value} for {name}, and {again} of the same circuit with the same seed; {self.rule}"
                )
        results([first], self._objectives, candidates[k : k + 1], self.title)
        used = {objective.key for objective in self._objectives.values()} | {SCORE}
        left = [name for name in first.values if name not in used]
        if not left:
            return None
        ways = " or ".join(f'"{way}:{left[0]}"' for way in ("min", "max"))
        also = f"says {', '.join(left)} as well, which search.objectives does not name"
        return f"{self.title}: {also}: for an objective write {ways}"

    def _judged(self, circuit, seeds, faults) -> Answer | None:
        try:
            return self._answer(circuit, seeds)
        except _FailedError as error:
            faults.append(str(error))
            return None

    def _answer(self, circuit, seeds) -> Answer:
        return mean([self._asked(circuit, seed) for seed in seeds], self.title)

    def _asked(self, circuit, seed):
        try:
            return answer(guarded(self.title, self._seconds, self.score, circuit, seed, **self.settings), self.title)
        except UnknownError as error:
            raise _FailedError(str(error)) from None
        except MachineError:
            raise
        except UserError as error:
            if isinstance(error.__cause__, Overtime) or str(error).startswith(f"{self.title} "):
                raise
            raise _FailedError(f"{self.title}: fails: {error}") from error
        except Exception as error:
            raise _FailedError(f"{self.title}: fails: {said(error, self.score.__module__)}") from error

    def _fault(self, answers, faults):
        """The message about circuits that failed; UserError where the fault is not theirs: all of many did."""
        if len(answers) >= MANY and all(one is None for one in answers):
            raise UserError(faults[0])
        return _plain(faults)


class _FailedError(Exception):
    """The function fails with a circuit."""


def _plain(faults):
    """The first of them, the same wherever it happens."""
    return re.sub(r"0x[0-9a-fA-F]+", "0x...", faults[0])[:300] if faults else None
