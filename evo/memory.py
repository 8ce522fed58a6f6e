"""Memory of a process that does nothing but search."""

import ctypes
import sys
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt, malloc.h
KEPT, LARGE = 512 << 20, 32 << 20  # bytes


@cache
def keep_freed():
    """Let the process keep what it frees, up to KEPT bytes at the end of its heap, but for arrays above LARGE, which is the
    most that glibc allows: the next generation needs as much. Otherwise glibc gives arrays back and gets new ones page by
    page, each filled with zeros first, at every turn. Where there is no glibc nothing changes."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_MMAP_THRESHOLD, LARGE)
            mallopt(_TRIM_THRESHOLD, KEPT)
