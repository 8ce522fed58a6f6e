"""These tests need torch; where it is not installed, they are left out. All begin with one thread and the same seed.

They are long, since torch alone takes seconds to start: where long tests are left out, their files are not imported either.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest


def pytest_ignore_collect(config):
    return True if find_spec("torch") is None or "not long" in config.option.markexpr else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.long)


@pytest.fixture(autouse=True)
def _one_thread():
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)
