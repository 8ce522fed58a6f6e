"""The base model of the parts of motif files, and their parameters."""

from inspect import cleandoc
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

Id = StrictInt | Annotated[StrictStr, Field(min_length=1)]


class Part(BaseModel):
    """A frozen pydantic model that refuses unknown keys and NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Parameter(NamedTuple):
    """A parameter: its default, its valid range and its description."""

    default: float
    low: float
    high: float
    text: str


def parameter(default: float, low: float, high: float, text: str) -> Any:
    """Declare a field of a part as a parameter."""
    return Field(default, ge=low, le=high, description=text)


def parameters_of(part: type[Part]) -> dict[str, Parameter]:
    """The parameters that a part declares, in order."""
    limits = {name: {type(m).__name__: m for m in field.metadata} for name, field in part.model_fields.items()}
    return {
        name: Parameter(field.default, limits[name]["Ge"].ge, limits[name]["Le"].le, field.description or "")
        for name, field in part.model_fields.items()
        if {"Ge", "Le"} <= set(limits[name])
    }


def prose(docstring: str | None) -> str:
    """A docstring without its numpydoc sections."""
    return cleandoc(docstring or "").partition("\n\nParameters\n---")[0]
