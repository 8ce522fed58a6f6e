"""The search from end to end: its speed and where the time goes, beside others' searches, its memory: make bench-search

`make rivals` installs what it is timed against; those that are absent are skipped by name.
"""

import os

from tests.bench import memory, nsga2, search_rivals, throughput


def main():
    os.environ.setdefault("RAY_worker_niceness", "0")  # else workers wait for whatever else runs, and rivals do not
    throughput.main()
    search_rivals.main()
    nsga2.main()
    memory.main()


if __name__ == "__main__":
    main()
