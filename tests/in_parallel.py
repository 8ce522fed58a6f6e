"""`pytest -n N --dist loadfile`: a test file stays in one process, with its fixtures; so do all tests on the one
Ray, which run one after the other.

A function that numba compiles is compiled by one of the processes, while the others wait for it and read it from the disk.
Every other process imports the test files from the last to the first: on a fresh clone, two processes then rewrite the
assertions of half of the files each.
"""

import importlib
import os
import re
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from numba.core.caching import NullCache
from numba.core.dispatcher import Dispatcher

from tests.quick import is_check

RAY = "on_ray"
LOCKS = "EVO_TEST_LOCKS"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file, _, test = nodeid.partition("::")
            return RAY if test.partition("[")[0] in _on_ray(config.rootpath / file) else file

    return Files(config, log) if config.getvalue("dist") == "loadfile" else None


@cache
def _on_ray(file):
    """The names of the tests in a file that use Ray."""
    return set(re.findall(rf"^def (test_\w+)\([^)]*\b{RAY}\b", file.read_text(encoding="utf-8"), re.MULTILINE))


def one_ray(items):
    """Put the tests on the one Ray behind the others, and mark them as long."""
    for item in items:
        if RAY in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.long)
    items.sort(key=lambda item: RAY in getattr(item, "fixturenames", ()))  # also in one process they run one after the other


def pytest_sessionstart(session):
    config = session.config
    second = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 2
    if not second or is_check(config):  # that one does not import all files
        return
    for place in map(config.rootpath.joinpath, config.args):  # "tests", or some of the folders and files in it
        for file in sorted(place.rglob("test_*.py"), reverse=True):
            with suppress(Exception, pytest.skip.Exception):  # said when it is collected
                importlib.import_module(".".join(file.relative_to(config.rootpath).with_suffix("").parts))


def one_at_a_time(config):
    """Compile each function in one of the processes only."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        if folder := os.environ.get(LOCKS):
            Dispatcher.compile = _one_after_the_other(Dispatcher.compile, Path(folder))
    elif config.getoption("numprocesses", None):
        config.evo_locks = tempfile.TemporaryDirectory()
        os.environ[LOCKS] = config.evo_locks.name


def _one_after_the_other(compiles, folder):
    """`Dispatcher.compile` under a lock for each function, which waits only for those it calls: nobody waits in a circle."""
    try:
        import fcntl
    except ModuleNotFoundError:  # then several compile the same, which costs time only
        return compiles

    def compile(dispatcher, signature):
        function = dispatcher.py_func
        if isinstance(dispatcher._cache, NullCache) or signature in dispatcher.overloads:
            return compiles(dispatcher, signature)
        with open(folder / f"{function.__module__}-{function.__code__.co_firstlineno}", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return compiles(dispatcher, signature)

    return compile
