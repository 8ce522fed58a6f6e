"""What is too large is refused before it is computed, what is no ordinary file before it is read; what is large is quick."""

import os
import shutil
import sqlite3
import time
from contextlib import closing

import pytest

import circuits
import evo
from circuits.circuit import Circuit
from circuits.drawing.drawable import MAX_NEURONS, MAX_SYNAPSES, drawable
from circuits.motif_file import Motif, save
from evo.inspect.page import page_data
from evo.spec import estimate
from evo.spec.memory import available, shown
from evo.spec.run_spec import parse, read
from fitness.hearing.stereo import read_stereo
from fitness.judges.simulated import Simulated
from tests.evo.altering import command
from tests.evo.tiny import SPEC, own_task_spec, spec_file

SMALL = {"generations": 1, "population": 8, "trials": 8, "held_out": 8, "archive": 4, "islands": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run of one island."""
    place = tmp_path_factory.mktemp("one")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulated, "analysed", 0)
        return evo.run(spec_file(place, **SMALL), place / "run", workers=0).folder


def refused(*arguments):
    """The line with which a command refuses, in less than two seconds."""
    code, out, err, seconds = command(*arguments)
    assert (code, out) == (2, ""), err
    assert len(err.splitlines()) == 1
    assert seconds < 2
    return err


# -- memory


def test_a_spec_that_takes_more_memory_than_there_is_is_refused_with_its_keys_and_the_amount(tmp_path):
    spec = spec_file(tmp_path, population=100_000, trials=65_536)
    line = refused("run", spec)
    assert str(spec) in line
    assert "lower search.population = 100000, search.trials = 65536" in line
    assert "GB of memory" in line or "TB of memory" in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("key", ["trials", "held_out"])
def test_the_key_that_takes_the_memory_is_named(tmp_path, monkeypatch, key):
    monkeypatch.setattr(estimate, "available", lambda: 10**9)
    large = {"population": 1000, "archive": 500, key: 65_536}
    assert f"search.{key} = 65536" in refused("run", spec_file(tmp_path, **large))


def test_a_machine_with_too_little_memory_goes_on_with_no_run(folder, tmp_path, monkeypatch):
    copy = shutil.copytree(folder, tmp_path / "copy")
    text = (copy / "run.toml").read_text()
    (copy / "run.toml").write_text(text.replace("generations = 1", "generations = 2"))
    monkeypatch.setattr(estimate, "available", lambda: 10**8)
    code, _, err, _ = command("resume", copy, "--workers", "0")
    assert (code, len(err.splitlines())) == (2, 1)
    assert f"{copy / 'run.toml'}: it takes about" in err


def test_committed_specs_and_defaults_fit_into_little_memory():
    spec = parse(SPEC)
    assert sum(estimate.parts(spec, spec.make_judge()).values()) < 50e6
    default = parse('[task]\nname = "itd"\n')
    assert sum(estimate.parts(default, default.make_judge()).values()) < 200e6


def test_available_memory_is_what_the_machine_or_its_group_leaves():
    assert 10**7 < available() < 2**60
    assert [shown(n) for n in (5, 2_000, 3.14e6, 2e10, 5e15)] == ["5 B", "2 kB", "3.14 MB", "20 GB", "5,000 TB"]


# -- what is no ordinary file


@pytest.fixture(params=["fifo", "/dev/zero", "folder", "large"])
def strange(request, tmp_path):
    """A path that no file can be read from."""
    path = tmp_path / "strange"
    if request.param == "fifo":
        os.mkfifo(path)
    elif request.param == "folder":
        path.mkdir()
    elif request.param == "large":
        with open(path, "wb") as file:
            file.truncate(10**12)  # of no size on the disk
    else:
        path.symlink_to(request.param)
    return path


def test_no_command_reads_what_is_no_ordinary_file(strange, folder, tmp_path):
    commands = [("run", strange), ("warmup", strange), ("listen", "zoo:itd-8", strange), ("export", strange, "--to", "motif")]
    if not strange.is_dir():
        commands += [("inspect", strange), ("prune", strange)]
    for arguments in commands:
        assert str(strange) in refused(*arguments)
    for name in ("run.toml", "run.db", "run.db-wal", "run.db-journal"):
        copy = shutil.copytree(folder, tmp_path / f"copy-{name}", symlinks=True)
        (copy / name).unlink(missing_ok=True)
        shutil.move(strange, copy / name)
        if not (strange.name == "large" or name.startswith("run.db-")) or not (copy / name).is_file():
            assert str(copy / name) in refused("status", copy)
        shutil.move(copy / name, strange)


def test_a_task_file_that_is_no_ordinary_file_is_refused(tmp_path):
    spec = own_task_spec(tmp_path)
    (tmp_path / "agree.py").unlink()
    os.mkfifo(tmp_path / "agree.py")
    code, _, err, seconds = command("run", spec)
    assert (code, len(err.splitlines())) == (2, 1), err
    assert "agree.py cannot be read: it is no regular file" in err
    assert seconds < 2


@pytest.mark.parametrize("read_it", [circuits.load, read, evo.open_run, read_stereo])
def test_from_python_the_same_is_one_line(read_it, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(circuits.errors.UserError, match="pipe"):
        read_it(tmp_path / "pipe")


@pytest.mark.parametrize("text", ["a = [" * 100_000, "[" * 100_000, f"a = {'9' * 10_000}", "a" + ".a" * 50_000 + " = 1"])
def test_a_spec_nested_or_long_beyond_sense_is_one_line(tmp_path, text):
    path = tmp_path / "spec.toml"
    path.write_text(text)
    assert str(path) in refused("run", path)


# -- what is large


@pytest.mark.long
def test_a_run_of_a_thousand_islands_is_opened_within_two_seconds(folder, tmp_path):
    copy, islands = shutil.copytree(folder, tmp_path / "copy"), 1000
    text = (copy / "run.toml").read_text()
    (copy / "run.toml").write_text(text.replace("islands = 1\n", f"islands = {islands}\n"))
    with closing(sqlite3.connect(copy / "run.db")) as db:
        for table in ("epoch", "state", "migrants"):
            rows = db.execute(f"SELECT * FROM {table}").fetchall()
            marks = ", ".join("?" * len(rows[0]))
            copies = [(island, *row[1:]) for island in range(1, islands) for row in rows]
            db.executemany(f"INSERT INTO {table} VALUES ({marks})", copies)
        db.commit()
    start = time.process_time()
    run = evo.open_run(copy)
    assert run.archive_sha256 == evo.open_run(folder).archive_sha256
    assert time.process_time() - start < 2
    assert run.evaluations == 1000 * evo.open_run(folder).evaluations


def dense(neurons, synapses):
    """A motif of so many neurons and synapses."""
    pairs = [(k % neurons, (k + 1 + k // neurons) % neurons) for k in range(synapses)]
    return Motif.model_validate(
        {
            "format": "motif",
            "version": 1,
            "dt_ms": 1.0,
            "neuron_model": "lif_psc_exp",
            "neurons": [{"id": k, "sign": "I" if k % 5 == 4 else "E"} for k in range(neurons)],
            "inputs": [{"name": "in", "synapses": [{"post": 0, "weight_mv": 10.0, "delay_ms": 1.0}]}],
            "synapses": [
                {"pre": pre, "post": post, "weight_mv": 1.0 + k % 7, "delay_ms": 2.0} for k, (pre, post) in enumerate(pairs)
            ],
            "outputs": [{"name": "out", "neurons": [1]}],
        },
    )


@pytest.mark.long
@pytest.mark.parametrize(("neurons", "synapses"), [pytest.param(100, 5000, marks=pytest.mark.slow), (1000, 2000)])
def test_of_a_large_circuit_a_part_is_drawn_and_what_is_left_out_is_said(tmp_path, neurons, synapses):
    motif = dense(neurons, synapses)
    part, left_out = drawable(motif.circuit)
    assert len(part.neurons) <= MAX_NEURONS
    assert part.synapse_count <= MAX_SYNAPSES
    assert left_out == (neurons - len(part.neurons), synapses + 1 - part.synapse_count)
    assert 1 in {n.id for n in part.neurons}
    Circuit.model_validate(part.model_dump())
    start = time.process_time()
    data = page_data.of_motif(motif)
    assert data["members"][0]["synapses"] == synapses + 1
    assert time.process_time() - start < 10
    code, out, err, seconds = command("inspect", save(motif, tmp_path / "large.json"), "--html")
    assert code == 0, err
    assert "more synapses" in out
    assert seconds < 10


def test_a_small_circuit_is_drawn_whole():
    circuit = dense(10, 20).circuit
    assert drawable(circuit) == (circuit, None)
