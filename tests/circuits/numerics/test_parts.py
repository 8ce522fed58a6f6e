"""Compiled functions that call one another and are called from Python."""

import gc

import numpy as np
import pytest
from numba.core.caching import NullCache

from circuits.numerics.compiled import compiled, compiler


@compiled
def half(x):
    if x < 0:
        raise ValueError("below 0")
    return x / 2


@compiler(part=False)
def twice(x):
    return 2 * x


@compiled
def fourfold(x):
    return twice(twice(x))


@compiled
def quarters(values):
    total = 0.0
    for value in values:
        total += half(half(value))
    return total


def test_a_part_is_compiled_without_machine_code_of_its_own_and_its_function_can_be_called_from_python_too():
    assert quarters(np.array([4.0, 8.0])) == 3
    assert not half.overloads
    assert half(3.0) == 1.5
    assert quarters(np.array([2.0])) == 0.5
    assert quarters(np.array([2], np.int64)) == 0.5  # an integer is halved, then a real


def test_a_function_that_is_no_part_is_compiled_once_whoever_calls_it_first():
    twice._cache = fourfold._cache = NullCache()
    assert fourfold(1.5) == 6
    (before,) = twice.overloads.values()
    assert twice(1.5) == 3
    assert list(twice.overloads.values()) == [before]


def test_an_error_in_a_part_is_raised_in_python():
    with pytest.raises(ValueError, match="below 0"):
        quarters(np.array([1.0, -1.0]))


def test_the_compiler_leaves_the_collection_of_garbage_as_it_was():
    def double(x):
        return 2 * x

    for wanted in (False, True):
        (gc.enable if wanted else gc.disable)()
        try:
            assert compiled(double)(2 + wanted) == 4 + 2 * wanted
            assert gc.isenabled() == wanted
        finally:
            gc.enable()
