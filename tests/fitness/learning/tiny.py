"""Trainings small enough for a test."""

from typing import Any

from evo.spec.run_spec import RunSpec
from fitness.judges.learning import LearningJudge

TASK: dict[str, Any] = {
    "name": "learning",
    "data": "flip-flop",
    "settings": {"bits": 1, "fibres": 2, "steps": 80, "hold_ms": [40, 60]},
    "parameters": 60,
    "steps": 4,
    "batch": 4,
    "examples": 16,
    "judged": 8,
    "looks": 2,
    "rungs": 2,
}
CIRCUIT = {"neurons": [1, 3], "in_degree": 3, "delay_ms": [1.0, 5.0], "parameters": {"tau_m_ms": [5.0, 20.0]}}
SEARCH = {"seed": 1, "generations": 2, "islands": 1, "population": 4, "epoch": 1, "held_out": 1}


def spec(search: dict[str, Any] = {}, **task) -> RunSpec:  # noqa: B006 - not changed
    """A spec by learning; further keys are of [task]."""
    return RunSpec.model_validate({"task": TASK | task, "circuit": CIRCUIT, "search": SEARCH | search})


def judge(search: dict[str, Any] = {}, **task) -> LearningJudge:  # noqa: B006
    found = spec(search, **task).make_judge()
    assert isinstance(found, LearningJudge)
    return found


def candidates(count: int):
    """Random circuits."""
    found = spec()
    return found.founders(found.make_judge().interface, count)
