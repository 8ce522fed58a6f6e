"""The hard suite: every task of it can be solved by a circuit that the search could find, and not by drawing lots."""

import csv
import math
from pathlib import Path

import pytest

from circuits import load
from evo.genome.from_circuit import from_circuit
from evo.spec.run_spec import read
from tests.bench import hard, studies

NAMES = hard.names()


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_circuit_of_a_hard_task_scores_0_9_and_0_75_in_the_worst_condition(name):
    score, worst = hard.reference(name, trials=512, dtype="float32")  # as in the search
    assert score >= studies.SCORE
    assert math.isnan(worst) or worst >= studies.WORST


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_circuit_lies_within_the_bounds_of_the_search(name):
    spec, motif = read(hard.SUITE / f"{name}.toml")[0], load(hard.SUITE / f"{name}.json")
    task = spec.make_task()
    from_circuit(motif.circuit, spec.encoding(task.interface), task.interface.inputs, task.interface.outputs)  # else it raises
    settings = dict(motif.provenance.task)
    assert settings.pop("name") == spec.task["name"]
    assert settings == task.model_dump(mode="json")


@pytest.mark.parametrize("name", NAMES)
def test_the_spec_of_a_hard_task_names_every_setting_so_that_new_defaults_do_not_change_it(name):
    spec = read(hard.SUITE / f"{name}.toml")[0]
    assert spec.task.keys() == {"name", *type(spec.make_task()).model_fields}


NOT_TRIED = {"mismatch"}  # its trials are long


def test_random_search_solves_no_hard_task_on_which_it_was_tried():
    with open(hard.TABLE, encoding="utf-8") as file:
        solved = {row["task"]: row["solved"] for row in csv.DictReader(file) if row["search"] == hard.RANDOM}
    assert solved == dict.fromkeys(set(NAMES) - NOT_TRIED, "0/1")


def test_rows_that_are_not_measured_now_stay_in_the_table(tmp_path):
    table: Path = tmp_path / "hard.csv"
    filled = ("",) * (len(hard.HEAD) - 2)
    hard.write([("xor", "growing", *filled)], table)
    hard.write([("edge", "growing", *filled)], table)
    hard.write([("xor", "growing", "3", *filled[1:])], table)
    with open(table, encoding="utf-8") as file:
        assert [(row["task"], row["seeds"]) for row in csv.DictReader(file)] == [("edge", ""), ("xor", "3")]
