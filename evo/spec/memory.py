"""Memory of the machine, and its handling in a process that searches."""

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
    """Let the process keep freed memory, up to KEPT bytes at the end of its heap, except arrays above LARGE, the maximum of
    glibc: the next generation needs as much. Otherwise glibc returns arrays to the system and gets new ones, page by page and
    filled with zeros, in every generation. Without glibc nothing changes."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_MMAP_THRESHOLD, LARGE)
            mallopt(_TRIM_THRESHOLD, KEPT)


def available() -> int:
    """Bytes that this process can still take: the free memory of the machine, or less where its group (a container, a batch
    job) has a limit. Unlimited where nothing is known."""
    limits = [sys.maxsize]
    with suppress(OSError, ValueError, IndexError):
        limits += [int(line.split()[1]) * 1024 for line in _lines("/proc/meminfo") if line.startswith("MemAvailable:")]
    if len(limits) == 1:
        with suppress(OSError, ValueError, AttributeError):
            limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min(limits + [max(0, limit - used) for limit, used in _groups()])


def _groups():
    """The limit and the usage, without reclaimable page cache, of each control group of this process that has a limit."""
    groups = []
    with suppress(OSError, ValueError):
        for line in _lines("/proc/self/cgroup"):
            _, kinds, group = line.split(":", 2)
            if kinds == "":
                groups.append(("/sys/fs/cgroup", group, "memory.max", "memory.current", "inactive_file"))
            elif "memory" in kinds.split(","):
                names = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
                groups.append(("/sys/fs/cgroup/memory", group, *names))
    for root, group, limit_file, usage_file, cached in groups:
        inside = Path(group.lstrip("/"))
        for path in (inside, *inside.parents):
            with suppress(OSError, ValueError):  # "max": no limit of its own
                folder = Path(root) / path
                limit, used = int((folder / limit_file).read_text()), int((folder / usage_file).read_text())
                free = [int(line.split()[1]) for line in _lines(folder / "memory.stat") if line.startswith(f"{cached} ")]
                yield limit, used - sum(free)


def _lines(path):
    return Path(path).read_text(encoding="ascii", errors="replace").splitlines()


def shown(count: float) -> str:
    """A number of bytes with a unit, for readers."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.0f} TB"
