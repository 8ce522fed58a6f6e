"""Written files appear whole; pipes and devices are written into, and never replaced."""

import os
import stat
import threading

import pytest

import circuits
from circuits import zoo
from circuits.errors import MachineError, UserError
from circuits.files import is_stream
from circuits.motif_file import dumps, write_whole
from evo.inspect import pictures
from evo.inspect.zoo_picture import sheet


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_a_pipe_is_written_into_and_stays_one(pipe):
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    while True:
        try:
            circuits.save(zoo["gate-3"], pipe)
            break
        except MachineError:  # the reader has not opened it yet
            continue
    reader.join()
    assert read == [dumps(zoo["gate-3"]).encode()]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_pipe_that_nobody_reads_is_an_error_and_no_wait(pipe):
    with pytest.raises(MachineError, match="cannot be written"):
        write_whole(pipe, "x")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_is_written_into_and_stays_one():
    end, terminal = os.openpty()
    try:
        path = os.ttyname(terminal)
        assert is_stream(path)
        write_whole(path, "as it is")
        assert os.read(end, 100) == b"as it is"
        assert stat.S_ISCHR(os.stat(path).st_mode)
    finally:
        os.close(end)
        os.close(terminal)


def test_a_link_in_somebodys_folder_is_replaced_and_not_followed(tmp_path, pipe):
    (tmp_path / "kept").write_text("kept")
    for target in (tmp_path / "kept", pipe):
        link = tmp_path / "report.html"
        link.symlink_to(target)
        write_whole(link, "new")
        assert (link.read_text(), link.is_symlink()) == ("new", False)
        link.unlink()
    assert (tmp_path / "kept").read_text() == "kept"


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(MachineError, match="cannot be written"):
        write_whole(tmp_path, "x")
    assert list(tmp_path.iterdir()) == []


def test_a_picture_is_written_whole_in_the_format_of_its_ending(tmp_path, monkeypatch):
    figure = sheet(zoo, ["onset-2"])
    for ending, start in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        assert pictures.save(figure, tmp_path / "new" / f"a.{ending}").read_bytes().startswith(start)
    for name in ("a", "a.", "a.doc"):
        with pytest.raises(UserError, match=r"cannot be drawn: .*svg"):
            pictures.save(figure, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(MachineError, match="No space left"):
        pictures.save(figure, tmp_path / "b.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
