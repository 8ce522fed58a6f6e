"""`pytest --processor-time N`: which tests and files take most processor time.

It depends less on other work than the time on the clock. Child processes count once they have ended and were waited for: some
of a browser and of Ray never are. With several test processes the tests' own times are added up, what a process takes to start
and to collect is not in them.
"""

import os
from collections import Counter

import pytest


def pytest_addoption(parser):
    help = "show the N files and tests that took most processor time, of child processes too"
    parser.addoption("--processor-time", type=int, metavar="N", help=help)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    item.config.processor_seconds = _processor_seconds()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    now = _processor_seconds()
    report.processor_seconds, item.config.processor_seconds = now - item.config.processor_seconds, now
    return report


def pytest_terminal_summary(terminalreporter, config):
    most = config.getoption("--processor-time")
    if not most:
        return
    tests, files = Counter(), Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if seconds := getattr(report, "processor_seconds", 0):
                tests[f"{report.nodeid} ({report.when})"] += seconds
                files[report.nodeid.partition("::")[0]] += seconds
    terminalreporter.section(f"processor time: {sum(files.values()):.0f} s")
    for counted in (files, tests):
        for name, seconds in counted.most_common(most):
            terminalreporter.line(f"{seconds:8.2f} s  {name}")


def _processor_seconds():
    """Of this process, and of its child processes that have ended."""
    return sum(os.times()[:4])
