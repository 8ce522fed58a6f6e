"""exp, expm1 and log with the same bits on every machine.

numpy's differ in the last bit between processors (with AVX-512 it takes other code), and so do the C library's. These are
made of what IEEE 754 rounds correctly: + - * /, rint, ldexp, frexp. Arrays broadcast; float64; relative error below 1e-15.
"""

from math import factorial

import numpy as np

# ln 2 in two parts, of which the first times a whole number below 2^20 is exact (Cody and Waite).
_LN2, _LN2_HIGH, _LN2_LOW = 0.6931471805599453, 6.93147180369123816490e-01, 1.90821492927058770002e-10


def exp(x):
    """e to the power of x."""
    x = np.asarray(x, "f8")
    k = np.rint(x * (1 / _LN2))
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    return np.ldexp(_polynomial(r, [1 / factorial(n) for n in range(14)]), np.clip(k, -5000, 5000).astype("i4"))


def expm1(x):
    """e to the power of x, less 1; exact for small x."""
    x = np.asarray(x, "f8")
    small = np.abs(x) < 0.4
    r = np.where(small, x, 0.0)
    return np.where(small, r * _polynomial(r, [1 / factorial(n) for n in range(1, 19)]), exp(x) - 1)


def log(x):
    """The natural logarithm of x > 0: with x = m 2^e, e ln 2 + 2 artanh((m - 1) / (m + 1))."""
    m, e = np.frexp(np.asarray(x, "f8"))
    low = m < 0.5**0.5
    m, e = np.where(low, 2 * m, m), np.where(low, e - 1, e)
    s = (m - 1) / (m + 1)
    return e * _LN2_HIGH + (s * _polynomial(s * s, [2 / n for n in range(1, 28, 2)]) + e * _LN2_LOW)


def _polynomial(x, coefficients):
    """Horner's rule, the constant first."""
    found = np.full(x.shape, coefficients[-1])
    for c in coefficients[-2::-1]:
        found = found * x + c
    return found
