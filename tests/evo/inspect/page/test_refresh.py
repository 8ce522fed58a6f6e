"""The page while a run goes on."""

from itertools import pairwise

import pytest

import evo
from evo.inspect import page
from evo.inspect.page.refresh import EVERY_S, SHARE, Refresher
from evo.storage.run_folder import Run
from tests.evo.tiny import cli, spec_file, stops_after
from tests.products import some_of

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("refresh")
    evo.run(spec_file(place), place / "run", workers=0)
    return place / "run"


class Clock:
    """Time that goes by as told, and as much for every page."""

    def __init__(self, per_page):
        self.now, self.per_page, self.pages = 0.0, per_page, []

    def __call__(self):
        return self.now

    def write(self, run, path, cache, seconds):
        self.pages.append((self.now, seconds))
        self.now += self.per_page


@pytest.mark.parametrize(("per_page", "seconds"), some_of([(0.01, 4_000), (0.5, 4_000), (20.0, 20_000)], few=[(0.5, 4_000)]))
def test_pages_take_at_most_their_share_of_the_time(folder, monkeypatch, per_page, seconds):
    clock = Clock(per_page)
    monkeypatch.setattr(page, "write", clock.write)
    refresh = Refresher(folder, clock)
    for _ in range(seconds):
        clock.now += 1.0
        refresh()
        spent = len(clock.pages) * per_page
        assert spent <= SHARE * clock.now or len(clock.pages) == 1  # what the first one takes nobody knows
    times = [moment for moment, _ in clock.pages]
    assert len(times) > 10
    assert min(b - a for a, b in pairwise(times)) >= EVERY_S


def test_the_page_is_there_while_the_run_goes_on_and_whole_at_every_moment(tmp_path, monkeypatch):
    monkeypatch.setattr("evo.inspect.page.refresh.EVERY_S", 0.0)
    monkeypatch.setattr("evo.inspect.page.refresh.SHARE", 10.0)
    seen = []
    refresh = Refresher(tmp_path / "run")

    def observe(result):
        refresh(result)
        text = (tmp_path / "run" / "report.html").read_text()
        assert text.endswith("</html>\n")
        seen.append(text)

    evo.run(spec_file(tmp_path), tmp_path / "run", workers=0, observe=observe)
    assert refresh.failed == ""
    assert '"state":"running"' in seen[0]
    assert len(set(seen)) == len(seen) == len(Run(tmp_path / "run").epochs)


def test_a_page_that_cannot_be_written_stops_no_search(tmp_path, monkeypatch):
    monkeypatch.setattr("evo.inspect.page.refresh.EVERY_S", 0.0)
    monkeypatch.setattr("evo.inspect.page.refresh.SHARE", 10.0)
    calls = []

    def broken(*_, **__):
        calls.append(1)
        raise ValueError("broken")

    monkeypatch.setattr(page, "write", broken)
    refresh = Refresher(tmp_path / "run")
    assert evo.run(spec_file(tmp_path), tmp_path / "run", workers=0, observe=refresh).finished
    assert refresh.failed == "ValueError: broken"
    assert len(calls) == 1


def test_without_time_circuits_come_with_their_wiring_alone(folder):
    run = evo.open_run(folder)
    from evo.inspect.page import page_data

    hurried, whole = page_data.of_run(run, seconds=-1.0), page_data.of_run(run)
    assert len(hurried["packed"]) == len(whole["packed"])
    assert sum(map(len, hurried["packed"])) < 0.5 * sum(map(len, whole["packed"]))
    cache: dict = {}
    assert page_data.of_run(run, cache)["packed"] == whole["packed"] == page_data.of_run(run, cache, seconds=-1.0)["packed"]


def test_the_same_run_has_the_same_page(folder, tmp_path):
    pages = [page.write(evo.open_run(folder), tmp_path / f"{k}.html").read_bytes() for k in range(2)]
    assert pages[0] == pages[1]


def test_a_stopped_run_says_so_on_its_page(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        evo.run(spec_file(tmp_path), tmp_path / "run", workers=0, observe=stops_after(2))
    assert cli(tmp_path, "inspect", "run", "--html").returncode == 0
    assert '"state":"stopped"' in (tmp_path / "run" / "report.html").read_text()
