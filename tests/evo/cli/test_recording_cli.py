"""evo recording and evo new --recording: a recording is looked at before anything is evolved."""

import json

import numpy as np
import pytest

from evo.cli.runs import _announce as announce
from evo.inspect.terminal.recording import draw
from evo.spec.run_spec import read
from fitness.recordings import Recording, Signal
from tests.evo.running.test_recording import csv
from tests.evo.tiny import cli
from tests.fitness.recordings import files


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cell.csv").write_bytes(csv())
    return tmp_path


def test_a_spec_written_for_a_recording_says_what_was_found_and_can_be_run(folder, capsys):
    done = cli(folder, "new", "--recording", "cell.csv", "-o", "specs/cell.toml")
    assert done.returncode == 0, done.stderr
    text = (folder / "specs" / "cell.toml").read_text()
    assert "# cell.csv: 2 trials of 1000 ms, 1 stimulus" in text
    assert "one repeat predicts the others with" in text
    spec, code = read(folder / "specs" / "cell.toml")  # its file is sought from there
    task = spec.make_task(code)
    assert spec.task["file"] == "../cell.csv"
    assert spec.search.trials == len(task.items("search"))
    assert spec.search.held_out == len(task.items("held_out"))
    assert spec.circuit.neurons[0] == len(task.outputs)
    assert spec.search.stop.rate_hz == 250
    announce(spec, folder)
    assert capsys.readouterr().out == f"task recording, run folder {folder}\n"  # a file is data, and no code that is run


@pytest.mark.long
def test_a_recording_is_shown_as_a_table_and_a_picture(folder):
    done = cli(folder, "recording", "cell.csv", "-o", "cell.svg")
    assert done.returncode == 0, done.stderr
    rows = {tuple(line.split()[:3]) for line in done.stdout.splitlines()}
    assert {("input", "a", "80"), ("output", "x", "40"), ("output", "y", "40")} <= rows
    assert "> x" in done.stdout
    assert (folder / "cell.svg").read_text().count("<path") > 100


@pytest.mark.long
def test_sampled_signals_and_potentials_are_drawn(tmp_path):
    ((name, end, given, measured, signals), *_) = files.driven(trials=1)
    signals = signals | {"x": Signal(0.5, np.linspace(-70, -50, 400), "mV")}
    picture = draw(Recording.of([(name, end, given, measured, signals)]), tmp_path / "cell.svg").read_text()
    for said in ("wave", "pA", "mV", "mean signal, by ms from a spike"):
        assert said in picture
    assert "by ms after an input" not in picture  # there is none


def test_machines_get_the_same_with_the_settings_of_a_spec(folder):
    assert cli(folder, "new", "--recording", "cell.csv", "-o", "cell.toml").returncode == 0
    found = json.loads(cli(folder, "recording", "cell.toml", "--json", "--set", "precision_ms=5").stdout)
    assert found["stimuli"] == 1
    assert found["repeats"] is True
    assert {train["name"] for train in found["trains"]} == {"a", "x", "y"}
    assert sum(found["windows"].values()) > 3
    finer = json.loads(cli(folder, "recording", "cell.toml", "--json", "--set", "precision_ms=0.5").stdout)
    assert finer["ceiling"]["x"] < found["ceiling"]["x"]


def test_what_cannot_be_searched_on_is_shown_with_the_reason(folder):
    (folder / "alone.csv").write_bytes(files.as_csv([("0", 100.0, {}, {"x": [5.0, 20.0]})]))
    done = cli(folder, "recording", "alone.csv")
    assert done.returncode == 0
    assert "no search can be run on it as it is: task recording: alone.csv: has no input spikes" in done.stdout
    refused = cli(folder, "new", "--recording", "alone.csv")
    assert refused.returncode == 2
    assert refused.stderr.startswith("evo: task recording: alone.csv: has no input spikes")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("recording", "nothing.csv"), "nothing.csv: there is no such file"),
        (("recording", "cell.csv", "--outputs", "z"), "cell.csv: has no train 'z'; found x, y, a"),
        (("recording", "cell.csv", "--set", "precision=4"), "precision: unknown key"),
        (("recording", "cell.csv", "--set", "precision"), "--set precision: write KEY=VALUE"),
        (("new",), "name a task, or give --recording FILE"),
        (("new", "itd", "--recording", "cell.csv"), "name a task, or give --recording FILE"),
    ],
)
def test_a_mistake_is_one_line(folder, arguments, said):
    done = cli(folder, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_tasks_over_files_are_explained_without_one(folder):
    for name in ("recording", "dataset"):
        done = cli(folder, "tasks", name)
        assert done.returncode == 0, done.stderr
        assert "file (must be set)" in done.stdout
    assert "recording and dataset read a file of yours" in cli(folder, "tasks").stdout
    assert cli(folder, "tasks", "recording", "-o", "x.svg").returncode == 2
