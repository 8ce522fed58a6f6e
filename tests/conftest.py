"""What all tests share."""

import gc
import signal

import pytest
from hypothesis import settings

from fitness.judges.simulated import Simulated
from tests.in_parallel import one_at_a_time, one_ray, pytest_sessionstart, pytest_xdist_make_scheduler  # noqa: F401
from tests.processor_time import (  # noqa: F401
    pytest_addoption,
    pytest_runtest_makereport,
    pytest_runtest_protocol,
    pytest_terminal_summary,
)
from tests.quick import few_cases, few_examples, pytest_ignore_collect  # noqa: F401

signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background of a script ignores it, its children too
gc.disable()  # until the tests are collected: it took a sixth of the time in which all modules are imported

settings.register_profile("thorough", deadline=None)  # the first example may compile
settings.register_profile("quick", settings.get_profile("thorough"), max_examples=10)
settings.load_profile("quick")


@pytest.fixture(scope="module", autouse=True)
def few_analyses(request):
    """Of a run no circuit is analysed, or as many as a module whose tests look at analyses says: ANALYSED. All of them would
    take more than half the time of a tiny run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulated, "analysed", getattr(request.module, "ANALYSED", 0))
        yield


def pytest_configure(config):
    if config.getoption("numprocesses", None):
        gc.enable()  # in the process that collects nothing
    one_at_a_time(config)
    few_examples(config)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items, config):
    one_ray(items)
    few_cases(items, config)


def pytest_collection_finish():
    """The modules and tests that are there now stay: the collector of garbage need not look at them again and again, which took
    a twentieth of the time of all tests."""
    gc.freeze()  # with what little is garbage: to look for it took longer than to keep it
    gc.set_threshold(5000, 20, 20)
    gc.enable()
