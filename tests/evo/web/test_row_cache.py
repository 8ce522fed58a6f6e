"""What the lab keeps of runs from one time to the next."""

import os
import shutil

import pytest

from evo.storage.store import Store
from evo.storage.stored import STORE
from evo.web.row_cache import RowCache
from evo.web.runs import Runs


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def opened(monkeypatch):
    """The stores that are opened."""
    found, ours = [], Store.open

    def watched(path, *rest):
        found.append(path.parent.name)
        return ours(path, *rest)

    monkeypatch.setattr(Store, "open", watched)
    return found


def looked(folder):
    runs = Runs(folder, RowCache(folder))
    runs.look()
    runs.close()
    return runs.rows


def test_runs_that_rest_are_read_once_for_all_labs(folder, cache, opened):
    first = looked(folder)
    assert sorted(opened) == ["gate-3", "gate-4", "own"]
    opened.clear()
    assert looked(folder) == first
    assert not opened
    shutil.copytree(folder / "gate-3", folder / "new")
    os.utime(folder / "gate-4" / STORE)
    found = looked(folder)
    assert sorted(opened) == ["gate-4", "new"]
    assert found["gate-4"] == first["gate-4"]
    opened.clear()
    shutil.rmtree(folder / "own")
    assert set(looked(folder)) == {"gate-3", "gate-4", "new"}
    assert not opened


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"form": 1, "runs": {}}', "[" * 100_000, '{"form": "FORM", "runs": {"gate-3": 1, "own": [1]}}']
)
def test_what_is_no_cache_is_as_none(folder, cache, opened, content):
    first = looked(folder)
    (file,) = cache.rglob("*.json")
    form = file.read_text().partition('"form":"')[2].partition('"')[0]
    file.write_text(content.replace("FORM", form))
    opened.clear()
    assert looked(folder) == first
    assert len(opened) == 3


def test_where_nothing_can_be_kept_runs_are_read(folder, tmp_path, monkeypatch, opened):
    (tmp_path / "file").write_text("")
    for home in (str(tmp_path / "file"), "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", home)
        assert len(looked(folder)) == 3
    assert len(opened) == 6


def test_a_cache_is_for_its_user_alone(folder, cache):
    looked(folder)
    (file,) = cache.rglob("*.json")
    assert file.parent.stat().st_mode & 0o077 == 0
