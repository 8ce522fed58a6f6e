"""The search from end to end: its speed and where the time goes, beside others' searches, its memory: make bench-search

`make rivals` installs what it is timed against; those that are absent are skipped by name.
"""

from tests.bench import memory, nsga2, search_rivals, throughput


def main():
    throughput.main()
    search_rivals.main()
    nsga2.main()
    memory.main()


if __name__ == "__main__":
    main()
