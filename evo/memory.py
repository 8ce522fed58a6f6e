"""Memory of a process that does nothing but search."""

import ctypes
import sys
from functools import cache

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of mallopt, malloc.h
KEPT = 1 << 30  # bytes


@cache
def keep_freed():
    """Let the process keep what it frees, up to KEPT bytes: the next generation needs as much. Otherwise glibc gives large
    arrays back and gets new ones page by page, each filled with zeros first, at every turn; with a population of 10,000 that
    takes a twentieth of the time. Where there is no glibc nothing changes."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_TRIM_THRESHOLD, KEPT)
            mallopt(_MMAP_MAX, 0)
