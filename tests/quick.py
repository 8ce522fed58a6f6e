"""What `make check` leaves out besides the tests marked as long: of a test with many cases it runs a few, spread evenly over
them. `make test` runs all."""

from collections import defaultdict

import pytest

CASES = 4


def few_cases(items, config):
    """Mark the other cases as long."""
    if "not long" not in config.option.markexpr:
        return
    cases = defaultdict(list)
    for item in items:
        cases[item.nodeid.partition("[")[0]].append(item)
    for those in cases.values():
        kept = {k * (len(those) - 1) // (CASES - 1) for k in range(CASES)}
        for k, item in enumerate(those):
            if k not in kept:
                item.add_marker(pytest.mark.long)
