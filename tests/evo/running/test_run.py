import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import pytest

import evo
import fitness
from circuits.errors import MachineError, UserError
from circuits.motif_file import dumps, loads
from evo.storage import store
from evo.storage.store import VERSION
from tests.evo.tiny import (
    SPEC,
    environment,
    machine_line_of,
    one_line_of,
    own_task_spec,
    process,
    spec_file,
    stops_after,
    stored,
)
from tests.products import some_of

EVERYTHING = [(island, epoch) for island in range(3) for epoch in range(3)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A finished run of the tiny spec."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return evo.run(spec_file(folder), folder / "run", workers=0)


@pytest.fixture
def copy(undisturbed, tmp_path):
    """The finished run, to be damaged."""
    return shutil.copytree(undisturbed.folder, tmp_path / "copy")


def stopped(folder, epochs):
    """A run stopped by Ctrl-C after some epochs."""
    with pytest.raises(KeyboardInterrupt):
        evo.run(spec_file(folder), folder / "run", workers=0, observe=stops_after(epochs))
    return folder / "run"


def dump(folder):
    """Everything in the store, as text."""
    with closing(sqlite3.connect(folder / "run.db")) as db:
        return list(db.iterdump())


def opened(folder):
    """The digest of the run's archive; None if opening it is refused in one line that names the store."""
    try:
        return evo.open_run(folder).archive_sha256
    except UserError as error:
        message = str(error)
    assert "\n" not in message
    assert str(folder / "run.db") in message
    return None


# -- running


def test_a_run_without_ray_ends_finished_with_a_front_and_motifs(undisturbed):
    assert undisturbed.state == "finished"
    assert undisturbed.finished
    assert undisturbed.generation == 6
    assert undisturbed.evaluations == 3 * 12 * 7  # founders and six generations
    assert stored(undisturbed.folder) == EVERYTHING
    held_out = [m.held_out for m in undisturbed.front]
    assert held_out == sorted(held_out, reverse=True)
    assert [m.rank for m in undisturbed.front] == list(range(len(held_out)))
    motif = undisturbed.motif(rank=len(held_out) - 1)
    assert motif.circuit == undisturbed.front[-1].circuit
    assert motif.provenance.seed == 3
    assert motif.provenance.task == {"name": "gate", "volleys": 1}
    assert "there is no rank" in one_line_of(lambda: undisturbed.motif(rank=len(held_out)))
    assert sorted(p.name for p in undisturbed.folder.iterdir()) == ["run.db", "run.toml"]


def test_the_front_scores_what_the_task_says_of_its_circuits(undisturbed):
    spec = undisturbed.spec
    task = spec.make_task()
    search, held_out, validation = (task.trials((spec.search.seed, part), 16) for part in range(3))
    for member in undisturbed.front:
        assert task.evaluate(member.circuit, search, dtype="float32").value == pytest.approx(member.score)
        assert task.evaluate(member.circuit, validation, dtype="float32").value == pytest.approx(member.validation)
        found = task.evaluate(member.circuit, held_out, dtype="float32")
        assert found.value == pytest.approx(member.held_out)
        assert task.interval(found, held_out) == pytest.approx((member.low, member.high))
        assert member.low <= member.held_out <= member.high
        assert member.objectives["wiring"] == member.circuit.synapse_count


def test_the_same_spec_again_gives_the_same_archive_and_another_seed_another(undisturbed, tmp_path):
    again = evo.run(spec_file(tmp_path), tmp_path / "again", workers=0)
    other = evo.run(spec_file(tmp_path), tmp_path / "other", workers=0, seed=4)
    assert again.archive_sha256 == undisturbed.archive_sha256 != other.archive_sha256


def test_any_number_of_workers_ends_in_the_same_archive(undisturbed, tmp_path, on_ray):
    spec = spec_file(tmp_path)
    assert on_ray("run", spec, tmp_path / "2") == undisturbed.archive_sha256
    assert stored(tmp_path / "2") == EVERYTHING
    (tmp_path / "own").mkdir()
    own = own_task_spec(tmp_path / "own")
    assert on_ray("run", own, tmp_path / "own-2") == evo.run(own, tmp_path / "own-0", workers=0).archive_sha256


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_workers_of_a_ray_of_its_own_ends_in_the_same_archive(undisturbed, tmp_path, workers):
    """Slow, since Ray is started for each: in `make test` runs of several workers share one."""
    done = process(tmp_path, "run", spec_file(tmp_path), "--out", "run", "--workers", workers)
    assert done.returncode == 0, done.stderr
    assert evo.open_run(tmp_path / "run").archive_sha256 == undisturbed.archive_sha256
    assert stored(tmp_path / "run") == EVERYTHING


# -- stopping and going on


@pytest.mark.parametrize("epochs", some_of(list(range(1, 10)), few=[1, 5, 9]))
def test_a_resumed_run_ends_in_the_same_archive_and_repeats_nothing(undisturbed, tmp_path, epochs):
    folder = stopped(tmp_path, epochs)
    before = stored(folder)
    assert len(before) == epochs
    assert evo.open_run(folder).state == ("stopped" if epochs < 9 else "finished")
    repeated = []
    done = evo.resume(folder, workers=0, observe=lambda result: repeated.append((result.island, result.epoch)))
    assert done.archive_sha256 == undisturbed.archive_sha256
    assert sorted(before + repeated) == EVERYTHING
    assert done.evaluations == undisturbed.evaluations
    assert [e["log"] for e in done.epochs] == [e["log"] for e in undisturbed.epochs]


def test_a_run_stopped_again_and_again_ends_in_the_same_archive(undisturbed, tmp_path):
    folder = stopped(tmp_path, 1)
    for _ in range(7):
        with pytest.raises(KeyboardInterrupt):
            evo.resume(folder, workers=0, observe=stops_after(1))
    assert evo.resume(folder, workers=0).archive_sha256 == undisturbed.archive_sha256


def test_a_run_killed_before_it_had_a_store_can_be_resumed(undisturbed, copy):
    (copy / "run.db").unlink()
    (copy / ".run.db.part").write_bytes(b"half a store")
    assert evo.resume(copy, workers=0).archive_sha256 == undisturbed.archive_sha256


def test_resuming_a_finished_run_changes_nothing(undisturbed, copy):
    before, seen = dump(copy), []
    done = evo.resume(copy, workers=0, observe=seen.append)
    assert seen == []
    assert dump(copy) == before
    assert done.archive_sha256 == undisturbed.archive_sha256
    assert sorted(p.name for p in copy.iterdir()) == ["run.db", "run.toml"]


def test_a_run_shows_itself_as_running_while_it_runs(tmp_path):
    seen = []

    def observe(result):
        run = evo.open_run(tmp_path / "run")
        seen.append((run.state, run.generation, len(run.epochs), run.archive_sha256))

    run = evo.run(spec_file(tmp_path), tmp_path / "run", workers=0, observe=observe)
    assert {state for state, *_ in seen} == {"running"}
    assert [generation for _, generation, *_ in seen] == [0, 0, 2, 2, 2, 4, 4, 4, 6]
    assert [epochs for _, _, epochs, _ in seen] == list(range(1, 10))
    assert seen[-1][3] == run.archive_sha256


@pytest.mark.long
def test_a_run_that_is_running_is_not_resumed_by_another_process(tmp_path):
    refused = []

    def observe(result):
        code = f"import evo; evo.resume({str(tmp_path / 'run')!r}, workers=0)"
        if not refused:
            done = subprocess.run(
                [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=60, check=False
            )
            refused.append(done)

    evo.run(spec_file(tmp_path), tmp_path / "run", workers=0, observe=observe)
    assert refused[0].returncode != 0
    assert f"{tmp_path / 'run'}: another process is running it" in refused[0].stderr.splitlines()[-1]


# -- folders that are refused


def test_a_folder_with_a_run_in_it_is_refused_and_left_alone(undisturbed, copy, tmp_path):
    before = dump(copy), (copy / "run.toml").read_bytes()
    message = one_line_of(lambda: evo.run(spec_file(tmp_path), copy, workers=0))
    assert f"{copy}: already holds a run" in message
    assert f"evo resume {copy}" in message
    assert (dump(copy), (copy / "run.toml").read_bytes()) == before
    (copy / "run.toml").unlink()
    assert "already holds a run" in one_line_of(lambda: evo.run(spec_file(tmp_path), copy, workers=0))


def test_a_run_goes_to_the_first_free_folder_by_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [evo.run(spec_file(tmp_path), workers=0, generations=1, islands=1).folder for _ in range(2)]
    assert [str(name) for name in names] == ["runs/tiny-1", "runs/tiny-2"]


@pytest.mark.parametrize("change", [("seed = 3", "seed = 4"), ("trials = 16", "trials = 17"), ("gate", "order")])
def test_a_run_whose_spec_was_changed_is_not_resumed(copy, change):
    path = copy / "run.toml"
    path.write_text(path.read_text().replace(*change).replace("volleys = 1\n", "" if change[1] == "order" else "volleys = 1\n"))
    before = dump(copy)
    message = one_line_of(lambda: evo.resume(copy, workers=0))
    assert f"{path}: was changed since the run began" in message
    assert dump(copy) == before


def test_a_run_whose_bounds_were_changed_is_not_opened(copy):
    path = copy / "run.toml"
    text = path.read_text()
    path.write_text(text.replace("neurons = [\n    3,\n    6,\n]", "neurons = [\n    3,\n    9,\n]"))
    assert path.read_text() != text
    assert "run.db: does not fit run.toml" in one_line_of(lambda: evo.open_run(copy))


def test_a_folder_without_a_run_is_refused(tmp_path):
    assert "there is no such folder" in one_line_of(lambda: evo.open_run(tmp_path / "absent"))
    for call in (lambda: evo.open_run(tmp_path), lambda: evo.resume(tmp_path, workers=0)):
        assert f"{tmp_path}: holds no run" in one_line_of(call)
    spec_file(tmp_path).rename(tmp_path / "run.toml")
    assert f"{tmp_path}: holds no run" in one_line_of(lambda: evo.open_run(tmp_path))


@pytest.mark.parametrize("workers", ["many", -1, "-2", "1.5", 10**9])
def test_a_wrong_number_of_workers_is_refused(tmp_path, workers):
    assert "--workers" in one_line_of(lambda: evo.run(spec_file(tmp_path), tmp_path / "run", workers=workers))
    assert not (tmp_path / "run").exists()


# -- stores that are refused


@pytest.mark.parametrize(("version", "age", "remedy"), [(99, "newer", "update"), (2, "older", "open it with that one")])
def test_a_store_of_another_version_is_refused(copy, version, age, remedy):
    with closing(sqlite3.connect(copy / "run.db")) as db:
        db.execute(f"PRAGMA user_version = {version}")
    for call in (lambda: evo.open_run(copy), lambda: evo.resume(copy, workers=0)):
        message = one_line_of(call)
        for part in (str(copy / "run.db"), f"{age} evocircuits", f"store version {version}, this one reads {VERSION}", remedy):
            assert part in message


def test_a_store_cut_short_anywhere_is_one_line_and_never_a_traceback(undisturbed, copy):
    whole = (copy / "run.db").read_bytes()
    lengths = {0, 1, 15, 16, 17, 99, 100, 101, len(whole) - 1, len(whole) - 4096}
    lengths |= {len(whole) * k // 40 for k in range(40)} | {4096 * k for k in range(1, len(whole) // 4096, 3)}
    for length in sorted(lengths):
        (copy / "run.db").write_bytes(whole[:length])
        if length <= len(whole) - 4096:
            assert opened(copy) is None
        else:
            assert opened(copy) in (None, undisturbed.archive_sha256)  # what was cut off may be padding


@pytest.mark.long
def test_a_damaged_store_is_one_line_or_opens_as_it_was(undisturbed, copy):
    whole = (copy / "run.db").read_bytes()
    refused = 0
    for start in range(0, len(whole), max(256, len(whole) // 200)):
        data = bytearray(whole)
        data[start : start + 512] = bytes(len(data[start : start + 512]))
        (copy / "run.db").write_bytes(data)
        found = opened(copy)
        assert found in (None, undisturbed.archive_sha256)  # a hole may be in what the archive does not need
        refused += found is None
    assert refused > 30


def test_a_store_whose_writer_was_killed_in_the_middle_opens_as_it_was_before(undisturbed, copy, tmp_path):
    torn = tmp_path / "torn"
    with closing(sqlite3.connect(copy / "run.db", isolation_level=None)) as db:
        db.execute("PRAGMA cache_size = 1")  # so that pages are written before the end of the transaction
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE state SET state = zeroblob(length(state))")
        shutil.copytree(copy, torn)
        db.execute("ROLLBACK")
    assert (torn / "run.db-journal").stat().st_size > 512
    assert (torn / "run.db").read_bytes() != (copy / "run.db").read_bytes()
    assert evo.open_run(torn).archive_sha256 == undisturbed.archive_sha256


@pytest.mark.parametrize("content", [b"", b"\0" * 8192, b"not a database at all\n" * 400, SPEC.encode()])
def test_a_file_that_is_no_store_is_one_line(copy, content):
    (copy / "run.db").write_bytes(content)
    for call in (lambda: evo.open_run(copy), lambda: evo.resume(copy, workers=0)):
        assert str(copy / "run.db") in one_line_of(call)


def test_the_database_of_another_program_is_refused(copy):
    (copy / "run.db").unlink()
    with closing(sqlite3.connect(copy / "run.db")) as db:
        db.execute("CREATE TABLE run (key, value)")
        db.commit()
    assert "not the store of a run" in one_line_of(lambda: evo.open_run(copy))


def test_a_locked_store_is_one_line_and_the_run_goes_on_once_it_is_free(undisturbed, tmp_path, monkeypatch):
    folder = stopped(tmp_path, 4)
    monkeypatch.setattr(store, "TIMEOUT_S", 0.2)
    with closing(sqlite3.connect(folder / "run.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        message = machine_line_of(lambda: evo.resume(folder, workers=0))
        assert str(folder / "run.db") in message
        assert "locked by another program" in message
        other.execute("ROLLBACK")
    assert len(stored(folder)) == 4
    assert evo.resume(folder, workers=0).archive_sha256 == undisturbed.archive_sha256


def test_a_store_locked_in_the_middle_of_a_run_loses_nothing(undisturbed, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "TIMEOUT_S", 0.2)
    others = []

    def observe(result):
        if (result.island, result.epoch) == (1, 1):
            others.append(sqlite3.connect(tmp_path / "run" / "run.db", isolation_level=None))
            others[0].execute("BEGIN IMMEDIATE")

    message = machine_line_of(lambda: evo.run(spec_file(tmp_path), tmp_path / "run", workers=0, observe=observe))
    assert "locked by another program" in message
    others[0].close()
    assert len(stored(tmp_path / "run")) == 5
    assert evo.resume(tmp_path / "run", workers=0).archive_sha256 == undisturbed.archive_sha256


def test_a_settled_store_that_is_locked_is_one_line(copy, monkeypatch):
    monkeypatch.setattr(store, "TIMEOUT_S", 0.2)
    with closing(sqlite3.connect(copy / "run.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "locked by another program" in machine_line_of(lambda: evo.open_run(copy))


def test_a_full_disk_loses_nothing_that_is_stored(undisturbed, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("needs root to mount a small file system")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("may not mount a small file system here")
    try:
        with pytest.raises(KeyboardInterrupt):
            evo.run(spec_file(tmp_path), disk / "run", workers=0, observe=stops_after(3))
        before = stored(disk / "run")
        filler = disk / "filler"
        with suppress(OSError), open(filler, "wb", buffering=0) as file:
            while file.write(b"x" * 1024):
                pass
        for _ in range(2):
            message = machine_line_of(lambda: evo.resume(disk / "run", workers=0))
            assert str(disk / "run" / "run.db") in message
        assert len(machine_line_of(lambda: evo.run(spec_file(tmp_path), disk / "other", workers=0))) < 300
        filler.unlink()
        assert stored(disk / "run") == before
        assert evo.resume(disk / "run", workers=0).archive_sha256 == undisturbed.archive_sha256
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_store_that_may_not_grow_keeps_what_it_has(undisturbed, tmp_path, monkeypatch):
    folder = stopped(tmp_path, 4)
    connect = sqlite3.connect

    def small(*arguments, **options):
        db = connect(*arguments, **options)
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
        return db

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", small)
        message = machine_line_of(lambda: evo.resume(folder, workers=0))
    assert "the disk is full; make room, then run evo resume" in message
    assert len(stored(folder)) >= 4
    assert evo.resume(folder, workers=0).archive_sha256 == undisturbed.archive_sha256


@pytest.mark.long
def test_a_finished_run_opens_in_a_folder_that_is_read_only(undisturbed):
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv, to be somebody who may not write")
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as cache:
        folder = shutil.copytree(undisturbed.folder, Path(place) / "run")
        for path, mode in ((place, 0o755), (folder, 0o755), (cache, 0o777)):
            os.chmod(path, mode)
        code = f"import evo; print(evo.open_run({str(folder)!r}).archive_sha256)"
        command = ["setpriv", "--reuid=65534", "--clear-groups", sys.executable, "-c", code]
        variables = environment() | {"NUMBA_CACHE_DIR": cache, "MPLCONFIGDIR": cache, "HOME": cache}
        done = subprocess.run(command, env=variables, cwd="/", capture_output=True, text=True, check=False)
        if sys.executable in done.stderr and ("Permission denied" in done.stderr or "shared object" in done.stderr):
            pytest.skip("this Python may not be run by others")
        assert done.stdout.strip() == undisturbed.archive_sha256, done.stderr
        assert sorted(path.name for path in folder.iterdir()) == ["run.db", "run.toml"]


# -- targets, locks, everything at once


TARGET = {"target": 0.3, "generations": 40}


def test_a_run_with_a_target_ends_when_it_is_reached_the_same_wherever_it_is_computed(tmp_path, on_ray):
    spec = spec_file(tmp_path, **TARGET)
    run = evo.run(spec, tmp_path / "a", workers=0)
    assert run.state == "finished"
    assert run.progress.ended == "target"
    assert run.progress.best >= 0.3
    assert 0 < run.generation < 40
    latest = max(row["epoch"] for row in run.epochs)
    assert sorted((row["island"], row["epoch"]) for row in run.epochs) == [(i, e) for i in range(3) for e in range(latest + 1)]
    before = [row["log"][-1]["validation"] for row in run.epochs if row["epoch"] < latest]
    assert max(before, default=0) < 0.3
    assert on_ray("run", spec, tmp_path / "b") == run.archive_sha256
    for count in range(1, len(run.epochs)):
        with suppress(KeyboardInterrupt):
            evo.run(spec, tmp_path / f"c{count}", workers=0, observe=stops_after(count))
        assert evo.resume(tmp_path / f"c{count}", workers=0).archive_sha256 == run.archive_sha256
    assert evo.resume(tmp_path / "a", workers=0).archive_sha256 == run.archive_sha256


ENDS = {
    "evaluations": {"evaluations": 150},
    "stagnation": {"stagnation": 3},
    "seconds": {"seconds": 1e-9},
}


@pytest.mark.parametrize("end", ENDS)
def test_a_run_ends_with_its_budget_after_an_epoch_of_all_islands(tmp_path, end):
    run = evo.run(spec_file(tmp_path, generations=100, **ENDS[end]), tmp_path / "run", workers=0)
    assert run.state == "finished"
    assert run.progress.ended == end
    assert len(set(run.progress.epoch)) == 1
    assert run.generation < 100
    if end == "evaluations":
        last = sum(row["evaluations"] for row in run.epochs if row["epoch"] == run.progress.epoch[0])
        assert 150 <= run.evaluations < 150 + last
    if end == "stagnation":
        assert run.generation - run.progress.best_generation >= 3
        seen = [row["validation"] for epoch in run.epochs for row in epoch["log"]]
        later = [r["validation"] for e in run.epochs for r in e["log"] if r["generation"] > run.progress.best_generation]
        assert max(later, default=0) <= max(seen) == run.progress.best


def test_a_run_that_goes_on_to_more_generations_is_the_one_that_was_longer_from_the_start(tmp_path, on_ray):
    straight = evo.run(spec_file(tmp_path, generations=8), tmp_path / "straight", workers=0)
    for first, folder in ((4, "whole"), (6, "stopped")):
        observe = stops_after(8) if folder == "stopped" else None
        with suppress(KeyboardInterrupt):
            evo.run(spec_file(tmp_path, generations=first), tmp_path / folder, workers=0, observe=observe)
        copy = shutil.copytree(tmp_path / folder, tmp_path / f"{folder}-on-ray")
        assert on_ray("resume", copy, generations=8) == straight.archive_sha256
        longer = evo.resume(tmp_path / folder, workers=0, generations=8)
        assert longer.archive_sha256 == straight.archive_sha256
        assert longer.spec_sha256 == straight.spec_sha256
        assert longer.spec.search.generations == 8


def test_a_last_epoch_cut_short_is_gone_on_from_by_all_islands(tmp_path):
    with suppress(KeyboardInterrupt):
        evo.run(spec_file(tmp_path, generations=5), tmp_path / "run", workers=0, observe=stops_after(7))
    run = evo.resume(tmp_path / "run", workers=0, generations=8)
    assert run.progress.generation == [8, 8, 8]
    generations = [row["generation"] for epoch in run.epochs if epoch["island"] == 1 for row in epoch["log"]]
    assert generations == list(range(9))


def test_going_on_lifts_what_ended_the_run_and_refuses_to_go_back(tmp_path):
    run = evo.run(spec_file(tmp_path, **TARGET), tmp_path / "run", workers=0)
    longer = evo.resume(tmp_path / "run", workers=0, generations=run.generation + 2)
    assert longer.generation == run.generation + 2
    assert longer.spec.search.target is None
    assert "is at generation" in one_line_of(lambda: evo.resume(tmp_path / "run", workers=0, generations=1))


def test_a_lock_held_by_a_reader_of_the_status_goes_away(tmp_path):
    folder = stopped(tmp_path, 1)
    with open(folder / "run.toml", "rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert evo.open_run(folder).state == "running"
        with pytest.raises(MachineError, match="another process"):
            evo.resume(folder, workers=0)
    assert evo.open_run(folder).state == "stopped"


RICH = (
    SPEC.replace("volleys = 1", "volleys = 2")
    .replace("[circuit]\n", '[circuit]\nsynapse_model = "short_term"\n')
    .replace(
        "[search]",
        """use = [0.2, 0.9]
[circuit.types.PYR]
sign = "E"
[circuit.types.PV]
sign = "I"
projects_to = ["PYR"]
parameters = { tau_m_ms = 10 }
[circuit.types.SST]
sign = "I"
inputs = false
[search]""",
    )
    .replace("trials = 16", "trials = 100", 1)
    + """
[search.stop]
rate_hz = 60
"""
)


RICHER = RICH.replace("[circuit]\n", '[circuit]\nneuron_model = "alif_psc_exp"\nnoise_mv = 2.0\n').replace(
    "tau_m_ms = 10", "theta_jump_mv = 0"
)


@pytest.mark.parametrize(("text", "noise_mv"), [(RICH, 0.0), pytest.param(RICHER, 2.0, marks=pytest.mark.slow)])
def test_a_run_with_types_plasticity_and_a_rule_is_the_same_anywhere_and_what_its_motifs_say(tmp_path, on_ray, text, noise_mv):
    spec = spec_file(tmp_path, text)
    run = evo.run(spec, tmp_path / "a", workers=0)
    assert on_ray("run", spec, tmp_path / "b") == run.archive_sha256
    assert run.saved > 0
    task = fitness.task("gate", volleys=2)
    trials = task.trials((3, 1), 16)
    for member in run.front:
        motif = loads(dumps(run.motif(member.rank)))
        assert {n.type for n in motif.neurons} <= {"PYR", "PV", "SST"}
        assert all(s.short_term for s in motif.synapses)
        assert motif.noise_mv == noise_mv
        assert task.evaluate(motif.circuit, trials, dtype="float32").value == pytest.approx(member.held_out, abs=1e-12)
