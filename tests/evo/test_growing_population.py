"""Populations that begin small and double from epoch to epoch, `search.initial_population`."""

import pytest

import evo
from evo.spec.run_spec import read
from tests.evo.tiny import one_line_of, spec_file, stops_after

pytestmark = pytest.mark.long

GROWING = {"initial_population": 4, "population": 12}


def sizes(run):
    """Circuits tried in each generation of the first island."""
    return [row["evaluations"] for epoch in run.epochs if epoch["island"] == 0 for row in epoch["log"]]


def test_the_population_doubles_from_epoch_to_epoch_until_it_is_whole(tmp_path):
    run = evo.run(spec_file(tmp_path, **GROWING), tmp_path / "run", workers=0)
    assert sizes(run) == [4, 4, 4, 8, 8, 12, 12]
    assert {len(state.population) for state in run.states} == {12}


def test_a_run_that_grows_is_the_same_when_it_was_stopped_on_the_way(tmp_path):
    spec = spec_file(tmp_path, **GROWING)
    whole = evo.run(spec, tmp_path / "whole", workers=0)
    with pytest.raises(KeyboardInterrupt):
        evo.run(spec, tmp_path / "stopped", workers=0, observe=stops_after(4))
    assert evo.resume(tmp_path / "stopped", workers=0).archive_sha256 == whole.archive_sha256


def test_a_fork_begins_with_all_circuits_that_it_inherits(tmp_path):
    whole = evo.run(spec_file(tmp_path), tmp_path / "run", workers=0)
    forked = evo.fork(whole.folder, {"search.initial_population": "4"}, tmp_path / "forked", workers=0)
    assert sizes(forked)[0] == 12


def test_a_whole_population_from_the_start_is_the_search_without_the_key(tmp_path):
    plain = evo.run(spec_file(tmp_path), tmp_path / "plain", workers=0)
    whole = evo.run(spec_file(tmp_path, initial_population=12), tmp_path / "whole", workers=0)
    assert whole.archive_sha256 == plain.archive_sha256
    assert read(spec_file(tmp_path))[0].digest() == plain.spec_sha256


def test_fewer_circuits_at_first_than_migrate_are_refused(tmp_path):
    line = one_line_of(lambda: read(spec_file(tmp_path, initial_population=4, migrants=5)))
    assert "search.migrants" in line
