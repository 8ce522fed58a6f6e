"""The code of a task of the user's own: what belongs to it, where it is kept, and that it is compared before it is executed."""

import json
import os
import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest

import evo
import fitness
from evo.spec.run_spec import read
from evo.studies.prune import prune
from tests.evo.tiny import OWN_TASK, SPEC, one_line_of, own_task_spec, spec_file, stops_after

TINY = {"generations": 1, "epoch": 1, "islands": 1, "population": 4}
BESIDE = OWN_TASK.replace("import fitness\n", "import fitness\nfrom helper import GAP\n").replace("10.0", "GAP")


def package_spec(folder, name, **files):
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    text = SPEC.replace('name = "gate"\nvolleys = 1', f'name = "{name}"').replace("[0.5, 10.0]", "[1.0, 20.0]")
    return spec_file(folder, text, **TINY)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    evo.run(own_task_spec(folder, **TINY), folder / "run", workers=0)
    return folder / "run"


@pytest.fixture
def copy(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "copy")


# -- what belongs to it


def test_what_a_task_imports_and_reads_beside_it_is_kept_with_the_run_which_goes_on_without_them(tmp_path):
    code = BESIDE.replace(
        "labels = np.arange(count) % 2",
        "from pathlib import Path\n"
        "        labels = np.load(Path(__file__).parent / 'data' / 'labels.npy')[np.arange(count) % 2]",
    )
    path = own_task_spec(tmp_path, code, generations=2, islands=1, epoch=1)
    (tmp_path / "helper.py").write_text("from constants import TEN\nGAP = float(TEN)\n")
    (tmp_path / "constants.py").write_text("TEN = 10\n")
    (tmp_path / "unused.py").write_text("1 / 0\n")
    (tmp_path / "data").mkdir()
    np.save(tmp_path / "data" / "labels.npy", np.array([0, 1]))
    run = evo.run(path, tmp_path / "run", workers=0)
    inside = sorted(str(file.relative_to(run.folder)) for file in (run.folder / "task").rglob("*") if file.is_file())
    assert inside == ["task/agree.py", "task/constants.py", "task/data/labels.npy", "task/helper.py"]
    assert run.spec.task["name"] == "task/agree.py:Agree"
    with pytest.raises(KeyboardInterrupt):
        evo.run(path, tmp_path / "stopped", workers=0, observe=stops_after(1))
    for name in ("agree.py", "helper.py", "constants.py"):
        (tmp_path / name).unlink()
    shutil.rmtree(tmp_path / "data")
    assert evo.resume(tmp_path / "stopped", workers=0).archive_sha256 == run.archive_sha256
    again = evo.run(run.folder / "run.toml", tmp_path / "again", workers=0)
    assert (again.archive_sha256, again.spec_sha256) == (run.archive_sha256, run.spec_sha256)
    (tmp_path / "stopped" / "task" / "data" / "labels.npy").write_bytes(b"other")
    message = one_line_of(lambda: evo.resume(tmp_path / "stopped", workers=0))
    assert "task/data/labels.npy: was changed since the run began" in message


@pytest.mark.parametrize("name", ["mytask:Agree", "mytask/inner/trials.py:Agree", "mytask/:Agree"])
def test_a_package_is_taken_whole_and_may_import_by_dots_and_by_its_own_name(tmp_path, name):
    inner = OWN_TASK.replace(
        "import fitness\n",
        "import fitness\nfrom ..helper import GAP\nimport mytask.helper\nfrom mytask import helper\n"
        "assert helper is mytask.helper and helper.GAP == GAP\n",
    ).replace("10.0", "GAP")
    path = package_spec(
        tmp_path,
        name,
        **{
            "mytask/__init__.py": "from .inner.trials import Agree\n",
            "mytask/helper.py": "GAP = 10.0\n",
            "mytask/inner/__init__.py": "",
            "mytask/inner/trials.py": inner,
            "mytask/data.bin": b"\0\1",
            "mytask/.hidden": "",
            "mytask/__pycache__/old.pyc": "",
        },
    )
    run = evo.run(path, tmp_path / "run", workers=0)
    inside = sorted(str(f.relative_to(run.folder / "task")) for f in (run.folder / "task").rglob("*") if f.is_file())
    package = ["__init__.py", "data.bin", "helper.py", "inner/__init__.py", "inner/trials.py"]
    assert inside == [f"mytask/{file}" for file in package]
    assert evo.resume(run.folder, workers=0, generations=2).generation == 2


def test_two_versions_of_a_helper_in_one_process_do_not_mix(tmp_path):
    found = []
    for gap in (5, 10):
        folder = tmp_path / str(gap)
        folder.mkdir()
        path = own_task_spec(folder, BESIDE, **TINY)
        (folder / "helper.py").write_text(f"GAP = {gap}.0\n")
        spec, source = read(path)
        found.append(spec.make_task(source))
    assert [task.gap_ms for task in found] == [5.0, 10.0]
    in_place = [fitness.task(f"{tmp_path / str(gap) / 'agree.py'}:Agree").gap_ms for gap in (10, 5)]
    assert in_place == [10.0, 5.0]


def test_what_a_task_imports_inside_a_function_is_its_own_too(tmp_path):
    code = OWN_TASK.replace("labels = np.arange(count) % 2", "import helper\n        labels = helper.labels(count)")
    path = own_task_spec(tmp_path, code, **TINY)
    (tmp_path / "helper.py").write_text("import numpy as np\ndef labels(count): return np.arange(count) % 2\n")
    assert evo.run(path, tmp_path / "run", workers=0).finished


@pytest.mark.parametrize("name", ["fitness.py", "signal.py"])
def test_a_neighbour_never_stands_in_for_the_framework_or_the_standard_library(tmp_path, name):
    (tmp_path / name).write_text("1 / 0\n")
    path = own_task_spec(tmp_path, "import signal\n" + OWN_TASK, **TINY)
    assert len(read(path)[1]) == 1


def test_a_task_that_reads_relative_to_the_working_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.csv").write_text("0,1")
    code = OWN_TASK.replace("labels = np.arange", "open('labels.csv').read()\n        labels = np.arange")
    message = one_line_of(lambda: evo.run(own_task_spec(tmp_path, code), tmp_path / "run", workers=0))
    assert "reads labels.csv" in message
    assert "Path(__file__).parent / 'labels.csv'" in message
    assert not (tmp_path / "run").exists()


def test_what_is_not_kept_and_missed_is_named_before_the_run_begins(tmp_path):
    code = OWN_TASK.replace(
        "labels = np.arange",
        "import pathlib as p\n        p.Path(self.make.__code__.co_filename).with_name('x').open()\n        labels = np.arange",
    )
    (tmp_path / "x").write_text("")
    message = one_line_of(lambda: evo.run(own_task_spec(tmp_path, code), tmp_path / "run", workers=0))
    assert "FileNotFoundError" in message
    assert "a package, PACKAGE:CLASS, is kept whole" in message


def test_too_much_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("fitness.sandbox.code.MAX_BYTES", 1 << 20)
    path = package_spec(tmp_path, "mytask:Agree", **{"mytask/__init__.py": OWN_TASK, "mytask/big.bin": bytes((1 << 20) + 1)})
    message = one_line_of(lambda: read(path))
    assert "more than the 1 MB that a task may consist of, big.bin included" in message


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("mytask:Agree", "holds no __init__.py: name the file in it"),
        ("other:Agree", "cannot be read: No such file"),
        ("agree.py:", "name the file and the class in it"),
        (":Agree", "name the file and the class in it"),
        ("pipe.py:Agree", "it is no regular file"),
    ],
)
def test_a_name_that_leads_to_no_task_is_refused_in_one_line(tmp_path, name, named):
    (tmp_path / "mytask").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    assert named in one_line_of(lambda: read(package_spec(tmp_path, name)))


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_a_byte_order_mark_and_other_line_ends_change_neither_the_task_nor_the_digest(tmp_path, finished, mark):
    path = own_task_spec(tmp_path, **TINY)
    (tmp_path / "agree.py").write_bytes(mark + OWN_TASK.encode().replace(b"\n", b"\r\n"))
    spec, source = read(path)
    assert spec.digest(source) == evo.open_run(finished).spec_sha256 == spec.digest(OWN_TASK)


def test_a_run_of_0_4_has_the_same_digest_and_goes_on(copy):
    with closing(sqlite3.connect(copy / "run.db")) as db:
        db.execute("DELETE FROM run WHERE key = 'task_files'")
        db.commit()
    assert evo.resume(copy, workers=0, generations=2).generation == 2
    (copy / "agree.py").write_text(OWN_TASK + "\n")
    message = one_line_of(lambda: evo.resume(copy, workers=0, generations=3))
    assert "agree.py or run.toml: one of them was changed since the run began" in message


# -- compared before it is executed


def _executors(copy):
    return {
        "resume": lambda: evo.resume(copy, workers=0),
        "go on": lambda: evo.resume(copy, workers=0, generations=5),
        "fork": lambda: evo.fork(copy, {"search.seed": "2"}, copy.parent / "fork", workers=0),
        "prune": lambda: prune(copy),
    }


@pytest.fixture
def trapped(copy, tmp_path):
    """A run whose code leaves a file behind when it is executed, and whose analyses are gone."""
    trap = tmp_path / "trap"
    (copy / "agree.py").write_text(f"open({str(trap)!r}, 'w')\n" + OWN_TASK)
    with closing(sqlite3.connect(copy / "run.db")) as db:
        db.execute("DELETE FROM analysis")
        db.commit()
    return copy, trap


@pytest.mark.parametrize("command", ["resume", "go on", "fork", "prune"])
def test_changed_code_is_never_executed_and_is_named(trapped, command):
    copy, trap = trapped
    spec = (copy / "run.toml").read_text()
    message = one_line_of(_executors(copy)[command])
    assert message.startswith(f"{copy / 'agree.py'}: was changed since the run began")
    assert not trap.exists()
    assert (copy / "run.toml").read_text() == spec


@pytest.mark.parametrize("command", ["resume", "go on", "fork", "prune"])
def test_a_spec_that_was_changed_executes_nothing_and_is_named(trapped, command):
    copy, trap = trapped
    (copy / "agree.py").write_text(OWN_TASK)
    text = (copy / "run.toml").read_text()
    (copy / "run.toml").write_text(text.replace("gap_ms = 10.0", "").replace("mutation = 0.5", "mutation = 0.6"))
    message = one_line_of(_executors(copy)[command])
    assert message.startswith(f"{copy / 'run.toml'}: was changed since the run began")
    assert not trap.exists()


@pytest.mark.parametrize("command", ["resume", "go on", "fork", "prune"])
@pytest.mark.parametrize(
    "name", ["../agree.py", "{outside}", "sub/../../agree.py", "./agree.py", "task/../../agree.py", "sub", ""]
)
def test_a_name_that_leaves_the_folder_is_refused(trapped, command, name):
    copy, trap = trapped
    shutil.copy(copy / "agree.py", copy.parent / "agree.py")
    name = name.replace("{outside}", str(copy.parent / "agree.py"))
    text = (copy / "run.toml").read_text()
    (copy / "run.toml").write_text(text.replace("agree.py:Agree", f"{name}:Agree"))
    assert "is no file that a run keeps in its folder" in one_line_of(_executors(copy)[command])
    assert not trap.exists()


@pytest.mark.parametrize("command", ["resume", "fork", "prune"])
def test_a_link_is_refused_even_where_it_leads_to_the_same_code(trapped, command):
    copy = trapped[0]
    (copy.parent / "agree.py").write_text(OWN_TASK)
    (copy / "agree.py").unlink()
    (copy / "agree.py").symlink_to(copy.parent / "agree.py")
    assert "is a link, which may lead out of the folder" in one_line_of(_executors(copy)[command])


def test_without_a_store_nothing_says_what_the_code_was_and_it_is_not_executed(trapped):
    copy, trap = trapped
    (copy / "run.db").unlink()
    message = one_line_of(lambda: evo.resume(copy, workers=0))
    assert "has no run.db" in message
    assert not trap.exists()


def test_a_run_killed_before_its_first_epoch_has_what_its_code_is_compared_with(tmp_path, monkeypatch, finished):
    def killed(*_):
        raise KeyboardInterrupt

    path = own_task_spec(tmp_path, **TINY)
    with monkeypatch.context() as patch:
        patch.setattr("evo.running.search._go_on", killed)
        with pytest.raises(KeyboardInterrupt):
            evo.run(path, tmp_path / "run", workers=0)
    shutil.copytree(tmp_path / "run", tmp_path / "changed")
    assert evo.resume(tmp_path / "run", workers=0).archive_sha256 == evo.open_run(finished).archive_sha256
    (tmp_path / "changed" / "agree.py").write_text("1 / 0")
    assert "agree.py: was changed" in one_line_of(lambda: evo.resume(tmp_path / "changed", workers=0))


def test_a_run_killed_while_its_folder_was_made_can_be_begun_again(tmp_path):
    path = own_task_spec(tmp_path, **TINY)
    run = evo.run(path, tmp_path / "run", workers=0)
    (run.folder / "run.toml").unlink()
    assert "already holds a run" in one_line_of(lambda: evo.run(path, run.folder, workers=0))
    with closing(sqlite3.connect(run.folder / "run.db")) as db:
        db.execute("DELETE FROM epoch")
        db.execute("DELETE FROM state")
        db.commit()
    assert evo.run(path, run.folder, workers=0).archive_sha256 == run.archive_sha256


def test_what_only_looks_executes_nothing(trapped):
    from evo.inspect import page
    from evo.inspect.terminal import table
    from evo.studies.compare import compare

    copy, trap = trapped
    run = evo.open_run(copy)
    compare([copy])
    json.dumps(table.as_json(run))
    page.write(run, page.default_path(copy))
    assert not trap.exists()
