"""Populations that begin small, `search.initial_population`, and fewer offspring than circuits, `search.offspring`."""

from functools import partial
from itertools import pairwise

import pytest

import evo
from circuits.errors import UserError
from evo.algorithms import ALGORITHMS
from evo.spec.run_spec import read
from tests.evo import tiny
from tests.evo.tiny import one_line_of, stops_after

pytestmark = pytest.mark.long

spec_file = partial(tiny.spec_file, islands=2)
GROWING = {"initial_population": 4, "population": 12}
STAGNATION = {"growth": "'stagnation'", "initial_population": 4, "population": 16, "generations": 16}


def sizes(run):
    """Circuits tried in each generation of the first island."""
    return [row["evaluations"] for epoch in run.epochs if epoch["island"] == 0 for row in epoch["log"]]


def test_the_population_doubles_from_epoch_to_epoch_until_it_is_whole(tmp_path):
    run = evo.run(spec_file(tmp_path, **GROWING), tmp_path / "run", workers=0)
    assert sizes(run) == [4, 4, 4, 8, 8, 12, 12]
    assert {len(state.population) for state in run.states} == {12}


@pytest.mark.parametrize(("settings", "checks"), [(GROWING, 4), (STAGNATION, 7)])
def test_a_run_that_grows_is_the_same_when_it_was_stopped_on_the_way(tmp_path, settings, checks):
    spec = spec_file(tmp_path, **settings)
    whole = evo.run(spec, tmp_path / "whole", workers=0)
    with pytest.raises(KeyboardInterrupt):
        evo.run(spec, tmp_path / "stopped", workers=0, observe=stops_after(checks))
    assert evo.resume(tmp_path / "stopped", workers=0).archive_sha256 == whole.archive_sha256


def test_a_population_doubles_after_the_epochs_that_brought_no_better_circuit(tmp_path):
    run = evo.run(spec_file(tmp_path, **STAGNATION), tmp_path / "run", workers=0)
    grown = []
    for island in range(2):
        logs = [epoch["log"] for epoch in run.epochs if epoch["island"] == island]
        size = 4
        for before, after in pairwise(logs):
            stagnated = before[-1]["best"] - before[0]["best"] < 0.01
            size = min(size * (2 if stagnated else 1), 16)
            assert [row["evaluations"] for row in after] == [size, size]
            grown.append(stagnated)
    assert set(grown) == {True, False}


def test_growth_after_stagnation_is_the_same_for_any_number_of_processes(tmp_path, on_ray):
    spec = spec_file(tmp_path, **STAGNATION)
    here = evo.run(spec, tmp_path / "here", workers=0)
    assert on_ray("run", spec, tmp_path / "ray") == here.archive_sha256


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


def test_fewer_offspring_than_circuits_fill_the_population_and_then_replace_the_worst(tmp_path):
    run = evo.run(spec_file(tmp_path, population=12, initial_population=4, offspring=5), tmp_path / "run", workers=0)
    assert sizes(run) == [4, *[5] * 6]
    assert {len(state.population) for state in run.states} == {12}


def test_nobody_is_discarded_until_the_population_is_whole(tmp_path):
    short = spec_file(tmp_path, population=12, initial_population=4, offspring=4, generations=2, migrants=0)
    whole = evo.run(short, tmp_path / "run", workers=0)
    for state in whole.states:
        assert len(state.population) == 12
        assert sorted(set(state.population["generation"])) == [0, 1, 2]


def test_a_run_with_few_offspring_is_the_same_when_it_was_stopped_on_the_way(tmp_path):
    spec = spec_file(tmp_path, population=12, initial_population=4, offspring=5)
    whole = evo.run(spec, tmp_path / "whole", workers=0)
    with pytest.raises(KeyboardInterrupt):
        evo.run(spec, tmp_path / "stopped", workers=0, observe=stops_after(4))
    assert evo.resume(tmp_path / "stopped", workers=0).archive_sha256 == whole.archive_sha256


def test_a_fork_with_few_offspring_begins_with_all_circuits_that_it_inherits(tmp_path):
    whole = evo.run(spec_file(tmp_path), tmp_path / "run", workers=0)
    changes = {"search.initial_population": "4", "search.offspring": "5"}
    assert sizes(evo.fork(whole.folder, changes, tmp_path / "forked", workers=0))[:2] == [12, 5]


def test_as_many_offspring_as_circuits_are_the_search_without_the_key(tmp_path):
    plain = evo.run(spec_file(tmp_path), tmp_path / "plain", workers=0)
    all_new = evo.run(spec_file(tmp_path, offspring=12), tmp_path / "all", workers=0)
    assert all_new.archive_sha256 == plain.archive_sha256


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "map-elites"])
def test_every_algorithm_breeds_as_many_as_it_is_told(tmp_path, name):
    run = evo.run(spec_file(tmp_path, algorithm=f"'{name}'", offspring=5, generations=3), tmp_path / "run", workers=0)
    assert sizes(run) == [12, 5, 5, 5]
    assert {len(state.population) for state in run.states} == {12}


def test_polish_shares_the_offspring(tmp_path):
    spec = spec_file(tmp_path, population=40, offspring=30, polish=0.7, generations=3)
    assert sizes(evo.run(spec, tmp_path / "run", workers=0)) == [40, 30, 30, 30]


def test_no_more_offspring_than_circuits_are_bred(tmp_path):
    run = evo.run(spec_file(tmp_path, offspring=20), tmp_path / "run", workers=0)
    assert sizes(run) == [12] * 7


def test_growth_without_a_small_population_is_refused_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"search\.growth: only a small population grows: set search\.initial_population"):
        read(spec_file(tmp_path, growth="'stagnation'"))
