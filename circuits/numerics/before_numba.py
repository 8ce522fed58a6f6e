"""Settings with which numba could not be imported.

It ends its own import where NUMBA_NUM_THREADS is below 1, as some batch scripts set it that mean none. Nothing here uses
numba's threads: such a setting is taken away before.
"""

import os
from contextlib import suppress

with suppress(KeyError, ValueError):
    if int(os.environ["NUMBA_NUM_THREADS"]) < 1:
        del os.environ["NUMBA_NUM_THREADS"]
