import mpmath
import numpy as np
import pytest
from numba import njit

from circuits.numerics.exponential import exp
from circuits.numerics.simd import LANES, load, store
from circuits.simulation import kernel

LIMITS = {np.float32: (-87.0, 88.0), np.float64: (-708.0, 709.0)}
TYPES = pytest.mark.parametrize("real", LIMITS)


@njit
def _exponentials(values):
    for k in range(len(values) // LANES):
        store(values, k * LANES, exp(load(values, k * LANES)))


def ours(x):
    """exp of an array of reals of any length."""
    padded = kernel.aligned(-(-len(x) // LANES) * LANES, x.dtype)
    padded[:] = 0
    padded[: len(x)] = x
    _exponentials(padded)
    return padded[: len(x)]


def errors(x, found):
    """In units in the last place of what is exact."""
    with mpmath.workdps(40):
        exact = [mpmath.exp(mpmath.mpf(float(a))) for a in x]
        nearest = np.array([float(e) for e in exact]).astype(x.dtype)
        off = [float((mpmath.mpf(float(f)) - e) / mpmath.mpf(float(s))) for f, e, s in zip(found, exact, np.spacing(nearest))]  # noqa: B905
    return np.abs(off)


@TYPES
def test_the_error_is_below_one_unit_in_the_last_place(real):
    rng = np.random.default_rng(0)
    low, high = LIMITS[real]
    middle = np.log(2) * (np.arange(-100, 101) + 0.5)  # where the reduced argument is largest
    near = [np.nextafter(middle, way) for way in (-np.inf, np.inf)]
    x = np.concatenate([rng.uniform(low, high, 4000), rng.uniform(-1, 1, 1000), rng.normal(0, 1e-6, 200), middle, *near])
    x = np.clip(x, low, high).astype(real)
    found = errors(x, ours(x))
    assert found.max() < 1
    assert np.mean(found < 0.51) > 0.9, "most are the nearest number"


@TYPES
def test_what_is_beyond_the_limits_is_what_is_at_them_and_a_normal_number(real):
    low, high = LIMITS[real]
    x = np.array([low, -1e6, -np.inf, high, 1e6, np.inf], real)
    found = ours(x)
    assert (found[:3] == found[0]).all()
    assert (found[3:] == found[3]).all()
    assert np.finfo(real).tiny < found[0] < found[3] < np.inf
    assert errors(x[[0, 3]], found[[0, 3]]).max() < 1


@TYPES
def test_exp_of_0_is_1_and_it_never_falls(real):
    assert ours(np.array([0.0, -0.0], real)).tolist() == [1.0, 1.0]
    x = np.sort(np.random.default_rng(1).uniform(-5, 5, 5000).astype(real))
    assert (np.diff(ours(x)) >= -2 * np.spacing(ours(x)[:-1])).all()


@TYPES
def test_every_lane_gives_the_same(real):
    x = np.repeat(np.array([0.3, -7.7, 40.1], real), LANES)
    assert [len(set(lanes)) for lanes in ours(x).reshape(3, LANES).tolist()] == [1, 1, 1]
