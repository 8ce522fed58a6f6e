"""The benchmark of searches on hard tasks: all get the same evaluator and the same end."""

import csv

import numpy as np
import pytest

from evo.genome import record
from tests.bench import bench_rivals, studies
from tests.bench.bench_rivals import Contest, Outcome, OverError, row, theirs, write


@pytest.mark.parametrize("name", ["coincidence", "edge", "itd"])
def test_every_vector_is_a_circuit_that_keeps_the_bounds(name):
    vectors, rng = Contest(name, 1, 1).vectors, np.random.default_rng(1)
    drawn = np.concatenate([1.4 * rng.random((60, vectors.size)) - 0.2, rng.random((20, vectors.size)) > 0.5])
    for genome in vectors.genomes(drawn):
        assert not list(record.faults(genome, vectors.bounds))


def test_the_numbers_of_a_vector_are_the_circuit_s():
    vectors = Contest("coincidence", 1, 1).vectors
    low, high = (vectors.genomes(np.full((1, vectors.size), value))[0] for value in (0.0, 1.0))
    assert not low["weight"].any()
    there = high["weight"] > 0
    assert (high["delay"][there] == vectors.bounds.delay[1]).all()
    assert high["weight"].max() == vectors.bounds.weight[0, 1]
    assert (high["kind"] != 0).sum() == vectors.bounds.capacity


@pytest.mark.parametrize("rival", ["random search", "DEAP NSGA-II"])
def test_a_rival_ends_when_its_circuits_are_spent(rival):
    found = theirs(rival, "xor", 1, 300)
    assert not found.reached
    assert 300 <= found.evaluations <= 500
    assert found.seconds > 0


def test_a_contest_ends_with_a_circuit_that_solves_the_task(monkeypatch):
    monkeypatch.setattr(studies, "SCORE", -1.0)
    monkeypatch.setattr(studies, "WORST", -1.0)
    contest = Contest("xor", 1, 10**6)
    with pytest.raises(OverError):
        contest.evaluate_vectors(np.random.default_rng(1).random((5, contest.vectors.size)))
    assert contest.outcome.reached
    assert contest.outcome.evaluations == 5


def test_a_rival_that_is_not_installed_is_left_out(monkeypatch, capsys):
    def absent(contest):
        raise ModuleNotFoundError("No module named 'nowhere'")

    monkeypatch.setitem(bench_rivals.RIVALS, "nowhere", absent)
    assert theirs("nowhere", "xor", 1, 100) is None
    assert "No module named 'nowhere'" in capsys.readouterr().out


def test_the_table_counts_runs_that_did_not_get_there_as_more_than_any_that_did(tmp_path):
    found = [Outcome(True, 100, 1.0, 0.95), Outcome(False, 900, 9.0, 0.5), Outcome(False, 900, 9.0, 0.6)]
    table = tmp_path / "rivals.csv"
    write(row("xor", "one", 900, found), table)
    write(row("xor", "two", 900, found[:1]), table)
    with open(table, encoding="utf-8") as file:
        rows = {line["search"]: line for line in csv.DictReader(file)}
    assert (rows["one"]["solved"], rows["one"]["evaluations"]) == ("1/3", "-")
    assert (rows["two"]["solved"], rows["two"]["evaluations"]) == ("1/1", "100")
