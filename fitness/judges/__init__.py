"""Judges, one file each; the [task] section of a spec names one.

[task] name = "itd"              a simulated task, built in or the user's own (`simulated`)
[task] name = "recording"        measured spikes, to be explained by circuits (`recorded`)
[task] name = "learning"         how well networks of copies learn (`learning`)
[task] judge = "mine.py:score"   a function of the user's own (`function`)
[task] judge = "told"            scores computed outside of the run (`external`, `evo.Evolver`)
"""

from pathlib import Path

from circuits.errors import UserError
from fitness.evaluation.objectives import Objective, objective, own_file, own_objective
from fitness.judges.external import External
from fitness.judges.function import Function
from fitness.judges.judge import PUT_OFF, Candidates, Fresh, Judge, Race, Results, Section, Setup, judged
from fitness.judges.learning import LearningJudge
from fitness.judges.recorded import Recorded
from fitness.judges.section import EXTERNAL, JUDGE
from fitness.judges.simulated import Simulated
from fitness.learning.settings import NAME as LEARNING
from fitness.recordings.task import RecordingTask
from fitness.registry import own_part
from fitness.sandbox.code import Code

__all__ = ["PUT_OFF", "Candidates", "Fresh", "Judge", "Race", "Results", "Section", "Setup", "judged", "kind", "make"]

OBJECTIVE = "search.objectives:"  # a kind of the user's own code, in messages
BY_NAME: dict[str, type[Judge]] = {LEARNING: LearningJudge, RecordingTask.name: Recorded}


def kind(section: Section) -> type[Judge]:
    """The class of the judge that a [task] section names."""
    if JUDGE in section:
        return External if section[JUDGE] == EXTERNAL else Function
    name = section.get("name")
    return BY_NAME.get(name, Simulated) if isinstance(name, str) else Simulated


def make(section: Section, setup: Setup, source: Code | None = None, folder: Path = Path()) -> Judge:
    """The judge that a [task] section names. The user's own code is executed, from `source` or else from its file, relative to
    `folder`. Raises UserError."""
    judge, own = kind(section), next(filter(None, map(own_file, setup.objectives)), None)
    if own is not None and not judge.simulates:
        remedy = "; let the judge return this number under a name of its own" if JUDGE in section else ""
        raise UserError(f"search.objectives: {own}: is for simulated tasks{remedy}")
    objectives = {name: _objective(name, setup, source, folder) for name in setup.objectives}
    return judge(section, setup, objectives, source, folder)


def _objective(name, setup, source, folder) -> Objective:
    file = own_file(name)
    if file is None:
        return objective(name)
    return own_objective(name, own_part(file, OBJECTIVE, source, setup.seconds, folder), setup.seconds)
