"""Judges: whoever says how good circuits are. One file each; the [task] section of a spec names one.

[task] name = "itd"              a simulated task, one that ships or the user's own (`simulated`)
[task] name = "learning"         how well networks of copies learn (`learning`)
[task] judge = "mine.py:score"   a function of the user's own (`function`)
[task] judge = "told"            scores told from outside (`told`, `evo.Evolver`)
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from circuits.errors import UserError, one_line
from circuits.simulation.population import Stop
from fitness.evaluation.objectives import OBJECTIVES, Objective, objective, own_file, own_objective
from fitness.judges.function import Function
from fitness.judges.judge import PUT_OFF, Candidates, Fresh, Judge, Race, Results, judged
from fitness.judges.learning import LearningJudge
from fitness.judges.simulated import Simulated
from fitness.judges.told import TOLD, Told
from fitness.learning.data import Data
from fitness.learning.settings import NAME as LEARNING
from fitness.learning.settings import settings as learning_settings
from fitness.registry import apart, own_part, own_task, shipped_task
from fitness.sandbox.code import Code, is_own
from fitness.trials import Interface

__all__ = ["LEARNING", "PUT_OFF", "TOLD", "Candidates", "Fresh", "Judge", "Race", "Results", "Setup", "judged", "make", "named"]

JUDGE = "judge"  # what a user's own one is in messages
DATA = "data"  # and what a network learns from
OBJECTIVE = "search.objectives:"
Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=1000)]], Field(max_length=10_000)]


class Setup(NamedTuple):
    """Settings of a run's spec that its judge needs.

    objectives  names;   seed;   trials, held_out  numbers of cases in the search, and of fresh ones
    seconds     most that one call into code of the user's own may take;   stop  when circuits are hopeless, by the time step
    """

    objectives: tuple[str, ...]
    seed: int
    trials: int
    held_out: int
    seconds: float
    stop: Callable[[float], Stop]


class Asked(BaseModel):
    """[task] of a judge that is no task: what circuits must have. Other keys are settings of the judge."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)
    judge: str
    inputs: Names = []
    outputs: Annotated[Names, Field(min_length=1)]
    dt_ms: float = Field(0.5, gt=0, le=100)

    @property
    def interface(self) -> Interface:
        """Without a length of trials: there are none."""
        return Interface(self.judge, tuple(self.inputs), tuple(self.outputs), self.dt_ms, 0.0)


def named(section: Mapping[str, Any]) -> str:
    """The task or judge that a [task] section names."""
    return section[JUDGE] if JUDGE in section else section["name"]


def is_simulated(section: Mapping[str, Any]) -> bool:
    """Does a [task] section name a task that is simulated, and no other judge?"""
    return JUDGE not in section and section.get("name") != LEARNING


def asked(section: Mapping[str, Any]) -> Asked:
    """The section of a judge that is no task, checked. Raises UserError."""
    try:
        found = Asked.model_validate(dict(section))
    except ValidationError as error:
        raise UserError(f"task.{one_line(error, tuple(Asked.model_fields))}") from None
    for what in ("inputs", "outputs"):
        if len(set(getattr(found, what))) < len(getattr(found, what)):
            raise UserError(f"task.{what}: must be different names")
    if not is_own(found.judge) and found.judge != TOLD:
        raise UserError(f'task.judge: name the file and the function in it, such as "mine.py:score", not {found.judge!r}')
    return found


def make(section: Mapping[str, Any], setup: Setup, source: Code | None = None, folder: Path = Path()) -> Judge:
    """The judge that a [task] section names. Code of the user's own is executed: from `source`, or from where it lies, sought
    from `folder`. Raises UserError."""
    objectives = {name: _objective(name, setup, source, folder) for name in setup.objectives}
    if not is_simulated(section) and JUDGE not in section:
        return _learning(section, setup, objectives, source, folder)
    if JUDGE not in section:
        settings = dict(section)
        name = settings.pop("name")
        its = (
            own_task(name, source, setup.seconds, settings, folder)
            if is_own(name)
            else shipped_task(name, source, settings, folder)
        )
        for one in objectives:
            if one not in OBJECTIVES and own_file(one) is None:
                raise UserError(f"search.objectives: {one}: task {name} says nothing under that name")
        own = is_own(name) or any(map(own_file, objectives))
        return Simulated(its, objectives, setup.seed, setup.trials, setup.held_out, setup.stop(its.dt_ms), own)
    found = asked(section)
    if (file := next(filter(None, map(own_file, objectives)), None)) is not None:
        raise UserError(
            f"search.objectives: {file}: is for tasks that are simulated; let the judge say it by a name of its own"
        )
    if found.judge == TOLD:
        return Told(found.interface, setup.objectives)
    score = own_part(found.judge, JUDGE, source, setup.seconds, folder)
    settings = found.model_extra or {}
    numbers = setup.seed, setup.trials, setup.held_out, setup.seconds
    return Function(score, found.judge, found.interface, objectives, settings, *numbers)


def _learning(section, setup, objectives, source, folder):
    settings = learning_settings(section)
    if (file := next(filter(None, map(own_file, objectives)), None)) is not None:
        raise UserError(f"search.objectives: {file}: is for tasks that are simulated")
    function = content = None
    if is_own(settings.data):
        function = own_part(settings.data, DATA, source, setup.seconds, folder)
    elif source is not None:
        content = (apart(dict(section), source)[1] or ((None, None),))[0][1]
    counts = settings.examples, settings.judged
    data = Data(settings.data, settings.settings, *counts, setup.seed, function, setup.seconds, content, folder)
    return LearningJudge(settings, data, objectives, setup.seed, setup.trials, setup.held_out)


def _objective(name, setup, source, folder) -> Objective:
    file = own_file(name)
    if file is None:
        return objective(name)
    return own_objective(name, own_part(file, OBJECTIVE, source, setup.seconds, folder), setup.seconds)
