"""A single neuron fitted by CMA, beside the regressions."""

import pytest

from evo.studies.baselines import SINGLE, baselines
from evo.studies.baselines.single_neuron import fit, fitted
from tests.fitness.recordings.test_task import HEAD, made


def follower():
    """x fires 5 ms after every input spike, which a single neuron can."""
    times = [20 + 37 * k + (k * k) % 23 for k in range(100)]
    return "".join([HEAD.format(4000), *(f"0,input,a,{t}\n0,output,x,{t + 5}\n" for t in times)]).encode()


@pytest.fixture(scope="module")
def task():
    return made(follower(), window_ms=300, step_ms=1.0)


@pytest.mark.long
def test_a_single_neuron_finds_what_a_single_neuron_does(task):
    search, held_out = fit(task, "x", generations=25)
    assert search > 0.9
    assert held_out > 0.9
    assert fit(task, "x", generations=25) == (search, held_out)


def test_all_baselines_are_in_one_table(task):
    rows = baselines(task, generations=2)
    assert [row.model for row in rows][-1] == SINGLE
    assert len(rows) == 5
    assert all(0 <= row.held_out <= 1 for row in rows)


def test_the_fitted_neuron_is_the_circuit_that_was_scored(task):
    circuit = fitted(task, "x", generations=2)
    assert len(circuit.neurons) == 1
    trials = task.trials_of("held_out", 1, len(task.items("held_out")))
    assert task.evaluate(circuit, trials, "float32").value == pytest.approx(fit(task, "x", generations=2)[1])
