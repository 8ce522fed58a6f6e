"""64-lane vector values for numba: one lane per trial, one bit of a machine word per lane.

LLVM does not vectorise loops over many arrays by itself (it gives up on the alias checks), so the kernel uses vectors
explicitly: a `Vector` is an LLVM `<64 x float>` or `<64 x double>` held in registers, and a mask is an unsigned 64-bit word,
bit b for lane b. LLVM splits both into the processor's registers (AVX-512, AVX2, SSE2); every operation below is lane-wise and
correctly rounded, so the bits do not depend on the processor.

The functions are usable only inside `@njit` code. None checks its index: the kernel's tables are checked when built.
"""

import numpy as np
from llvmlite import binding, ir
from numba import config, types
from numba.core import cgutils
from numba.core.datamodel import models, register_default
from numba.core.errors import TypingError
from numba.extending import intrinsic

LANES = 64

_LLVM_REAL = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}
_WORD = ir.IntType(LANES)
_MASK = ir.VectorType(ir.IntType(1), LANES)


def _has_avx512() -> bool:
    features = getattr(config, "CPU_FEATURES", None)
    features = binding.get_host_cpu_features().flatten() if features is None else features
    return "+avx512f" in features.split(",")


# Does the machine code use AVX-512? A masked add of 64 lanes then takes four instructions instead of thirty or more, and 32
# registers of 16 lanes hold all that the kernel needs of a neuron.
AVX512 = _has_avx512()


def aligned(size: int, real) -> np.ndarray:
    """An array of `size` reals whose address is a multiple of 64 bytes."""
    if size == 0:
        return np.empty(0, real)
    nbytes = size * np.dtype(real).itemsize
    buffer = np.empty(nbytes + 64, "u1")
    start = -buffer.__array_interface__["data"][0] % 64
    return buffer[start : start + nbytes].view(real)


class Vector(types.Type):
    """The numba type of 64 reals (float32 or float64) held as one value."""

    def __init__(self, real):
        self.real = real
        super().__init__(name=f"Vector({real})")

    @property
    def llvm(self):
        return ir.VectorType(_LLVM_REAL[self.real], LANES)


@register_default(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, vector):
        super().__init__(manager, vector, vector.llvm)


def _pointer(context, builder, array_type, array, index):
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [index], inbounds=True)


def _splat(builder, vector, scalar):
    first = builder.insert_element(ir.Constant(vector.llvm, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


def _invalidate(builder):
    """Make LLVM load values from memory again."""
    builder.asm(ir.FunctionType(ir.VoidType(), []), "", "~{memory}", [], True)


@intrinsic
def get(typingctx, array, index):
    """The element `array[index]` of a flat array, without bounds or wrap-around."""

    def emit(context, builder, signature, args):
        return builder.load(_pointer(context, builder, signature.args[0], *args))

    return array.dtype(array, types.intp), emit


@intrinsic
def put(typingctx, array, index, value):
    """`array[index] = value` in a flat array, without bounds or wrap-around."""
    if value != array.dtype:
        raise TypingError(f"cannot put {value} in an array of {array.dtype}")

    def emit(context, builder, signature, args):
        array, index, value = args
        builder.store(value, _pointer(context, builder, signature.args[0], array, index))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), emit


def _loading(aligned, text):
    def operation(typingctx, array, index):
        vector = Vector(array.dtype)

        def emit(context, builder, signature, args):
            pointer = _pointer(context, builder, signature.args[0], *args)
            value = builder.load(builder.bitcast(pointer, vector.llvm.as_pointer()))
            value.align = 64 if aligned else array.dtype.bitwidth // 8
            return value

        return vector(array, types.intp), emit

    operation.__doc__ = text
    return intrinsic(operation)


def _storing(aligned, text):
    """With few registers LLVM would make a masked store of a selection between a sum and what lies there, which takes many
    times as long on processors of AMD; it does not where something may have been written between."""

    def operation(typingctx, array, index, value):
        if value != Vector(array.dtype):
            raise TypingError(f"cannot store {value} in an array of {array.dtype}")

        def emit(context, builder, signature, args):
            pointer = _pointer(context, builder, signature.args[0], *args[:2])
            if aligned and not AVX512:
                _invalidate(builder)
            alignment = 64 if aligned else array.dtype.bitwidth // 8
            builder.store(args[2], builder.bitcast(pointer, args[2].type.as_pointer()), align=alignment)
            return context.get_dummy_value()

        return types.void(array, types.intp, value), emit

    operation.__doc__ = text
    return intrinsic(operation)


load = _loading(True, "The 64 reals at `array[index:index + 64]`; the address must be a multiple of 64 bytes.")
load_unaligned = _loading(False, "As `load`, from any address.")
store = _storing(True, "`array[index:index + 64] = value`; the address must be a multiple of 64 bytes.")
store_unaligned = _storing(False, "As `store`, at any address.")


@intrinsic
def reload(typingctx, value, array, index):
    """The vector `value`, which also lies at `array[index:index + 64]`. With few registers it is loaded again: LLVM by itself
    keeps it in registers, and moves everything else to the stack and back meanwhile."""

    def emit(context, builder, signature, args):
        value, array, index = args
        if AVX512:
            return value
        _invalidate(builder)
        pointer = _pointer(context, builder, signature.args[1], array, index)
        vector = builder.load(builder.bitcast(pointer, value.type.as_pointer()))
        vector.align = 64
        return vector

    return value(value, array, types.intp), emit


@intrinsic
def splat(typingctx, scalar):
    """The vector with `scalar` in every lane."""
    vector = Vector(scalar)

    def emit(context, builder, signature, args):
        return _splat(builder, vector, args[0])

    return vector(scalar), emit


@intrinsic
def fma(typingctx, a, b, c):
    """`a * b + c`, rounded once."""

    def emit(context, builder, signature, args):
        name = f"llvm.fma.v{LANES}f{32 if a.real == types.float32 else 64}"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(a.llvm, [a.llvm] * 3), name)
        return builder.call(function, args)

    return a(a, b, c), emit


def _arithmetic(name, symbol):
    def operation(typingctx, a, b):
        def emit(context, builder, signature, args):
            return getattr(builder, name)(*args)

        return a(a, b), emit

    operation.__doc__ = f"`a {symbol} b`."
    return intrinsic(operation)


@intrinsic
def sqrt(typingctx, a):
    """The square root of every lane."""

    def emit(context, builder, signature, args):
        name = f"llvm.sqrt.v{LANES}f{32 if a.real == types.float32 else 64}"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(a.llvm, [a.llvm]), name)
        return builder.call(function, args)

    return a(a), emit


add, sub, mul, div = (_arithmetic(*names) for names in (("fadd", "+"), ("fsub", "-"), ("fmul", "*"), ("fdiv", "/")))


@intrinsic
def like(typingctx, a, constant):
    """The vector of a's type with the number `constant`, rounded to it, in every lane."""

    def emit(context, builder, signature, args):
        number = context.cast(builder, args[1], signature.args[1], a.real)
        return _splat(builder, a, number)

    return a(a, constant), emit


@intrinsic
def add_where(typingctx, mask, a, scalar):
    """`a + scalar` in the lanes of the mask, `a` in the others."""

    def emit(context, builder, signature, args):
        mask, a_value, scalar = args
        total = builder.fadd(a_value, _splat(builder, a, scalar))
        return builder.select(builder.bitcast(mask, _MASK), total, a_value)

    return a(types.uint64, a, a.real), emit


@intrinsic
def select(typingctx, mask, a, b):
    """`a` in the lanes of the mask, `b` in the others."""

    def emit(context, builder, signature, args):
        mask, a_value, b_value = args
        return builder.select(builder.bitcast(mask, _MASK), a_value, b_value)

    return a(types.uint64, a, b), emit


@intrinsic
def at_least(typingctx, a, b):
    """The mask of lanes with `a >= b` (false for NaN)."""

    def emit(context, builder, signature, args):
        return builder.bitcast(builder.fcmp_ordered(">=", *args), _WORD)

    return types.uint64(a, b), emit


def _selection(comparison, which):
    def operation(typingctx, a, b):
        def emit(context, builder, signature, args):
            return builder.select(builder.fcmp_ordered(comparison, *args), *args)

        return a(a, b), emit

    operation.__doc__ = f"The {which} of `a` and `b`; b where either is NaN."
    return intrinsic(operation)


minimum, maximum = _selection("<", "smaller"), _selection(">", "larger")


@intrinsic
def widen(typingctx, a, array):
    """A float32 vector as one of the type of the elements of `array`."""
    vector = Vector(array.dtype)

    def emit(context, builder, signature, args):
        return args[0] if a == vector else builder.fpext(args[0], vector.llvm)

    return vector(a, array), emit


@intrinsic
def total(typingctx, a):
    """The sum of all lanes, in a fixed order: the upper half is added to the lower until one lane is left."""

    def emit(context, builder, signature, args):
        value, width = args[0], LANES
        while width > 1:
            width //= 2
            halves = [
                builder.shuffle_vector(value, value, ir.Constant(ir.VectorType(ir.IntType(32), width), list(lanes)))
                for lanes in (range(width), range(width, 2 * width))
            ]
            value = builder.fadd(*halves)
        return builder.extract_element(value, ir.Constant(ir.IntType(32), 0))

    return a.real(a), emit
