"""The [task] section of a judge that is not a task: it says what circuits have."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from circuits.errors import UserError, one_line
from fitness.base.trials import Interface
from fitness.sandbox.code import is_own

JUDGE = "judge"  # the key with its name, and its kind in messages
EXTERNAL = "told"  # [task] judge = "told"
Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=1000)]], Field(max_length=10_000)]


class JudgeSection(BaseModel):
    """The interface of circuits. Other keys are settings of the judge."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)
    judge: str
    inputs: Names = []
    outputs: Annotated[Names, Field(min_length=1)]
    dt_ms: float = Field(0.5, gt=0, le=100)

    @property
    def interface(self) -> Interface:
        """The interface of circuits, without a length of trials."""
        return Interface(self.judge, tuple(self.inputs), tuple(self.outputs), self.dt_ms, 0.0)


def judge_section(section: Mapping[str, Any]) -> JudgeSection:
    """The section, checked. Raises UserError."""
    try:
        settings = JudgeSection.model_validate(dict(section))
    except ValidationError as error:
        raise UserError(f"task.{one_line(error, tuple(JudgeSection.model_fields))}") from None
    for key in ("inputs", "outputs"):
        if len(set(getattr(settings, key))) < len(getattr(settings, key)):
            raise UserError(f"task.{key}: must be different names")
    if not is_own(settings.judge) and settings.judge != EXTERNAL:
        raise UserError(f'task.judge: name the file and the function in it, such as "mine.py:score", not {settings.judge!r}')
    return settings
