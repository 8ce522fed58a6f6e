"""kill -9 at random moments: nothing stored is lost, nothing stored is repeated, and the archive is the undisturbed run's."""

import json
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

import evo
from tests.evo.tiny import cli, kill_group, spec_file, started, stored

ISLANDS, EPOCHS = 3, 100


@pytest.fixture
def undisturbed(tmp_path):
    """The archive that every run here must end in."""
    return evo.run(spec_file(tmp_path, generations=2 * EPOCHS), tmp_path / "undisturbed", workers=0).archive_sha256


def log_of(folder):
    """What is stored of every epoch: it must never change again."""
    if not (folder / "run.db").exists():
        return {}
    with closing(sqlite3.connect(folder / "run.db")) as db:
        return {row[:2]: row[2:] for row in db.execute("SELECT island, epoch, elapsed, timings, log FROM epoch")}


def attempt(folder, workers):
    """Start the run, or go on with it."""
    go_on = ("resume", folder) if (folder / "run.toml").exists() else ("run", "tiny.toml", "--out", folder)
    return started(folder.parent, *go_on, "--workers", workers)


def processes(session):
    """The processes of a session: {pid: command line}."""
    found = {}
    for place in Path("/proc").iterdir():
        try:
            if place.name.isdigit() and int((place / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                found[int(place.name)] = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
    return found


def survived(folder, before):
    """The folder reads as it did before the kill or with more in it; returns what is stored now."""
    if (folder / "run.db").exists():
        status = cli(folder.parent, "status", folder, "--json")
        assert status.returncode == 0, status.stderr
        assert json.loads(status.stdout)["state"] in ("stopped", "finished")
    now = log_of(folder)
    assert before.items() <= now.items()
    return now


def finish(folder, workers, undisturbed):
    done = attempt(folder, workers)
    out, err = done.communicate(timeout=300)
    assert done.returncode == 0, out + err
    assert evo.open_run(folder).archive_sha256 == undisturbed
    assert stored(folder) == [(island, epoch) for island in range(ISLANDS) for epoch in range(EPOCHS)]


def test_a_run_killed_at_any_moment_ends_in_the_archive_of_the_undisturbed_one(tmp_path, undisturbed):
    rng, folder, before = random.Random(1), tmp_path / "run", {}
    for _ in range(3):
        process = attempt(folder, 0)
        time.sleep(rng.uniform(0.8, 3))
        kill_group(process)
        before = survived(folder, before)
    finish(folder, 0, undisturbed)
    assert before.items() <= log_of(folder).items()


def test_a_run_killed_while_its_folder_is_made_can_be_resumed_or_started(tmp_path):
    spec_file(tmp_path, generations=2)
    for k in range(4):
        folder = tmp_path / f"run{k}"
        process = attempt(folder, 0)
        while process.poll() is None and not folder.exists():
            time.sleep(0.001)
        time.sleep(0.01 * k)
        kill_group(process)
        done = attempt(folder, 0)
        assert done.wait(timeout=60) == 0, done.communicate()
        assert evo.open_run(folder).state == "finished"


@pytest.mark.slow
def test_a_run_on_ray_survives_the_death_of_any_of_its_processes(tmp_path):
    generations = 2 * 1000
    undisturbed = evo.run(spec_file(tmp_path, generations=generations), tmp_path / "undisturbed", workers=0)
    rng, folder, before, kills = random.Random(2), tmp_path / "run", {}, {"driver": 0, "worker": 0, "everything": 0}
    sessions = set()
    while sum(kills.values()) < 21:
        process = attempt(folder, 2)
        sessions.add(process.pid)
        time.sleep(rng.uniform(4, 14))
        what = rng.choice(sorted(kills))
        workers = [pid for pid, line in processes(process.pid).items() if line.startswith("ray::")]
        if what == "worker" and process.poll() is None and workers:
            for pid in rng.sample(workers, 1):
                subprocess.run(["kill", "-9", str(pid)], check=False)
            time.sleep(rng.uniform(1, 4))
        if what == "driver":
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=30)
            time.sleep(rng.uniform(0, 2))
        leftovers(process)
        kills[what] += 1
        before = survived(folder, before)
    assert all(kills.values())
    done = attempt(folder, 2)
    out, err = done.communicate(timeout=600)
    leftovers(done)
    assert done.returncode == 0, out + err
    assert evo.open_run(folder).archive_sha256 == undisturbed.archive_sha256
    assert len(stored(folder)) == ISLANDS * 1000
    assert before.items() <= log_of(folder).items()


def leftovers(process):
    """kill -9 of everything that the command started, its Ray included."""
    for pid in processes(process.pid):
        subprocess.run(["kill", "-9", str(pid)], check=False, stderr=subprocess.DEVNULL)
    process.communicate(timeout=30)
