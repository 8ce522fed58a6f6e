"""One process alone goes on with a run, also where the file system has no flock."""

import errno
import fcntl
import multiprocessing
import os
import sys

import pytest

from circuits.errors import MachineError
from evo.storage import lock

NONE = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF, errno.EINVAL)


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "run.toml"
    found.write_text("x = 1\n", encoding="utf-8")
    return found


@pytest.fixture(params=["flock", *map(errno.errorcode.get, NONE), "no fcntl"])
def locks(request, monkeypatch):
    """flock as it is, or as it answers where there is none."""
    if request.param == "no fcntl":
        monkeypatch.setattr(lock, "fcntl", None)
    elif request.param != "flock":
        refused = OSError(getattr(errno, request.param), os.strerror(getattr(errno, request.param)))
        monkeypatch.setattr(fcntl, "flock", lambda *_: (_ for _ in ()).throw(refused))
    return request.param


def test_a_free_file_is_not_held_and_a_locked_one_is(path, locks):
    assert not lock.is_held(path)
    with lock.alone(path):
        assert lock.is_held(path)
        assert lock.is_held(path)  # to ask takes nothing away
        with pytest.raises(lock.HeldError), lock.alone(path, patience_s=0):
            pass
        assert lock.is_held(path)
    assert not lock.is_held(path)
    with lock.alone(path, patience_s=0):
        pass


def test_the_lock_goes_with_the_process_however_it_ends(path, locks):
    fork = multiprocessing.get_context("fork")
    ready, answer = fork.Pipe(duplex=False)

    def hold():
        with lock.alone(path):
            answer.send(True)
            os.read(os.pipe()[0], 1)

    child = fork.Process(target=hold, daemon=True)
    child.start()
    assert ready.recv()
    assert lock.is_held(path)
    child.kill()
    child.join()
    assert not lock.is_held(path)
    with lock.alone(path, patience_s=0):
        pass


def test_a_file_that_was_replaced_is_locked_anew(path, locks):
    with lock.alone(path):
        other = path.with_name("other")
        other.write_text("x = 2\n", encoding="utf-8")
        os.replace(other, path)
    with lock.alone(path, patience_s=0):
        assert lock.is_held(path)


def test_where_nothing_can_be_locked_one_line_says_so_and_no_run_is_called_running(path, monkeypatch):
    monkeypatch.setattr(lock, "fcntl", None)
    path.with_name("run.toml.lock").write_bytes(b"no database" * 100)
    assert not lock.is_held(path)
    with pytest.raises(MachineError, match="no file can be locked there") as caught, lock.alone(path):
        pass
    assert "\n" not in str(caught.value)


def test_waiting_for_a_lock_that_cannot_be_made_does_not_wait(path, locks, tmp_path):
    for place in (tmp_path / "lock", tmp_path / "nowhere" / "lock"):
        with lock.patiently(place):
            pass


def test_without_fcntl_the_lock_can_be_imported(monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.delitem(sys.modules, "evo.storage.lock")
    monkeypatch.setattr("evo.storage.lock", lock)  # afterwards it is again what it was
    import evo.storage.lock as fresh

    assert fresh.fcntl is None
