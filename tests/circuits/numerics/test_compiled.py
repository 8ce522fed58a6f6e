import os
import subprocess
import sys
from pathlib import Path

import pytest

import circuits.numerics.compiled as compiled
from circuits.numerics import disk_cache
from circuits.numerics.compiled import jit

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]

FIRST_RESULT = """
import numpy as np
from circuits import Circuit, simulate

synapse = {"post": 0, "weight_mv": 100, "delay_ms": 1}
ports = {"inputs": [{"name": "in", "synapses": [synapse]}], "outputs": [{"name": "out", "neurons": [0]}]}
circuit = Circuit(dt_ms=1, neurons=[{"id": 0, "sign": "E"}], **ports)
spikes = np.random.default_rng(0).random((64, 100, 1)) < 0.1
print(simulate(circuit, spikes, dtype="float32").counts().sum())
"""


EXPONENTIALS = """
from circuits.numerics.portable import exp

print(exp([0.0, 1.0]))
"""


def started(cache, code):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, **pipes)


@pytest.mark.parametrize("code", [EXPONENTIALS, pytest.param(FIRST_RESULT, marks=pytest.mark.slow)])
def test_processes_that_start_on_a_cold_cache_at_once_do_not_break_each_other_or_those_after_them(tmp_path, code):
    answers = [process.communicate(timeout=300) for process in [started(tmp_path, code), started(tmp_path, code)]]
    answers.append(started(tmp_path, code).communicate(timeout=300))
    assert {error for _, error in answers} == {""}
    assert len({answer for answer, _ in answers}) == 1
    assert answers[0][0].strip()
    assert list(tmp_path.rglob("*.nbc"))


WORLDS = """
from typing import NamedTuple

import numpy as np

from circuits.simulation.environments import replay
from circuits.simulation.environments.model import moves
from circuits.simulation.raster import Raster

def end(name, step):
    World = NamedTuple(name, [("start", np.ndarray), ("channels", int), ("ports", int)])
    World.__module__ = __name__
    globals()[name] = World

    @moves(World)
    def _move(environment, state, words):
        state[0] += step

    return int(replay(World(np.zeros((1, 1), np.float32), 1, 1), Raster(np.zeros((1, 10, 1), "u8"), 1, 1.0))[0, 0])
"""


@pytest.mark.slow
def test_an_environment_of_ones_own_is_compiled_as_it_stands_and_does_not_get_in_the_way_of_others(tmp_path):
    """Its source is not in the key of the cache, and no other process could import it."""
    first, then = "print(end('Own', 1))", "print(end('Other', 3), end('Own', 2))"  # Own is not there yet when Other looks
    answers = [started(tmp_path, WORLDS + code).communicate(timeout=300) for code in (first, then)]
    assert answers == [("10\n", ""), ("30 20\n", "")]


def test_without_a_cache_that_can_be_written_functions_are_compiled_and_that_is_said_once(tmp_path, monkeypatch, caplog):
    def gone(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk_cache, "_warned", False)
    monkeypatch.setattr(disk_cache._Files, "_save_data", gone)
    assert [made(lambda x: x + 1, tmp_path)(2), made(lambda x: x + 2, tmp_path)(2)] == [3, 4]
    (record,) = caplog.records
    assert "No space left on device" in record.message
    assert "NUMBA_CACHE_DIR" in record.message
    assert "\n" not in record.message


def made(function, *folders):
    """A function compiled by way of caches in these folders."""
    dispatcher = jit()(function)
    dispatcher._cache = disk_cache.DiskCache(function, list(folders), "stamp")
    return dispatcher


def test_what_was_compiled_is_read_from_any_folder_and_written_to_the_first_that_takes_it(tmp_path):
    def double(x):
        return 2 * x

    image, users = tmp_path / "image", tmp_path / "user"
    assert made(double, image)(3) == 6
    files = sorted(image.iterdir())
    again = made(double, tmp_path / "file" / "under", users, image)
    (tmp_path / "file").write_bytes(b"")  # no folder can be made below it
    assert again(4) == 8
    assert sum(again.stats.cache_hits.values()) == 1
    assert not users.exists()
    assert sorted(image.iterdir()) == files
    assert again(4.5) == 9
    assert len(list(users.glob("*.nbc"))) == 1


@pytest.mark.parametrize("ending", [".nbi", ".nbc"])
@pytest.mark.parametrize(
    "damage", [lambda old: old[: len(old) // 2], lambda old: b"", lambda old: old[:-90] + bytes(90), lambda old: b"x" * 99]
)
def test_a_damaged_file_of_the_cache_is_made_anew(ending, damage, tmp_path):
    def thrice(x):
        return 3 * x

    assert made(thrice, tmp_path)(2) == 6
    (file,) = tmp_path.glob(f"*{ending}")
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    hurt = made(thrice, tmp_path)
    assert hurt(2) == 6
    assert not hurt.stats.cache_hits
    after = made(thrice, tmp_path)
    assert after(2) == 6
    assert sum(after.stats.cache_hits.values()) == 1


@pytest.mark.parametrize("home", [None, "", "relative", "/proc/nowhere"])
def test_a_home_that_is_none_gives_folders_that_are_sound(home, monkeypatch):
    monkeypatch.setattr(disk_cache.config, "CACHE_DIR", "")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path.replace("~", home or "~"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert all(folder.is_absolute() for folder in disk_cache.folders_of(__file__))
    assert disk_cache.folders_of(__file__)[0] == Path(__file__).parent / "__pycache__"


SETTINGS = {
    "NUMBA_DISABLE_JIT": "1",
    "NUMBA_NUM_THREADS": "0",
    "NUMBA_THREADING_LAYER": "nonsense",
    "NUMBA_ENABLE_CUDASIM": "1",
}


@pytest.mark.slow
def test_settings_of_numba_for_the_users_own_functions_do_not_matter_even_on_a_cold_cache(tmp_path):
    code = FIRST_RESULT + "from numba import njit\nprint(njit(lambda: 1))"
    environment = os.environ | SETTINGS | {"PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    first, theirs = done.stdout.splitlines()
    assert int(first) > 0
    assert theirs.startswith("<function <lambda>"), "theirs stays Python"


def test_machine_code_made_by_other_settings_is_kept_apart(monkeypatch):
    usual = compiled.processor.__wrapped__()
    monkeypatch.setattr(compiled.config, "BOUNDSCHECK", 1)
    assert compiled.processor.__wrapped__() != usual
