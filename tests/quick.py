"""What `make check` leaves out besides the tests marked as long: of a test with many cases it runs a few, spread evenly over
them, of a property it draws fewer examples, and files of long tests alone it does not import, since some import what takes
seconds. `make test` runs all."""

import re
from collections import defaultdict

import pytest
from hypothesis import settings

CASES, EXAMPLES = 2, 5
LONG_FILE = re.compile(r"^pytestmark = pytest\.mark\.(long|slow|oracle)\b", re.MULTILINE)


def pytest_ignore_collect(collection_path, config):
    if is_check(config) and collection_path.suffix == ".py":
        return True if LONG_FILE.search(collection_path.read_text(encoding="utf-8")) else None
    return None


def few_examples(config):
    """Of properties, unless a profile of hypothesis was asked for."""
    if is_check(config) and not config.getoption("--hypothesis-profile", None):
        settings.register_profile("check", settings(), max_examples=EXAMPLES)
        settings.load_profile("check")


def few_cases(items, config):
    """Mark the other cases as long."""
    if not is_check(config):
        return
    cases = defaultdict(list)
    for item in items:
        cases[item.nodeid.partition("[")[0]].append(item)
    for those in cases.values():
        kept = {k * (len(those) - 1) // (CASES - 1) for k in range(CASES)}
        for k, item in enumerate(those):
            if k not in kept:
                item.add_marker(pytest.mark.long)


def is_check(config):
    """Are long tests left out?"""
    return "not long" in config.option.markexpr
