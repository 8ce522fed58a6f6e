"""Searches that a recording judges: its file is kept with the run, and what it comes in makes no difference."""

import numpy as np
import pytest

import evo
from evo.inspect import page
from evo.spec.run_spec import read_alone
from tests.evo.tiny import one_line_of, stops_after
from tests.fitness.recordings import files

pytestmark = pytest.mark.long
ANALYSED = 1

SPEC = """
[task]
name = "recording"
file = "FILE"
window_ms = 100.0

[circuit]
neurons = [2, 4]
delay_ms = [0.5, 10.0]

[search]
seed = 3
generations = 4
islands = 2
population = 8
epoch = 2
trials = 8
held_out = 4
archive = 4
objectives = ["score", "size"]
"""


def trials():
    """Repeats of one stimulus that the neurons follow."""
    rng = np.random.default_rng(2)
    given = np.sort(np.round(rng.uniform(0, 900, 40), 3))
    late = [np.sort(np.round(given[k::2] + 4.1 + rng.normal(0, 0.5, 20), 3)) for k in (0, 1, 0, 1)]
    return [(str(k), 1000.0, {"a": given}, {"x": late[2 * k], "y": late[2 * k + 1]}) for k in (0, 1)]


def spec_over(folder, content: bytes, file="cell.csv"):
    (folder / file).write_bytes(content)
    path = folder / "cell.toml"
    path.write_text(SPEC.replace("FILE", file), encoding="utf-8")
    return path


def csv():
    return files.as_csv(trials(), "# duration_ms = 1000\n")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    return evo.run(spec_over(folder, csv()), folder / "run", workers=0)


def test_the_file_is_kept_with_the_run_which_is_opened_and_goes_on_without_the_original(tmp_path, finished):
    path = spec_over(tmp_path, csv())
    with pytest.raises(KeyboardInterrupt):
        evo.run(path, tmp_path / "run", workers=0, observe=stops_after(2))
    (tmp_path / "cell.csv").unlink()
    assert (tmp_path / "run" / "data" / "cell.csv").read_bytes() == csv()
    done = evo.resume(tmp_path / "run", workers=0)
    assert done.archive_sha256 == finished.archive_sha256
    assert done.spec_sha256 == finished.spec_sha256
    assert done.interface.outputs == ("x", "y")
    again = evo.run(tmp_path / "run" / "run.toml", tmp_path / "again", workers=0)
    assert again.archive_sha256 == finished.archive_sha256


def test_the_same_content_gives_the_same_archive_whatever_file_it_is_in(tmp_path, finished):
    other = evo.run(spec_over(tmp_path, files.as_npz(trials()), "cell.npz"), tmp_path / "run", workers=0)
    assert other.archive_sha256 == finished.archive_sha256
    assert other.spec_sha256 != finished.spec_sha256


def test_nwb_gives_the_same_archive(tmp_path, finished):
    pytest.importorskip("pynwb")
    other = evo.run(spec_over(tmp_path, files.as_nwb(tmp_path / "made.nwb", trials()), "cell.nwb"), tmp_path / "run", workers=0)
    assert other.archive_sha256 == finished.archive_sha256


def test_a_file_that_was_changed_is_named_and_nothing_is_computed(tmp_path):
    path = spec_over(tmp_path, csv())
    with pytest.raises(KeyboardInterrupt):
        evo.run(path, tmp_path / "run", workers=0, observe=stops_after(2))
    kept = tmp_path / "run" / "data" / "cell.csv"
    kept.write_bytes(csv() + b"1,output,x,3.0\n")
    message = one_line_of(lambda: evo.resume(tmp_path / "run", workers=0))
    assert "run/data/cell.csv: was changed since the run began" in message
    assert evo.open_run(tmp_path / "run").generation == 2  # opening asks for no file


def test_another_file_of_the_same_name_has_another_digest(tmp_path, finished):
    spec = read_alone(spec_over(tmp_path, csv()))
    first = spec.digest(spec.collect(tmp_path))
    (tmp_path / "cell.csv").write_bytes(csv() + b"1,output,x,3.0\n")
    assert spec.digest(spec.collect(tmp_path)) != first


def test_a_fork_takes_the_file_along_or_another_one(tmp_path, finished, monkeypatch):
    alike = evo.fork(finished.folder, {"search.algorithm": "cma"}, tmp_path / "fork", workers=0)
    assert (alike.folder / "data" / "cell.csv").read_bytes() == csv()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "second.csv").write_bytes(csv() + b"1,output,x,3.0\n")
    other = evo.fork(finished.folder, {"task.file": "second.csv"}, tmp_path / "other", workers=0)
    assert (other.folder / "data" / "second.csv").exists()


def test_a_path_out_of_the_folder_in_a_run_is_refused(tmp_path, finished):
    import shutil

    copy = shutil.copytree(finished.folder, tmp_path / "copy")
    spec = (copy / "run.toml").read_text()
    (copy / "run.toml").write_text(spec.replace("data/cell.csv", "../cell.csv"))
    assert "task.file: '../cell.csv' is no file that a run keeps in data/" in one_line_of(lambda: evo.resume(copy, workers=0))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"trial,role,name\n", "cell.toml: cell.csv: line 1: lacks time_ms of trial, role, name, time_ms"),
        (None, "cell.csv: there is no such file"),
    ],
)
def test_a_wrong_file_is_one_line_before_anything_is_made(tmp_path, content, said):
    path = spec_over(tmp_path, content or b"")
    if content is None:
        (tmp_path / "cell.csv").unlink()
    assert said in one_line_of(lambda: evo.run(path, tmp_path / "run", workers=0))
    assert not (tmp_path / "run").exists()


def test_a_run_is_shown_and_analysed_like_any_other(finished, tmp_path):
    best = finished.front[0]
    assert np.isfinite(best.held_out)
    assert finished.analysis(best) is not None
    assert page.write(finished, tmp_path / "page.html").stat().st_size > 10_000


def test_a_data_set_judges_a_search_and_is_kept_with_it(tmp_path):
    from tests.fitness.datasets.test_dataset import as_npz

    (tmp_path / "digits.npz").write_bytes(as_npz())
    path = tmp_path / "digits.toml"
    text = (
        SPEC.replace('"recording"', '"dataset"')
        .replace("FILE", "digits.npz")
        .replace("window_ms = 100.0\n", "tail_ms = 10.0\n")
    )
    path.write_text(text.replace("[0.5, 10.0]", "[1.0, 10.0]"), encoding="utf-8")
    done = evo.run(path, tmp_path / "run", workers=0)
    assert (done.folder / "data" / "digits.npz").read_bytes() == as_npz()
    assert done.interface.outputs == ("0", "1")
    (tmp_path / "digits.npz").unlink()
    assert evo.resume(done.folder, workers=0, generations=6).generation == 6


def test_an_objective_of_ones_own_is_kept_beside_the_file(tmp_path):
    path = spec_over(tmp_path, csv())
    path.write_text(path.read_text().replace('"size"]', '"mine.py:spikes"]'))
    (tmp_path / "mine.py").write_text("def spikes(evaluation):\n    return evaluation.spikes\n")
    done = evo.run(path, tmp_path / "run", workers=0)
    for file in ("cell.csv", "mine.py"):
        (tmp_path / file).unlink()
    assert {file.name for file in (done.folder / "data").iterdir()} == {"cell.csv"}
    assert (done.folder / "mine.py").exists()
    assert evo.resume(done.folder, workers=0, generations=6).generation == 6
    again = evo.fork(done.folder, {"search.seed": "4"}, tmp_path / "fork", workers=0)
    assert (again.folder / "data" / "cell.csv").read_bytes() == csv()
    (done.folder / "mine.py").write_text("def spikes(evaluation):\n    return -evaluation.spikes\n")
    assert "run/mine.py: was changed since the run began" in one_line_of(lambda: evo.resume(done.folder, workers=0))


def test_names_are_shown_and_kept_whatever_they_are(tmp_path):
    odd = files.as_csv(
        [("trial one", 1000.0, {"a b": one[2]["a"]}, {"x→y": one[3]["x"]}) for one in trials()[:1]], "# duration_ms = 1000\n"
    )
    done = evo.run(spec_over(tmp_path, odd), tmp_path / "run", workers=0, changes={"search.generations": "1"})
    assert done.interface.outputs == ("x→y",)
    assert done.motif(0).outputs[0].name == "x→y"
