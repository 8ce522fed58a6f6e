import numpy as np
import pytest

from evo.cli.results import cli as evo_command
from fitness.references import FOLDER
from fitness.tasks.itd import Itd
from tests.evo.tiny import cli, one_line_of
from tests.fitness.hearing.test_stereo import stereo, tone


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("listen")
    stereo(folder / "left.wav", tone(1.0), 0.525, 16_000, seconds=0.2)
    return folder


def test_a_motif_says_where_a_sound_comes_from(place):
    done = cli(place, "listen", str(FOLDER / "itd.json"), "left.wav")
    assert done.returncode == 0, done.stderr
    *stretches, last = done.stdout.splitlines()
    assert len(stretches) == 10
    assert stretches[0].split()[:2] == ["0.0", "ms"]
    assert "direction3  +0.525 ms" in stretches[4]
    assert last.startswith("mostly: direction3  +0.525 ms, in ")


def test_only_sound_localisers_listen(place):
    done = cli(place, "listen", str(FOLDER / "gate.json"), "left.wav")
    assert done.returncode == 2
    assert "no sound localiser" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_file_is_one_line(place):
    done = cli(place, "listen", str(FOLDER / "itd.json"), "right.wav")
    assert done.returncode == 2
    assert done.stderr == "evo: right.wav: there is no such file\n"


def test_nothing_decided_is_said_so(place, monkeypatch, capsys):
    monkeypatch.setattr(Itd, "directions", lambda self, circuit, trials: np.full(len(trials), -1))
    *stretches, last = heard(capsys, FOLDER / "itd.json", place / "left.wav")
    assert all(line.endswith("ms  undecided") for line in stretches)
    assert last == "undecided: in none of 10 stretches is one direction named more than the others"


def test_a_tie_is_undecided(place, monkeypatch, capsys):
    monkeypatch.setattr(Itd, "directions", lambda self, circuit, trials: np.resize([0, 3], len(trials)))
    last = heard(capsys, FOLDER / "itd.json", place / "left.wav")[-1]
    assert last.startswith("undecided: several directions are named equally often, in 5 of 10 stretches each")


def test_what_is_named_in_few_of_the_stretches_with_sound_is_no_answer(place, monkeypatch, capsys):
    monkeypatch.setattr(Itd, "directions", lambda self, circuit, trials: np.where(np.arange(len(trials)) < 3, 1, -1))
    last = heard(capsys, FOLDER / "itd.json", place / "left.wav")[-1]
    assert last.startswith("undecided: direction1  -0.175 ms is named most often, but only in 3 of the 10 stretches")


def test_silence_in_a_sound_speaks_against_no_direction(place, capsys):
    stereo(place / "short.wav", tone(0.1), 0.525, 16_000, seconds=0.6)
    last = heard(capsys, FOLDER / "itd.json", place / "short.wav")[-1]
    assert last.startswith("mostly: direction3  +0.525 ms, in 6 of 30 stretches")


@pytest.mark.parametrize("motif", ["zoo:itd-5", FOLDER / "itd.json"])
def test_a_sound_outside_the_bands_that_a_circuit_knows_is_refused_in_one_line(place, capsys, motif):
    stereo(place / "high.wav", tone(1.0, 1000.0), 0.5, 44_100, seconds=0.3)
    text = one_line_of(lambda: heard(capsys, motif, place / "high.wav"))
    assert "high.wav: has nothing to hear at 500 Hz; its sound is elsewhere, strongest at 1000 Hz" in text


def test_a_centre_that_a_circuit_does_not_know_is_refused_naming_its_range(place, capsys):
    text = one_line_of(lambda: heard(capsys, "zoo:itd-5", place / "left.wav", "--centre", 300))
    assert "zoo:itd-5 was evolved for a tone of 500 Hz, it does not know 300 Hz" in text


def heard(capsys, *arguments):
    """What evo listen prints, line by line."""
    evo_command(["listen", *map(str, arguments)], standalone_mode=False)
    return capsys.readouterr().out.splitlines()
