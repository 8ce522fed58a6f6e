"""The number of usable processors."""

import os


def processors() -> int:
    """The number of processors that this process may run on (Linux), or of the machine; at least 1."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1
