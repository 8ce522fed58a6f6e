"""A simulated task as a judge: circuits are simulated on trials of the task, and it scores the spikes of their outputs."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any, ClassVar

import numpy as np

from circuits.errors import UserError
from circuits.motif_file import Motif
from fitness.analysis import Analysis, analyse, from_text, trials_for
from fitness.analysis.about import about
from fitness.base.task import Task
from fitness.base.trials import Trials
from fitness.checks.check import REPEATED, repeated
from fitness.checks.collect import check_copy
from fitness.evaluation.evaluate import evaluate
from fitness.evaluation.objectives import OBJECTIVES, own_file, values
from fitness.judges.judge import PUT_OFF, Description, Fresh, Judge, Results
from fitness.registry import OVER_FILES, of_section
from fitness.sandbox.code import is_own
from fitness.tasks import BUILT_IN

REPEATED_BY_CHANCE = 0.2  # share of held-out trials with a stimulus of another part, in built-in tasks
CLASSES, OF_EACH = 12, 2  # of example trials
SCORED = 100  # bytes of a trial of a circuit besides its raster: for trial and case scores


class Simulated(Judge):
    """Judge by a simulated task. Its cases are the search's trials; `stop` is the rule of early stopping in the search. The
    trials of a part are drawn when they are first asked for."""

    unit_score: ClassVar[bool] = True
    simulates: ClassVar[bool] = True
    analysed: ClassVar[int] = 100  # a second for about ten of them
    analyses: ClassVar[Mapping[str, Any]] = {"analysis": from_text}
    code_keys: ClassVar[tuple[str, ...]] = ("name",)
    defaults: ClassVar[Mapping[str, Any]] = {}
    rule: ClassVar[str] = (
        "all that is random must come from the rng of make, and nothing may depend on the time, the process, or earlier calls"
    )
    task: Task
    cases: int

    def __init__(self, section, setup, objectives, source=None, folder=Path()):
        super().__init__(section, setup, objectives)
        task, name = of_section(section, setup.seconds, source, folder), section["name"]
        self.task, self.title, self.interface, self.cases = task, f"task {task.title()}", task.interface, setup.trials
        for objective in objectives:
            if objective not in OBJECTIVES and own_file(objective) is None:
                raise UserError(f"search.objectives: {objective}: task {name} has no such objective")
        self.own, self.stop = is_own(name) or any(map(own_file, objectives)), setup.stop(task.dt_ms)

    @staticmethod
    def check_section(section):
        if not isinstance(section.get("name"), str):
            raise UserError('task.name: must name a task, such as "itd"; or task.judge a function, "mine.py:score"')

    @classmethod
    def data_key(cls, section):
        return "file" if section["name"] in OVER_FILES else None

    @classmethod
    def neurons_read(cls, section):
        known = BUILT_IN | OVER_FILES
        return known[section["name"]].listens if section["name"] in known else "all"

    @classmethod
    def docstring(cls, section):
        task = _built_in(section)
        return None if task is None else (task.__doc__ or "").strip()

    @classmethod
    def closed_loop(cls, section):
        task = _built_in(section)
        return None if task is None or task.environment is Task.environment else of_section(section)

    @cached_property
    def search(self) -> Trials:
        return self.task.trials_of("search", self.setup.seed, self.cases)

    @cached_property
    def validation(self) -> Trials:
        return self.task.trials_of("validation", self.setup.seed, self.setup.held_out)

    @cached_property
    def held_out(self) -> Trials:
        return self.task.trials_of("held_out", self.setup.seed, self.setup.held_out)

    def evaluate(self, candidates, attempts=None):
        e = evaluate(self.task, self.search, candidates.tables, self.stop)
        start = perf_counter()
        objectives, cases = values(self._objectives.values(), e), e.case_scores
        seconds = e.seconds | {"score": e.seconds["score"] + perf_counter() - start}
        return Results(objectives, e.score, cases, e.spikes, e.events, e.failed, e.fault, e.simulated, seconds)

    def validate(self, candidates, bounds=True):
        tables = candidates.tables()
        validation, held_out = (evaluate(self.task, trials, tables) for trials in (self.validation, self.held_out))
        failed, fault = validation.failed.astype(int) + held_out.failed, validation.fault or held_out.fault
        start, put_off = perf_counter(), np.full(len(failed), PUT_OFF)
        interval, worst = held_out.interval if bounds else (put_off, put_off), held_out.worst
        seconds = {phase: spent + held_out.seconds[phase] for phase, spent in validation.seconds.items()}
        seconds["score"] += perf_counter() - start
        return Fresh(validation.score, held_out.score, *interval, *worst, failed, fault, seconds)

    def check(self, candidates):
        ships = type(self.task).__module__.startswith("fitness.")
        if not ships:
            check_copy(self.task, self.setup.seed, min(self.cases, 64))
        if any(name not in OBJECTIVES for name in self.objectives):  # the user's own
            values(self._objectives.values(), evaluate(self.task, self.search, candidates.tables, self.stop))
        # built-in tasks draw every trial afresh, but trials of few spikes may be equal
        return repeated(self.task, self.setup.seed, self.cases, self.setup.held_out, REPEATED_BY_CHANCE if ships else REPEATED)

    def check_again(self):
        again = self.task.trials_of("search", self.setup.seed, self.cases)
        same = np.array_equal(again.spikes, self.search.spikes) and np.array_equal(again.labels, self.search.labels)
        if not (same and (again.signals is None or np.array_equal(again.signals, self.search.signals))):
            raise UserError(f"{self.title}: make gives other trials than before with the same seed: {self.rule}")

    def describe(self):
        trials = self.held_out
        classes = np.unique(trials.labels)[:CLASSES]
        shown = np.concatenate([np.flatnonzero(trials.labels == label)[:OF_EACH] for label in classes])
        examples = trials.take(shown)
        conditions = [(name, len(members)) for name, members in zip(*self.task.grouped(trials), strict=True)]
        return Description(
            conditions,
            about(self.task, examples),
            (examples.spikes, examples.labels, examples.signals),
        )

    def memory(self, population, archive, capacity):
        """Memory of the stimuli and of what they are made from, and of each circuit's raster as it is scored."""
        steps, channels = self.task.steps, len(self.task.inputs)
        read = capacity if self.task.listens == "all" else len(self.task.outputs)
        per_trial = SCORED + steps * read / 8
        return {
            ("trials",): self.cases * (2.0 * steps * channels + min(population, self.max_batch) * per_trial),
            ("held_out", "archive"): self.setup.held_out * (4.0 * steps * channels + min(archive, population) * per_trial),
        }

    def analyse(self, motif: Motif, name: str) -> Analysis:
        return analyse(self.task, motif, *trials_for(self.task, self.setup.seed, self.setup.held_out), name=name)


def _built_in(section) -> type[Task] | None:
    """The class of the task, None for one that does not ship or is over a file."""
    name = section.get("name")
    return BUILT_IN.get(name) if isinstance(name, str) else None
