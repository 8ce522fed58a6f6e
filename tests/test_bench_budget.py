"""The table of the circuits that searches need, and what it sums up to; and which motifs are cut in larger circuits."""

import math

import numpy as np
import pytest

from evo.spec.resolve import resolve
from evo.spec.run_spec import changed
from tests.bench import budget, canonical
from tests.bench.studies import steady


def line(task, search, *spent, limit="40,000"):
    each = "; ".join(f"{value:,}" if value <= 40_000 else "> 40,000" for value in spent)
    solved = sum(value <= 40_000 for value in spent)
    return task, search, str(len(spent)), limit, f"{solved}/{len(spent)}", each, "-"


def table(tmp_path, *lines):
    path = tmp_path / "table.csv"
    budget.write(lines, path)
    return budget.table(path)


def test_rows_that_are_measured_again_replace_the_old_ones_and_others_stay(tmp_path):
    path = tmp_path / "table.csv"
    budget.write([line("xor", "version 0.4", 1), line("gate", "version 0.4", 2)], path)
    budget.write([line("xor", "version 0.4", 3)], path)
    assert [row["circuits, seed by seed"] for row in budget.table(path)] == ["2", "3"]


def test_a_run_that_did_not_get_there_counts_as_more_than_any(tmp_path):
    (row,) = table(tmp_path, line("xor", "version 0.4", 1_200, 40_001))
    assert budget.circuits(row).tolist() == [1_200, math.inf]


def test_the_sum_is_the_geometric_mean_of_the_ratios_of_medians(tmp_path):
    rows = table(
        tmp_path,
        *(line("xor", "version 0.4", 8_000), line("xor", "growing", 2_000)),
        *(line("itd", "version 0.4", 10_000), line("itd", "growing", 40_001)),  # never reached: the limit counts
        *(line("onset", "version 0.4", 800), line("onset", "growing", 200)),  # solved in the first generation by both
    )
    text = budget.summary(rows, samples=10)
    assert "growing, all: 2 tasks, ratio of medians 1.00" in text
    assert "growing, not tuned on: 1 tasks, ratio of medians 4.00" in text
    assert "growing: solves 2 of 3 runs, version 0.4 3 of 3" in text


@pytest.mark.parametrize("task", budget.names())
def test_the_searches_compared_can_be_run_on_every_task(task):
    spec = resolve(steady(task)).spec
    for changes in budget.SEARCHES.values():
        objectives = {"search.objectives": budget.WORST_TOO} if changes and task not in budget.WITHOUT else {}
        judge = changed(spec, changes | objectives).make_judge()
        judge.evaluate(spec.founders(judge.interface, 2))  # refuses worst where a task has no conditions


def test_motifs_compared_in_few_of_the_smallest_circuits_are_cut_in_larger_ones():
    few = [
        {"of circuits": kind, "compared in": n}
        for kind, n in (("smallest", "4"), ("", ""), ("larger", "20"), ("smallest", "5"))
    ]
    assert [canonical.is_few(row) for row in few] == [True, True, True, False]


def test_the_ratio_needs_no_run_that_got_there():
    assert budget.ratio([(np.array([math.inf]), np.array([math.inf]))], [40_000.0]) == 1
