"""Judges, one file each; the [task] section of a spec names one.

[task] name = "itd"              a simulated task, built in or the user's own (`simulated`)
[task] name = "learning"         how well networks of copies learn (`learning`)
[task] judge = "mine.py:score"   a function of the user's own (`function`)
[task] judge = "told"            scores computed outside of the run (`external`, `evo.Evolver`)
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from circuits.errors import UserError, one_line
from circuits.simulation.population import Stop
from fitness.base.trials import Interface
from fitness.evaluation.objectives import OBJECTIVES, Objective, objective, own_file, own_objective
from fitness.judges.external import EXTERNAL, External
from fitness.judges.function import Function
from fitness.judges.judge import PUT_OFF, Candidates, Fresh, Judge, Race, Results, judged
from fitness.judges.learning import LearningJudge
from fitness.judges.simulated import Simulated
from fitness.learning.data import Data
from fitness.learning.settings import NAME as LEARNING
from fitness.learning.settings import settings as learning_settings
from fitness.registry import code_and_data, own_part, own_task, shipped_task
from fitness.sandbox.code import Code, is_own

__all__ = ["LEARNING", "PUT_OFF", "TOLD", "Candidates", "Fresh", "Judge", "Race", "Results", "Setup", "judged", "make", "named"]

JUDGE = "judge"  # kinds of the user's own code, in messages
DATA = "data"
OBJECTIVE = "search.objectives:"
Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=1000)]], Field(max_length=10_000)]


class Setup(NamedTuple):
    """Settings of a run's spec that its judge needs.

    objectives  names;   seed;   trials, held_out  numbers of cases in the search, and of fresh ones
    seconds     limit of one call into the user's own code;   stop  the rule of early stopping, by the time step
    """

    objectives: tuple[str, ...]
    seed: int
    trials: int
    held_out: int
    seconds: float
    stop: Callable[[float], Stop]


class Asked(BaseModel):
    """[task] section of a judge that is not a task: the interface of circuits. Other keys are settings of the judge."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)
    judge: str
    inputs: Names = []
    outputs: Annotated[Names, Field(min_length=1)]
    dt_ms: float = Field(0.5, gt=0, le=100)

    @property
    def interface(self) -> Interface:
        """The interface of circuits, without a length of trials."""
        return Interface(self.judge, tuple(self.inputs), tuple(self.outputs), self.dt_ms, 0.0)


def named(section: Mapping[str, Any]) -> str:
    """The task or judge that a [task] section names."""
    return section[JUDGE] if JUDGE in section else section["name"]


def is_simulated(section: Mapping[str, Any]) -> bool:
    """Does a [task] section name a task that is simulated, and no other judge?"""
    return JUDGE not in section and section.get("name") != LEARNING


def asked(section: Mapping[str, Any]) -> Asked:
    """The [task] section of a judge that is not a task, checked. Raises UserError."""
    try:
        settings = Asked.model_validate(dict(section))
    except ValidationError as error:
        raise UserError(f"task.{one_line(error, tuple(Asked.model_fields))}") from None
    for key in ("inputs", "outputs"):
        if len(set(getattr(settings, key))) < len(getattr(settings, key)):
            raise UserError(f"task.{key}: must be different names")
    if not is_own(settings.judge) and settings.judge != EXTERNAL:
        raise UserError(f'task.judge: name the file and the function in it, such as "mine.py:score", not {settings.judge!r}')
    return settings


def make(section: Mapping[str, Any], setup: Setup, source: Code | None = None, folder: Path = Path()) -> Judge:
    """The judge that a [task] section names. The user's own code is executed, from `source` or else from its file, relative to
    `folder`. Raises UserError."""
    objectives = {name: _objective(name, setup, source, folder) for name in setup.objectives}
    if JUDGE not in section:
        make_judge = _simulated if is_simulated(section) else _learning
        return make_judge(section, setup, objectives, source, folder)
    judge = asked(section)
    if (file := next(filter(None, map(own_file, objectives)), None)) is not None:
        raise UserError(
            f"search.objectives: {file}: is for simulated tasks; let the judge return this number under a name of its own"
        )
    if judge.judge == EXTERNAL:
        return External(judge.interface, setup.objectives)
    score = own_part(judge.judge, JUDGE, source, setup.seconds, folder)
    keywords = judge.model_extra or {}
    numbers = setup.seed, setup.trials, setup.held_out, setup.seconds
    return Function(score, judge.judge, judge.interface, objectives, keywords, *numbers)


def _simulated(section, setup, objectives, source, folder):
    settings = dict(section)
    name = settings.pop("name")
    own = is_own(name)
    task = own_task(name, source, setup.seconds, settings, folder) if own else shipped_task(name, source, settings, folder)
    for objective_name in objectives:
        if objective_name not in OBJECTIVES and own_file(objective_name) is None:
            raise UserError(f"search.objectives: {objective_name}: task {name} has no such objective")
    own = own or any(map(own_file, objectives))
    return Simulated(task, objectives, setup.seed, setup.trials, setup.held_out, setup.stop(task.dt_ms), own)


def _learning(section, setup, objectives, source, folder):
    settings = learning_settings(section)
    if (file := next(filter(None, map(own_file, objectives)), None)) is not None:
        raise UserError(f"search.objectives: {file}: is for simulated tasks")
    function = content = None
    if is_own(settings.data):
        function = own_part(settings.data, DATA, source, setup.seconds, folder)
    elif source is not None:
        content = (code_and_data(dict(section), source)[1] or ((None, None),))[0][1]
    counts = settings.examples, settings.judged
    data = Data(settings.data, settings.settings, *counts, setup.seed, function, setup.seconds, content, folder)
    return LearningJudge(settings, data, objectives, setup.seed, setup.trials, setup.held_out)


def _objective(name, setup, source, folder) -> Objective:
    file = own_file(name)
    if file is None:
        return objective(name)
    return own_objective(name, own_part(file, OBJECTIVE, source, setup.seconds, folder), setup.seconds)
