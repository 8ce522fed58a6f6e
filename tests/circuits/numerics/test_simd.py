"""Vectors of 64 lanes in machine code."""

import numpy as np
import pytest

from circuits.numerics.compiled import jit
from circuits.numerics.simd import LANES, add_where, aligned, load, store


@jit()
def _accumulate(sums, mask, value):
    store(sums, 0, add_where(mask, load(sums, 0), value))


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_a_sum_in_memory_is_no_masked_store_which_takes_long_on_some_processors(real):
    sums = aligned(LANES, real)
    sums[:] = np.arange(LANES)
    _accumulate(sums, np.uint64(0b1011), real(2))
    assert sums.tolist() == [2, 3, 2, 5, *range(4, LANES)]
    assert not any("maskmov" in code for code in _accumulate.inspect_asm().values())
