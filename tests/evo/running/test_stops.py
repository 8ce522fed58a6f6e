"""Wherever a run was stopped, and however often, it ends in the archive of a run that never was."""

import shutil
import sqlite3
from contextlib import closing, suppress

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

import evo
from evo.engine.progress import Progress
from evo.running import stored_search
from fitness.judges.simulated import Simulated
from tests.evo.tiny import one_line_of, spec_file, stops_after
from tests.products import examples

pytestmark = pytest.mark.long

LAST = 9  # generations: the last epoch is cut short, in epochs of 2 and of 4
SMALL = {"islands": 2, "population": 8, "trials": 8, "held_out": 8, "archive": 8}
ENDS = {"target": 0.2, "evaluations": 60, "stagnation": 2, "seconds": 1e-9}

stops = st.lists(st.tuples(st.integers(1, LAST), st.none() | st.integers(1, 6)), max_size=4)
ends = st.sets(st.sampled_from(sorted(ENDS)), max_size=2)


@pytest.fixture(autouse=True)
def no_analyses(monkeypatch):
    monkeypatch.setattr(Simulated, "analysed", 0)


@pytest.fixture(scope="module")
def in_one_go(tmp_path_factory):
    """The digest of the archive of a run in one go, and how many circuits it tried, by the length of its epochs."""
    found = {}
    for epoch in (2, 4):
        folder = tmp_path_factory.mktemp("in-one-go")
        run = evo.run(spec_file(folder, epoch=epoch, generations=LAST, **SMALL), folder / "run", workers=0)
        found[epoch] = run.archive_sha256, run.evaluations
    return found


def goes_on(folder, generations, epochs):
    """Go on, and be stopped after some epochs; to where the run is already is no way to go on."""
    at = max(evo.open_run(folder).progress.generation)
    with suppress(KeyboardInterrupt):
        evo.resume(folder, workers=0, generations=max(at, generations), observe=epochs and stops_after(epochs))


@examples(0.32, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([2, 4]), st.integers(1, LAST), ends, stops)
def test_any_stops_end_in_the_archive_of_a_run_in_one_go(in_one_go, tmp_path_factory, epoch, first, ends, stops):
    folder = tmp_path_factory.mktemp("stopped")
    changes = {name: ENDS[name] for name in ends}
    spec = spec_file(folder, epoch=epoch, generations=first, **SMALL, **changes)
    evo.run(spec, folder / "run", workers=0)
    for generations, epochs in stops:
        goes_on(folder / "run", generations, epochs)
    for _ in range(1 + len(ends)):  # every end that a run comes to is lifted when it goes on
        goes_on(folder / "run", LAST, None)
    run = evo.open_run(folder / "run")
    assert run.progress.generation == [LAST] * 2
    assert (run.archive_sha256, run.evaluations) == in_one_go[epoch]
    generations = [row["generation"] for one in run.epochs if one["island"] == 1 for row in one["log"]]
    assert generations == list(range(LAST + 1))


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """A run whose last epoch was cut short."""
    folder = tmp_path_factory.mktemp("cut")
    return evo.run(spec_file(folder, epoch=4, generations=6, **SMALL), folder / "run", workers=0).folder


def test_a_larger_last_generation_written_into_the_spec_is_gone_on_to_alike(in_one_go, cut, tmp_path):
    folder = shutil.copytree(cut, tmp_path / "run")
    text = (folder / "run.toml").read_text()
    (folder / "run.toml").write_text(text.replace("generations = 6", f"generations = {LAST}"))
    assert evo.open_run(folder).state == "stopped"
    assert evo.resume(folder, workers=0).archive_sha256 == in_one_go[4][0]


def test_a_run_killed_while_its_cut_epoch_is_computed_again_is_resumed(in_one_go, cut, tmp_path):
    folder = shutil.copytree(cut, tmp_path / "run")
    goes_on(folder, LAST, 1)
    assert evo.open_run(folder).progress.epoch == [1, 0]
    assert evo.resume(folder, workers=0).archive_sha256 == in_one_go[4][0]


def test_a_cut_run_without_the_state_before_is_not_extended_and_stays_as_it_is(cut, tmp_path):
    folder = shutil.copytree(cut, tmp_path / "run")
    with closing(sqlite3.connect(folder / "run.db")) as db:
        db.execute("DROP TABLE before")  # as 0.4 stored it
        db.commit()
    before = evo.open_run(folder).archive_sha256, (folder / "run.toml").read_text()
    message = one_line_of(lambda: evo.resume(folder, workers=0, generations=LAST))
    assert "was cut short by an older evocircuits" in message
    assert (evo.open_run(folder).archive_sha256, (folder / "run.toml").read_text()) == before
    assert evo.resume(folder, workers=0).state == "finished"
    (folder / "run.toml").write_text(before[1].replace("generations = 6", f"generations = {LAST}"))
    assert "was cut short by an older evocircuits" in one_line_of(lambda: evo.resume(folder, workers=0))


def test_a_run_that_0_4_extended_past_a_cut_epoch_is_told_and_others_are_not(cut, tmp_path, monkeypatch, caplog):
    folder = shutil.copytree(cut, tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(Progress, "cut", [])  # as 0.4, which did not look
        evo.resume(folder, workers=0, generations=8)
    assert evo.open_run(folder).progress.went_past_cut
    assert not caplog.records
    assert evo.resume(folder, workers=0).state == "finished"
    assert [r.getMessage() for r in caplog.records] == [f"{folder}: {stored_search.PAST_CUT}"]
    caplog.clear()
    for other in (cut, shutil.copytree(cut, tmp_path / "other")):
        goes_on(other, 6 if other is cut else LAST, None)
        assert not evo.open_run(other).progress.went_past_cut
    assert not caplog.records
