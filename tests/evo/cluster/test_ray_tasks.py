"""Which of a plan's epochs are cancelled at its end."""

import ray

from evo.cluster.tasks import _Driver


def test_epochs_that_wait_for_others_are_cancelled_the_last_first_and_those_under_way_are_not(monkeypatch):
    done, cancelled = {"0.1"}, []
    monkeypatch.setattr(ray, "wait", lambda refs, **_: ([r for r in refs if r in done], [r for r in refs if r not in done]))
    monkeypatch.setattr(ray, "cancel", cancelled.append)
    driver = object.__new__(_Driver)
    epochs = [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)]
    driver.pending = {(island, epoch): (None, None, f"{island}.{epoch}") for island, epoch in epochs}
    driver.cancel()
    assert cancelled == ["0.3", "1.3", "1.2"]
    assert not driver.pending
    driver.cancel()  # nothing is left
    assert len(cancelled) == 3
