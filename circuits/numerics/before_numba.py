"""Removes settings with which numba cannot be imported.

Its import fails if NUMBA_NUM_THREADS is below 1, as some batch scripts set it to mean none. This package does not use numba's
threads.
"""

import os
from contextlib import suppress

with suppress(KeyError, ValueError):
    if int(os.environ["NUMBA_NUM_THREADS"]) < 1:
        del os.environ["NUMBA_NUM_THREADS"]
