import os

from circuits.numerics.processors import processors


def test_the_processors_are_those_the_process_may_use_and_all_where_the_system_does_not_say(monkeypatch):
    if hasattr(os, "sched_getaffinity"):
        assert processors() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert processors() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert processors() == 1
