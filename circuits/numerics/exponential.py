"""The exponential function of 64 lanes, with the same bits on every processor (the C library's differ between machines).

exp(x) = 2^k p(r) with k the integer nearest to x / ln 2 and r = x - k ln 2, |r| <= ln(2) / 2 (Cody and Waite's reduction: ln 2
in two parts), p the Taylor polynomial with a remainder below the last bit. The error is below 1 ulp in float32 and float64
(tests/circuits/numerics/test_exponential.py). Arguments are clamped to where the result is a normal number.
"""

from math import factorial, log

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from circuits.numerics.simd import LANES

# By type: integer type, bits of the mantissa, exponent bias, magic number for rounding, ln 2 in two parts, limits, degree.
_FORMATS = {
    types.float32: (ir.IntType(32), 23, 127, 1.5 * 2.0**23, 0.693359375, -2.12194440054690583e-4, -87.0, 88.0, 7),
    types.float64: (
        ir.IntType(64),
        52,
        1023,
        1.5 * 2.0**52,
        6.93147180369123816490e-01,
        1.90821492927058770002e-10,
        -708.0,
        709.0,
        13,
    ),
}


@intrinsic
def exp(typingctx, x):
    """e to the power of x, for every lane."""

    def emit(context, builder, signature, args):
        integer, mantissa_bits, bias, magic, ln2_high, ln2_low, low, high, degree = _FORMATS[x.real]
        integers = ir.VectorType(integer, LANES)

        def number(value):
            return ir.Constant(x.llvm, [ir.Constant(x.llvm.element, value)] * LANES)

        def bits(value):
            return ir.Constant(integers, [ir.Constant(integer, value)] * LANES)

        def fma(a, b, c):
            name = f"llvm.fma.v{LANES}f{integer.width}"
            return builder.call(
                cgutils.get_or_insert_function(builder.module, ir.FunctionType(x.llvm, [x.llvm] * 3), name), (a, b, c)
            )

        def clamp(a, comparison, limit):
            return builder.select(builder.fcmp_ordered(comparison, a, limit), a, limit)

        value = clamp(clamp(args[0], ">", number(low)), "<", number(high))
        shifted = fma(value, number(1 / log(2)), number(magic))
        k = builder.fsub(shifted, number(magic))
        r = fma(k, number(-ln2_low), fma(k, number(-ln2_high), value))
        p = number(1 / factorial(degree))
        for power in range(degree - 1, -1, -1):
            p = fma(p, r, number(1 / factorial(power)))
        exponent = builder.add(builder.fptosi(k, integers), bits(bias))
        return builder.fmul(p, builder.bitcast(builder.shl(exponent, bits(mantissa_bits)), x.llvm))

    return x(x), emit
