"""A function of the user's own as a judge: score(circuit, seed) computes the score of a circuit.

    [task]
    judge = "mine.py:score"      # def score(circuit, seed): a `circuits.Circuit` and an int in, a number out: larger is better
    inputs = ["left", "right"]
    outputs = ["turn"]
    dt_ms = 0.5
    gain = 3.0                   # any further key: score(circuit, seed, gain=3.0)

`fitness.judges.answers` lists what it may return. All that is random in it must come from the seed. A circuit is judged with
`search.trials` seeds, the same for all circuits (by default 1), and scores are means over them; the few best are judged again
with `search.held_out` other seeds, and as many for validation.
"""

import re
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, ClassVar

import numpy as np

from circuits.errors import MachineError, UserError
from fitness.base.task import PARTS
from fitness.checks.collect import from_a_copy
from fitness.evaluation.fault_isolation import MANY
from fitness.evaluation.objectives import WORST
from fitness.judges.answers import SCORE, Answer, UnknownError, answer, mean, results
from fitness.judges.judge import Fresh, Judge
from fitness.judges.section import JUDGE, judge_section
from fitness.registry import own_part
from fitness.sandbox.guard import Overtime, guarded
from fitness.sandbox.modules import describe
from fitness.scoring.confidence import half_width


class Function(Judge):
    """Judge by a function: `score`, which is called with the keyword arguments `settings`."""

    own = True
    code_keys: ClassVar[tuple[str, ...]] = (JUDGE,)
    check_section = staticmethod(judge_section)
    exact: ClassVar[bool] = False
    warms: ClassVar[bool] = False  # a call may take long
    rule: ClassVar[str] = (
        "all that is random must come from the seed, and nothing may depend on the time, the process, or earlier calls"
    )

    def __init__(self, section, setup, objectives, source=None, folder=Path()):
        super().__init__(section, setup, objectives)
        asks, self.cases = judge_section(section), None
        self.title, self.interface, self.settings = f"judge {asks.judge}", asks.interface, asks.model_extra or {}
        self.score: Callable[..., Any] = own_part(asks.judge, JUDGE, source, setup.seconds, folder)

    def seeds(self, part: str, attempt: int = 0) -> list[int]:
        """Seeds of a part of the run, one of `fitness.task.PARTS`, each below 2^32."""
        count = self.setup.trials if part == "search" else self.setup.held_out
        state = np.random.SeedSequence((self.setup.seed, PARTS.index(part), attempt)).generate_state(count, "u4")
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
        judged = results(answers, self._objectives, candidates, self.title, self.cases, fault, seconds)
        if not judged.failed.all():
            self.cases = judged.cases.shape[1]
        return judged

    def validate(self, candidates, bounds=True):
        start, n = perf_counter(), len(candidates)
        columns, failed = np.full((n, 4), np.nan), np.zeros(n, int)
        faults: list[str] = []
        for k in range(n):
            circuit = candidates.circuit(k)
            for column, part in enumerate(("validation", "held_out")):
                each = [self._judged(circuit, [seed], faults) for seed in self.seeds(part)]
                scores = [-WORST if a is None else a.values[SCORE] for a in each]
                failed[k] += any(a is None for a in each)
                columns[k, column] = np.mean(scores)
            half = half_width(scores)
            columns[k, 2:] = columns[k, 1] - half, columns[k, 1] + half
        nowhere = np.full(n, np.nan), np.full(n, -1)
        return Fresh(*columns.T, *nowhere, failed, _plain(faults), {"score": perf_counter() - start})

    def check(self, candidates):
        """Judge twice the first candidate with which the function does not fail."""
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
                    f"{self.title}: gives {value} for {name}, then {again} for the same circuit and seed; {self.rule}"
                )
        results([first], self._objectives, candidates[k : k + 1], self.title)
        used = {objective.key for objective in self._objectives.values()} | {SCORE}
        unused = [name for name in first.values if name not in used]
        if not unused:
            return None
        remark = f"also gives {', '.join(unused)}, which search.objectives does not name"
        return f'{self.title}: {remark}: for an objective write "min:{unused[0]}" or "max:{unused[0]}"'

    def _judged(self, circuit, seeds, faults) -> Answer | None:
        try:
            return self._answer(circuit, seeds)
        except _FailedError as error:
            faults.append(str(error))
            return None

    def _answer(self, circuit, seeds) -> Answer:
        return mean([self._call(circuit, seed) for seed in seeds], self.title)

    def _call(self, circuit, seed):
        try:
            return answer(guarded(self.title, self.setup.seconds, self.score, circuit, seed, **self.settings), self.title)
        except UnknownError as error:
            raise _FailedError(str(error)) from None
        except MachineError:
            raise
        except UserError as error:
            if isinstance(error.__cause__, Overtime) or str(error).startswith(f"{self.title} "):
                raise
            raise _FailedError(f"{self.title}: fails: {error}") from error
        except Exception as error:
            raise _FailedError(f"{self.title}: fails: {describe(error, self.score.__module__)}") from error

    def _fault(self, answers, faults):
        """The message about circuits that failed. Raises UserError where all of many did: the fault is the function's."""
        if len(answers) >= MANY and all(a is None for a in answers):
            raise UserError(faults[0])
        return _plain(faults)


class _FailedError(Exception):
    """The function fails with a circuit."""


def _plain(faults):
    """The first of the messages, without addresses in memory."""
    return re.sub(r"0x[0-9a-fA-F]+", "0x...", faults[0])[:300] if faults else None
