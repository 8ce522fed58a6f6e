"""A promise to numba: this array is contiguous. It need not look at strides then, and loops over it become vectors."""

from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic


@intrinsic
def contiguous(typingctx, array):
    """The same array, which must be contiguous though its type does not say so, as a part of a record's field is. Usable only
    inside `@njit` code, which does not check it."""

    def same(context, builder, signature, args):
        return impl_ret_borrowed(context, builder, signature.return_type, args[0])

    return array.copy(layout="C")(array), same
