"""The hidden circuits of bench_recovery: what is recorded of them can be explained, and is by themselves."""

import pytest

from evo.spec.run_spec import read
from tests.bench.bench_recovery import SPEC, factors, recover
from tests.bench.hidden import hidden, to_csv


@pytest.fixture(scope="module")
def small():
    return hidden(4, neurons=2, recorded=1, seconds=20)


def test_a_hidden_circuit_is_the_same_again_and_explains_its_recording(tmp_path, small):
    again = hidden(4, neurons=2, recorded=1, seconds=20)
    assert again.circuit == small.circuit
    assert again.recording == small.recording
    (tmp_path / "cell.csv").write_text(to_csv(small.recording))
    (tmp_path / "spec.toml").write_text(SPEC.read_text())
    spec, code = read(tmp_path / "spec.toml")
    task = spec.make_task(code)
    assert task.recording() == small.recording
    trials = task.trials_of("held_out", 1, len(task.items("held_out")))
    score = task.evaluate(small.circuit, trials)
    assert score.value > 0.97


def test_a_short_search_on_it_reports_held_out_factors(tmp_path, small):
    run = recover(small, tmp_path, changes={"search.generations": "2", "search.population": "20", "search.epoch": "1"})
    _, by_neuron = factors(run)
    assert set(by_neuron) == {"n0"}
