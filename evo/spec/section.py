"""Sections of a spec, and the ranges in them: a `[minimum, maximum]` pair, or a single number that stands for both."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


def _pair(value):
    both = value if isinstance(value, list | tuple) else (value, value)
    return tuple(both) if len(both) == 2 else value


def _ordered(pair):
    if pair[0] > pair[1]:
        raise ValueError(f"the minimum, {pair[0]:g}, is above the maximum, {pair[1]:g}")
    return pair


def within(low, high):
    def check(pair):
        if pair[0] < low or pair[1] > high:
            raise ValueError(f"must stay within {low:g} to {high:g}, not {list(pair)}")
        return pair

    return AfterValidator(check)


IntRange = Annotated[tuple[int, int], BeforeValidator(_pair), AfterValidator(_ordered)]
FloatRange = Annotated[tuple[float, float], BeforeValidator(_pair), AfterValidator(_ordered)]
WeightRange = Annotated[FloatRange, within(1e-6, 100_000)]
Names = Annotated[tuple[str, ...], BeforeValidator(lambda v: tuple(v) if isinstance(v, list) else v)]
