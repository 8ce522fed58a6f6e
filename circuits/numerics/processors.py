"""How many processors there are to use."""

import os


def processors() -> int:
    """Of those that this process may run on, where the system says so (Linux); otherwise all of the machine, at least 1."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1
