"""Memory: how much there is, and that of a process that does nothing but search."""

import ctypes
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

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


def available() -> int:
    """Bytes that this process can still take: what the machine has left, or less where its group (a container, a batch job) may
    have less. Where nothing is known, no limit."""
    found = [sys.maxsize]
    with suppress(OSError, ValueError, IndexError):
        found += [int(line.split()[1]) * 1024 for line in _lines("/proc/meminfo") if line.startswith("MemAvailable:")]
    if len(found) == 1:
        with suppress(OSError, ValueError, AttributeError):
            found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min(found + [max(0, most - used) for most, used in _groups()])


def _groups():
    """Of each control group above this process that has a limit: that, and what it takes; its page cache can be given back."""
    groups = []
    with suppress(OSError, ValueError):
        for line in _lines("/proc/self/cgroup"):
            _, kinds, place = line.split(":", 2)
            if kinds == "":
                groups.append(("/sys/fs/cgroup", place, "memory.max", "memory.current", "inactive_file"))
            elif "memory" in kinds.split(","):
                names = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
                groups.append(("/sys/fs/cgroup/memory", place, *names))
    for root, place, most, used, cached in groups:
        inside = Path(place.lstrip("/"))
        for group in (inside, *inside.parents):
            with suppress(OSError, ValueError):  # "max": no limit of its own
                here = Path(root) / group
                limit, taken = int((here / most).read_text()), int((here / used).read_text())
                free = [int(line.split()[1]) for line in _lines(here / "memory.stat") if line.startswith(f"{cached} ")]
                yield limit, taken - sum(free)


def _lines(path):
    return Path(path).read_text(encoding="ascii", errors="replace").splitlines()


def shown(count: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.0f} TB"
