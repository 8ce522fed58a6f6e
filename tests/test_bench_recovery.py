"""The hidden circuits of bench_recovery: what is recorded of them can be explained, and is by themselves."""

import pytest

from evo.spec.run_spec import read
from tests.bench.bench_recovery import COLUMNS, SPEC, factors, main, recover
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


@pytest.mark.long
def test_a_short_search_on_it_reports_held_out_factors(tmp_path, small):
    run = recover(
        small,
        tmp_path,
        changes={"search.founders": "[]", "search.generations": "2", "search.population": "20", "search.epoch": "1"},
    )
    _, by_neuron = factors(run)
    assert set(by_neuron) == {"n0"}


def test_rows_that_the_file_has_are_not_computed_again(tmp_path, monkeypatch, capsys):
    file = tmp_path / "recovery.csv"
    file.write_text(f"{COLUMNS}\n3: 4 E 1 I,2,9,9,1.000,0.960 0.951,2 E 0 I,no\n4: 2 E 0 I,1,9,9,0.900,0.900,1 E 0 I,no\n")
    monkeypatch.setattr("sys.argv", ["bench_recovery", "3", "4", "--csv", str(file)])
    main()
    assert capsys.readouterr().out.splitlines()[1:] == [
        "1 of 2 predict every recorded neuron with a coincidence factor of 0.95 or more"
    ]
