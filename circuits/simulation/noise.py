"""Random numbers that depend only on (seed, trial, neuron, step): Gaussian for membrane noise, and uniform.

Counter-based (Salmon et al., SC 2011, "Parallel random numbers: as easy as 1, 2, 3"): Threefry-2x32 with 20 rounds hashes the
counter (trial, step) with the key (seed, seed xor neuron / 2) to two words, which Box and Muller's formula maps to two numbers,
for an even neuron and the next odd one. So the bits do not depend on lanes, blocks, threads or workers, and nothing has to be
stored. Computed in float32 whatever the precision of the simulation, so that float32 and float64 have the same noise. The tails
end at 5.77.
"""

from math import factorial, pi
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from circuits.numerics.simd import LANES, Vector

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA
_WORD = ir.IntType(32)
_WORDS = ir.VectorType(_WORD, LANES)
_REALS = Vector(types.float32).llvm


class Noise(NamedTuple):
    """The key of a stream: two words made from a seed."""

    low: int
    high: int

    @classmethod
    def of(cls, seed) -> "Noise":
        low, high = np.random.SeedSequence(seed).generate_state(2)
        return cls(int(low), int(high))


@intrinsic
def gaussian_pair(typingctx, low, high, trial, pair, step):
    """Two float32 vectors of standard normal numbers, lane k for trial `trial + k`, by the lowest 32 bits of the arguments."""

    def emit(context, builder, signature, args):
        first, second = _words_at(builder, args)
        radius = _radius(builder, first)
        sine, cosine = _sine(builder, second), _sine(builder, builder.add(second, _words(0x40000000)))
        return context.make_tuple(builder, signature.return_type, [builder.fmul(radius, sine), builder.fmul(radius, cosine)])

    vector = Vector(types.float32)
    return types.UniTuple(vector, 2)(low, high, trial, pair, step), emit


@intrinsic
def uniform_pair(typingctx, low, high, trial, pair, step):
    """Two float32 vectors of uniform numbers from [0, 1), multiples of 2^-24."""

    def emit(context, builder, signature, args):
        words = _words_at(builder, args)
        upper = (builder.sitofp(builder.lshr(word, _words(8)), _REALS) for word in words)
        return context.make_tuple(builder, signature.return_type, [builder.fmul(u, _reals(2.0**-24)) for u in upper])

    return types.UniTuple(Vector(types.float32), 2)(low, high, trial, pair, step), emit


def _words_at(builder, args):
    """The two words of (low, high, trial, pair, step) in 64 lanes."""
    low, high, trial, pair, step = (builder.trunc(a, _WORD) if a.type.width > 32 else a for a in args)
    lanes = builder.add(_spread(builder, trial), ir.Constant(_WORDS, list(range(LANES))))
    key = [_spread(builder, low), _spread(builder, builder.xor(high, pair))]
    return _threefry(builder, key, [lanes, _spread(builder, step)])


def _spread(builder, scalar):
    first = builder.insert_element(ir.Constant(_WORDS, ir.Undefined), scalar, ir.Constant(_WORD, 0))
    return builder.shuffle_vector(first, first, ir.Constant(_WORDS, [0] * LANES))


def _words(value):
    return ir.Constant(_WORDS, [ir.Constant(_WORD, value)] * LANES)


def _reals(value):
    return ir.Constant(_REALS, [ir.Constant(ir.FloatType(), float(np.float32(value)))] * LANES)


def _threefry(builder, key, counter):
    keys = [*key, builder.xor(builder.xor(*key), _words(_PARITY))]
    a, b = builder.add(counter[0], keys[0]), builder.add(counter[1], keys[1])
    for group in range(5):
        for turn in _ROTATIONS[group % 2]:
            a = builder.add(a, b)
            b = builder.or_(builder.shl(b, _words(turn)), builder.lshr(b, _words(32 - turn)))
            b = builder.xor(b, a)
        a = builder.add(a, keys[(group + 1) % 3])
        b = builder.add(builder.add(b, keys[(group + 2) % 3]), _words(group + 1))
    return a, b


def _radius(builder, word):
    """sqrt(-2 ln u) for u = (the upper 23 bits + 1/2) / 2^23."""
    u = builder.uitofp(builder.lshr(word, _words(9)), _REALS)
    u = builder.fmul(builder.fadd(u, _reals(0.5)), _reals(2.0**-23))
    return _call(builder, "llvm.sqrt", builder.fmul(_reals(-2.0), _logarithm(builder, u)))


def _logarithm(builder, u):
    """ln u = e ln 2 + 2 artanh(s), s = (m - 1) / (m + 1), with u = m 2^e and m in [sqrt(1/2), sqrt(2))."""
    bits = builder.bitcast(u, _WORDS)
    # Subtracting the bits of sqrt(1/2) puts the border between exponents there.
    offset = builder.sub(bits, _words(0x3F3504F3))
    exponent = builder.sitofp(builder.ashr(offset, _words(23)), _REALS)
    mantissa = builder.add(builder.and_(offset, _words(0x007FFFFF)), _words(0x3F3504F3))
    m = builder.bitcast(mantissa, _REALS)
    s = builder.fdiv(builder.fsub(m, _reals(1.0)), builder.fadd(m, _reals(1.0)))
    square = builder.fmul(s, s)
    series = _polynomial(builder, square, [2 / 9, 2 / 7, 2 / 5, 2 / 3, 2.0])
    return _call(builder, "llvm.fma", exponent, _reals(0.6931471805599453), builder.fmul(s, series))


def _sine(builder, word):
    """sin(2 pi t) for t = the word as a signed number / 2^32, folded to a quarter turn."""
    signed_top = builder.ashr(word, _words(30))  # the upper two bits: 0 and -1 within a quarter turn, 1 and -2 beyond
    beyond = builder.icmp_signed("==", builder.and_(builder.add(signed_top, _words(1)), _words(2)), _words(2))
    folded = builder.select(beyond, builder.sub(_words(0x80000000), word), word)
    z = builder.fmul(builder.sitofp(folded, _REALS), _reals(2 * pi / 2**32))
    square = builder.fmul(z, z)
    series = _polynomial(builder, square, [(-1) ** k / factorial(2 * k + 1) for k in range(5, -1, -1)])
    return builder.fmul(z, series)


def _polynomial(builder, x, coefficients):
    value = _reals(coefficients[0])
    for c in coefficients[1:]:
        value = _call(builder, "llvm.fma", value, x, _reals(c))
    return value


def _call(builder, name, *args):
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_REALS, [_REALS] * len(args)), f"{name}.v{LANES}f32"
    )
    return builder.call(function, args)
