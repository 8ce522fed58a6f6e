"""exp, expm1, log and normal random numbers with the same bits on every machine.

numpy's differ in the last bit between processors (AVX-512 has code of its own), and so do the C library's. These use only
operations that IEEE 754 rounds correctly: + - * /, rint, ldexp, frexp. Arrays broadcast; float64; relative error below 1e-15.
"""

from math import factorial, ldexp

import numpy as np

from circuits.numerics.compiled import compiled

# ln 2 in two parts; the first times an integer below 2^20 is exact (Cody and Waite).
_LN2, _LN2_HIGH, _LN2_LOW = 0.6931471805599453, 6.93147180369123816490e-01, 1.90821492927058770002e-10


_EXP = np.array([1 / factorial(n) for n in range(14)])
_EXPM1 = np.array([1 / factorial(n) for n in range(1, 19)])


def exp(x):
    """e to the power of x."""
    x = np.asarray(x, "f8")
    return _exp_all(x.ravel()).reshape(x.shape)


def exp_uncompiled(x):
    """`exp` of |x| < 700, the same bits, without machine code: for tables that are made when a module is imported."""
    k = np.rint(x * (1 / _LN2))
    return np.ldexp(_polynomial((x - k * _LN2_HIGH) - k * _LN2_LOW, _EXP), k.astype("i4"))


def expm1(x):
    """e to the power of x, less 1; exact for small x."""
    x = np.asarray(x, "f8")
    return _expm1_all(x.ravel()).reshape(x.shape)


@compiled
def _exp_all(x):
    values = np.empty(len(x))
    for k in range(len(x)):
        values[k] = _exp(x[k])
    return values


@compiled
def _expm1_all(x):
    values = np.empty(len(x))
    for k in range(len(x)):
        values[k] = x[k] * _horner(x[k], _EXPM1) if abs(x[k]) < 0.4 else _exp(x[k]) - 1
    return values


@compiled
def _exp(x):
    if not abs(x) < 4000:
        return x if x != x else (np.inf if x > 0 else 0.0)
    k = np.rint(x * (1 / _LN2))
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    return ldexp(_horner(r, _EXP), np.int32(k))


@compiled
def _horner(x, coefficients):
    """Horner's rule, the constant first."""
    value = coefficients[-1]
    for k in range(len(coefficients) - 2, -1, -1):
        value = value * x + coefficients[k]
    return value


def log(x):
    """The natural logarithm of x > 0: with x = m 2^e, e ln 2 + 2 artanh((m - 1) / (m + 1))."""
    m, e = np.frexp(np.asarray(x, "f8"))
    low = m < 0.5**0.5
    m, e = np.where(low, 2 * m, m), np.where(low, e - 1, e)
    s = (m - 1) / (m + 1)
    return e * _LN2_HIGH + (s * _polynomial(s * s, [2 / n for n in range(1, 28, 2)]) + e * _LN2_LOW)


def normal(rng: np.random.Generator, count: int) -> np.ndarray:
    """`count` standard normal numbers from the generator's uniform ones (Marsaglia's polar method)."""
    numbers = np.empty(0)
    while len(numbers) < count:
        x, y = 2 * rng.random((2, count)) - 1
        square = x * x + y * y
        inside = (square > 0) & (square < 1)
        x, y, square = x[inside], y[inside], square[inside]
        length = np.sqrt(-2 * log(square) / square)
        numbers = np.concatenate([numbers, x * length, y * length])
    return numbers[:count]


def _polynomial(x, coefficients):
    """Horner's rule, the constant first."""
    value = np.full(x.shape, coefficients[-1])
    for c in coefficients[-2::-1]:
        value = value * x + c
    return value
