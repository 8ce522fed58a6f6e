import pytest

from fitness.reference import FOLDER
from tests.evo.tiny import cli
from tests.fitness.test_hearing import stereo, tone


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
