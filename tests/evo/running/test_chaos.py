"""Whatever is done to a run: nothing stored is lost, nothing stored is repeated, the archive is the undisturbed run's.

`make chaos` counts its kill -9: 120 of a run without Ray here, and those of test_ray_chaos.py.
"""

import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing, suppress

import pytest

import evo
from circuits.errors import MachineError
from tests.evo.tiny import (
    cli,
    command,
    environment,
    kill_group,
    machine_line_of,
    process,
    spec_file,
    started,
    stops_after,
    stored,
)

pytestmark = pytest.mark.long

ISLANDS, EPOCHS = 3, 20
EVERYTHING = [(island, epoch) for island in range(ISLANDS) for epoch in range(EPOCHS)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The archive that every run here must end in."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return evo.run(spec_file(folder, generations=2 * EPOCHS), folder / "run", workers=0).archive_sha256


@pytest.fixture
def place(tmp_path, undisturbed):
    """A folder with the spec."""
    spec_file(tmp_path, generations=2 * EPOCHS)
    return tmp_path


def log_of(folder):
    """What is stored of every epoch: it must never change again."""
    if not (folder / "run.db").exists():
        return {}
    with closing(sqlite3.connect(folder / "run.db")) as db:
        return {row[:2]: row[2:] for row in db.execute("SELECT island, epoch, elapsed, timings, log FROM epoch")}


def attempt(folder, *options):
    """Start the run, or go on with it."""
    return started(folder.parent, *go_on(folder), *(options or ("--workers", 0)))


def go_on(folder):
    return ("resume", folder) if (folder / "run.toml").exists() else ("run", "tiny.toml", "--out", folder)


def survived(folder, before):
    """The folder reads as it did before the kill, or with more in it; returns what is stored now."""
    if (folder / "run.db").exists():
        assert evo.open_run(folder).state in ("stopped", "finished")
    now = log_of(folder)
    assert before.items() <= now.items()
    return now


def finish(folder, undisturbed, *options):
    if options:
        done = process(folder.parent, *go_on(folder), *options, timeout=300)
    else:
        done = cli(folder.parent, *go_on(folder), "--workers", 0)
    assert done.returncode == 0, done.stdout + done.stderr
    assert evo.open_run(folder).archive_sha256 == undisturbed
    assert stored(folder) == EVERYTHING


def moment(rng, folder, running):
    """Wait for a random moment: while it starts, or after it has stored something new."""
    log, size = folder / "run.db-wal", -1
    if rng.random() < 0.3:
        time.sleep(rng.uniform(0, 1.5))
        return
    end = time.monotonic() + 60
    while running.poll() is None and time.monotonic() < end:
        with suppress(OSError):
            before, size = size, log.stat().st_size
            if 0 <= before < size:
                break
        time.sleep(0.005)
    time.sleep(rng.uniform(0, 0.4))


def killed_again_and_again(place, kills, seed, undisturbed):
    """Runs killed at random moments until so many kills are done; those that end are looked at, and new ones are begun."""
    rng, folder, before, done, ended = random.Random(seed), place / "run-0", {}, 0, 0
    while done < kills:
        running = attempt(folder)
        moment(rng, folder, running)
        done += running.poll() is None
        kill_group(running)
        before = survived(folder, before)
        if len(before) == len(EVERYTHING):
            finish(folder, undisturbed)
            assert before == log_of(folder)
            ended += 1
            folder, before = place / f"run-{ended}", {}
    finish(folder, undisturbed)
    assert before.items() <= log_of(folder).items()
    return ended


def test_a_run_killed_at_any_moment_ends_in_the_archive_of_the_undisturbed_one(place, undisturbed):
    killed_again_and_again(place, 1, 1, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_runs_killed_thirty_times_each_end_in_the_archive_of_the_undisturbed_one(place, undisturbed, seed):
    assert killed_again_and_again(place, 30, seed, undisturbed) >= 1


@pytest.mark.parametrize("after_s", [0.01, *(pytest.param(0.01 * k, marks=pytest.mark.slow) for k in (0, 2, 3))])
def test_a_run_killed_while_its_folder_is_made_can_be_resumed_or_started(tmp_path, after_s):
    spec_file(tmp_path, generations=2)
    folder = tmp_path / "run"
    running = attempt(folder)
    while running.poll() is None and not folder.exists():
        time.sleep(0.001)
    time.sleep(after_s)
    kill_group(running)
    done = cli(tmp_path, *go_on(folder), "--workers", 0)
    assert done.returncode == 0, done.stderr
    assert evo.open_run(folder).state == "finished"


# -- other faults


@pytest.mark.slow  # stopping by one signal, and going on: test_cli.py
def test_a_run_stopped_by_signals_one_after_the_other_loses_nothing(place, undisturbed):
    rng, folder, before = random.Random(5), place / "run", {}
    for name in ("SIGTERM", "SIGINT", "SIGTERM"):
        running = attempt(folder)
        moment(rng, folder, running)
        running.send_signal(getattr(signal, name))
        start = time.monotonic()
        running.communicate(timeout=60)
        assert time.monotonic() - start < 20
        before = survived(folder, before)
    finish(folder, undisturbed)
    assert before.items() <= log_of(folder).items()


def test_a_clock_that_jumps_by_days_and_years_changes_nothing(place, undisturbed, monkeypatch):
    real, rng = time.time, random.Random(7)
    monkeypatch.setattr(time, "time", lambda: real() + rng.choice((-1, 1)) * rng.uniform(0, 400 * 86_400))
    monkeypatch.setattr(time, "time_ns", lambda: int(time.time() * 1e9))
    run = evo.run(place / "tiny.toml", place / "run", workers=0)
    assert run.archive_sha256 == undisturbed
    elapsed = [row["elapsed"] for row in sorted(run.epochs, key=lambda row: (row["epoch"], row["island"]))]
    assert elapsed == sorted(elapsed)
    assert 0 < elapsed[-1] < 600


@pytest.mark.slow  # a full file system: test_run.py
def test_a_file_that_may_not_grow_any_more_is_one_line_and_loses_nothing(place, undisturbed):
    """By the limit of a process on the size of its files: what a quota does."""
    with suppress(KeyboardInterrupt):
        evo.run(place / "tiny.toml", place / "run", workers=0, observe=stops_after(20))
    before = log_of(place / "run")
    limit = (place / "run" / "run.db").stat().st_size + 20_000
    done = subprocess.run(
        command("resume", "run", "--workers", 0), cwd=place, env=environment(), capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)), check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "run.db" in done.stderr
    now = survived(place / "run", before)
    assert len(EVERYTHING) > len(now) >= len(before)
    finish(place / "run", undisturbed)


def test_a_file_system_that_has_become_read_only_is_one_line_and_the_run_goes_on_later(place, undisturbed):
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("needs root to mount a file system")
    disk = place / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", disk], capture_output=True, check=False).returncode:
        pytest.skip("may not mount a file system here")
    try:
        with suppress(KeyboardInterrupt):
            evo.run(place / "tiny.toml", disk / "run", workers=0, observe=stops_after(20))
        before = log_of(disk / "run")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        message = machine_line_of(lambda: evo.resume(disk / "run", workers=0))
        assert "run.db" in message
        assert len(evo.open_run(disk / "run").epochs) == 20
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        finish(disk / "run", undisturbed)
        assert before.items() <= log_of(disk / "run").items()
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.slow
def test_somebody_who_reads_all_the_time_neither_stops_a_run_nor_sees_half_of_it(place, undisturbed):
    running = attempt(place / "run")
    while running.poll() is None and not (place / "run" / "run.db").exists():
        time.sleep(0.01)
    with closing(sqlite3.connect(place / "run" / "run.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        count = "SELECT (SELECT count(*) FROM epoch), (SELECT sum(epoch + 1) FROM state)"
        first = reader.execute(count).fetchone()
        while running.poll() is None:
            epochs, states = reader.execute(count).fetchone()
            assert (epochs, states) == first
            assert epochs == (states or 0)
            if random.random() < 0.1:
                reader.execute("COMMIT")
                reader.execute("BEGIN")
                first = reader.execute(count).fetchone()
            time.sleep(0.005)
        out, err = running.communicate()
        assert running.returncode == 0, out + err
    assert evo.open_run(place / "run").archive_sha256 == undisturbed


def on_a_plain_processor(folder, epochs):
    """Go on with the run for some epochs with machine code for a processor without vector units."""
    code = f"""
        import evo
        from tests.evo.tiny import stops_after
        try:
            evo.resume({str(folder)!r}, workers=0, observe=stops_after({epochs}))
        except KeyboardInterrupt:
            pass
    """
    variables = environment() | {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=variables, check=True, timeout=300)


@pytest.mark.slow
def test_a_run_that_goes_from_machine_to_machine_and_from_one_number_of_workers_to_another_is_the_same(place, undisturbed):
    with suppress(KeyboardInterrupt):
        evo.run(place / "tiny.toml", place / "run", workers=0, observe=stops_after(10))
    before, rng = survived(place / "run", {}), random.Random(8)
    for workers in (2, None, 1, 0, None, 3, 0):
        if workers is None:
            on_a_plain_processor(place / "run", 10)
        else:
            running = attempt(place / "run", "--workers", workers)
            moment(rng, place / "run", running)
            running.send_signal(signal.SIGTERM)
            running.communicate(timeout=60)
        before = survived(place / "run", before)
    assert len(before) > 30
    finish(place / "run", undisturbed, "--workers", 2)
    assert before.items() <= log_of(place / "run").items()


@pytest.mark.slow
def test_a_store_that_cannot_be_written_for_a_while_ends_the_run_or_is_waited_for_and_nothing_is_lost(place, undisturbed):
    """Another program holds the write lock, now for a moment, now for longer than a run waits."""
    seen = []

    def observe(result):
        seen.append(result)
        if len(seen) % 5 == 0:
            other = sqlite3.connect(place / "run" / "run.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            locks.append(other)

    locks, refused = [], 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evo.storage.store.TIMEOUT_S", 0.1)
        while len(stored(place / "run") if (place / "run" / "run.db").exists() else []) < len(EVERYTHING):
            again = evo.resume if (place / "run" / "run.toml").exists() else evo.run
            arguments = (place / "run",) if again is evo.resume else (place / "tiny.toml", place / "run")
            with suppress(MachineError):
                again(*arguments, workers=0, observe=observe)
            refused += len(locks)
            while locks:
                locks.pop().close()
    assert refused >= 10
    finish(place / "run", undisturbed)


@pytest.mark.slow
def test_status_says_what_is_stored_after_a_kill(place):
    running = attempt(place / "run")
    while running.poll() is None and len(log_of(place / "run")) < 10:
        time.sleep(0.05)
    kill_group(running)
    facts = json.loads(cli(place, "status", "run", "--json").stdout)
    assert facts["state"] == "stopped"
    assert facts["evaluations"] == sum(
        row["evaluations"] for epoch in evo.open_run(place / "run").epochs for row in epoch["log"]
    )
