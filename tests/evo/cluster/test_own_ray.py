"""The Ray that is started for a run alone: who can reach it, what its workers import, and what is left of it."""

import os
import stat
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from evo.cluster import private_folder
from evo.cluster.imports import search_path
from evo.cluster.joining import is_open
from evo.cluster.session import ray_session
from tests.evo.machines import processes
from tests.evo.tiny import ROOT

pytestmark = pytest.mark.long

SHADOWS = (
    "fitness.py",
    "circuits/__init__.py",
    "evo/__init__.py",
    "random.py",
    "numpy/__init__.py",
    "ray.py",
    "deap/__init__.py",
)
MODULES = ("evo", "circuits", "fitness", "random", "numpy", "ray", "deap")


def shadows(folder, names=SHADOWS):
    """Files that are called as modules of the program are, and must never be imported."""
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("raise SystemExit('the file of the working folder')\n")


def descendants(others=frozenset()):
    """The processes that this one started, and those that they did; without `others`, and what these started."""
    found, known = [], {os.getpid()}
    while new := [p for p in processes() if p.parent in known and p.pid not in known | others]:
        found += new
        known |= {p.pid for p in new}
    return found


def listening(pid):
    """The addresses at which a process listens, as in /proc/net/tcp and tcp6."""
    sockets = set()
    with suppress(OSError):  # it has ended, or a descriptor is closed
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                sockets.add(os.readlink(descriptor).removeprefix("socket:[").removesuffix("]"))
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {line[1].rpartition(":")[0] for line in lines if line[3] == "0A" and line[9] in sockets}


LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}  # IPv4, as IPv6, ::1


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """What was seen in a session that was begun in an odd folder, by a process with an odd environment."""
    import ray
    import ray._private.runtime_env.uv_runtime_env_hook as uv

    folder = tmp_path_factory.mktemp("odd")
    shadows(folder)
    (folder.parent / "pyproject.toml").write_text("")
    odd = {"RAY_AUTH_MODE": "disabled", "RAY_RUNTIME_ENV_HOOK": "no.such.hook", "RAY_ADDRESS": "192.0.2.1:6379"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in odd.items():
            patch.setenv(name, value)
        patch.setattr(uv, "_get_uv_run_cmdline", lambda: ["uv", "run", "evo"])
        environment = dict(os.environ)
        others = {p.pid for p in descendants()}  # of other tests: a Ray of theirs is none of ours
        with ray_session(2):

            @ray.remote
            def look(modules):
                from importlib import import_module

                return {name: import_module(name).__file__ for name in modules}, os.getcwd()

            imported, where = ray.get(look.remote(MODULES))
            own = Path(os.environ["RAY_AUTH_TOKEN_PATH"])
            seen = SimpleNamespace(
                imported=imported,
                where=where,
                own=own.parent,
                modes=[stat.S_IMODE(path.stat().st_mode) for path in (own.parent, own)],
                listening={f"{p.pid} {p.command}": listening(p.pid) for p in descendants(others)},
                driver=listening(os.getpid()),
                open=is_open(ray.get_runtime_context().gcs_address),
            )
        seen.changed = {k: os.environ.get(k) for k in odd if os.environ.get(k) != environment[k]}
        seen.added = {key for key in set(os.environ) - set(environment) if key.startswith("RAY_AUTH")}
    return seen


def test_every_socket_of_our_own_ray_listens_on_the_loopback_alone(session):
    addresses = set().union(*session.listening.values(), session.driver)
    assert any("gcs_server" in command and found for command, found in session.listening.items())
    assert any("raylet" in command and found for command, found in session.listening.items())
    assert addresses <= LOOPBACK, session.listening


def test_our_own_ray_asks_for_a_token_whatever_the_environment_says(session):
    assert not session.open


def test_its_folder_is_for_this_user_alone_and_goes_with_it(session):
    assert session.modes == [0o700, 0o600]
    assert not session.own.exists()


def test_its_workers_import_what_the_driver_imports_whatever_lies_in_the_working_folder(session):
    for name, file in session.imported.items():
        assert file == sys.modules[name].__file__


def test_its_workers_work_in_the_folder_of_the_driver(session):
    assert Path(session.where).name.startswith("odd")


def test_the_environment_is_afterwards_what_it_was(session):
    assert session.changed == {}
    assert session.added == set()


def test_the_folder_of_a_killed_process_goes_with_the_next_and_nobody_elses(tmp_path, monkeypatch):
    monkeypatch.setattr(private_folder.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(private_folder, "MAX_LENGTH", 1000)
    left = tmp_path / f"{private_folder.PREFIX}left"
    others = [tmp_path / "ray" / "session_1", tmp_path / "evo-other", tmp_path / f"{private_folder.PREFIX}file"]
    for folder in (left / "ray", *others[:2]):
        folder.mkdir(parents=True)
    others[2].write_text("")
    (tmp_path / f"{private_folder.PREFIX}link").symlink_to(others[0])
    with private_folder.private_folder() as first:
        assert not left.exists()
        with private_folder.private_folder() as second:
            assert first.exists()
            assert stat.S_IMODE(second.stat().st_mode) == 0o700
        assert not second.exists()
    assert not first.exists()
    assert all(other.exists() for other in others)


def test_a_long_temporary_folder_is_not_too_long_for_sockets(tmp_path, monkeypatch):
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(private_folder.tempfile, "tempdir", str(deep))
    with private_folder.private_folder() as folder:
        assert folder.parent == Path("/tmp")


@pytest.mark.slow
@pytest.mark.parametrize("way", [["-m", "evo.cli"], ["-c", "import evo.cli; evo.cli.main()"]])
def test_the_command_works_whatever_lies_in_the_working_folder(tmp_path, way):
    names = [name for name in SHADOWS if not name.startswith("evo")]
    shadows(tmp_path, names[:2] if way[0] == "-c" else names)  # python -c looks there first, for its own modules too
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *way, "--version"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("evo, version"), done.stderr


def test_a_stranger_that_is_imported_already_is_named(tmp_path):
    (tmp_path / "fitness.py").write_text("mine = 1\n")
    code = "import fitness\ntry:\n    import evo\nexcept ImportError as error:\n    print(error)\n"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{tmp_path / 'fitness.py'} is imported already as fitness")


def test_places_to_look_for_modules_do_not_depend_on_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", "mine", "__editable__.a.finder.__path_hook__", "/usr/lib"])
    assert search_path()[:2] == [str(tmp_path), str(tmp_path / "mine")]
    assert search_path()[2] == "__editable__.a.finder.__path_hook__"
