"""Declaring arrays contiguous to numba, which then ignores strides and vectorises loops."""

from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic


@intrinsic
def contiguous(typingctx, array):
    """The same array with a contiguous type, unchecked; for arrays that are contiguous but not typed so, such as a part of an
    array. Usable only inside `@njit` code."""

    def same(context, builder, signature, args):
        return impl_ret_borrowed(context, builder, signature.return_type, args[0])

    return array.copy(layout="C")(array), same
