"""Ray under a run: workers, nodes, the driver and the head killed; every run ends in the undisturbed one's archive.

`make chaos` counts its kill -9: 24 of drivers or everything, 50 of workers, 12 of nodes; and those of test_chaos.py.
"""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time

import pytest

import evo
from tests.evo.machines import family, kill, machines, workers
from tests.evo.running.test_chaos import attempt, log_of, survived
from tests.evo.tiny import environment, own_task_spec, spec_file, started, stored, wait_until

pytestmark = pytest.mark.slow
ISLANDS, LONG = 3, 50  # generations of an epoch: some tenths of a second


ARCHIVES: dict[int, str] = {}


def undisturbed(place, epochs):
    """The spec of a run with longer epochs in a folder, and the archive that it must end in."""
    spec = spec_file(place, generations=LONG * epochs, epoch=LONG, population=30)
    if epochs not in ARCHIVES:
        ARCHIVES[epochs] = evo.run(spec, place / "undisturbed", workers=0).archive_sha256
    return ARCHIVES[epochs]


def ended(folder, process, archive, epochs, timeout=600):
    out, err = process.communicate(timeout=timeout)
    assert process.returncode == 0, out + err
    assert "Traceback" not in err
    assert evo.open_run(folder).archive_sha256 == archive
    assert stored(folder) == [(island, epoch) for island in range(ISLANDS) for epoch in range(epochs)]
    return err


def test_a_run_on_ray_survives_that_its_driver_or_everything_is_killed(tmp_path):
    archive, epochs = undisturbed(tmp_path, 100), 100
    rng, folder, before, kills = random.Random(2), tmp_path / "run", {}, 0
    while kills < 24 and len(before) < ISLANDS * epochs:
        process = attempt(folder, "--workers", 2)
        wait_until(lambda known=before: len(log_of(folder)) > len(known), process, timeout=120)
        time.sleep(rng.uniform(0, 1))
        everything = family(process)
        kills += process.poll() is None
        if rng.random() < 0.5:
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=30)
            time.sleep(rng.uniform(0, 1))
        kill(everything)
        process.communicate(timeout=30)
        before = survived(folder, before)
    assert kills >= 20
    process = attempt(folder, "--workers", 2)
    ended(folder, process, archive, epochs)
    assert before.items() <= log_of(folder).items()


def test_workers_killed_all_the_time_only_cost_time(tmp_path):
    archive, epochs = undisturbed(tmp_path, 100), 100
    folder, rng, kills = tmp_path / "run", random.Random(3), 0
    process = attempt(folder, "--workers", 2)
    wait_until(lambda: log_of(folder), process, timeout=120)
    while process.poll() is None and kills < 50:
        kills += kill(rng.sample(found, 1) if (found := workers(family(process))) else [])
        time.sleep(rng.uniform(0.2, 1.5))
    ended(folder, process, archive, epochs)
    assert kills >= 20


def test_nodes_that_join_are_used_and_nodes_that_are_killed_only_cost_time(tmp_path):
    archive, epochs = undisturbed(tmp_path, 100), 100
    folder, rng, kills, busy = tmp_path / "run", random.Random(4), 0, 0
    with machines({}) as cluster:
        nodes = [cluster.add()]
        process = attempt(folder, "--address", cluster.address)
        wait_until(lambda: log_of(folder), process, timeout=120)
        while process.poll() is None and kills < 12:
            new = cluster.add()
            end = time.monotonic() + rng.uniform(1, 6)
            while time.monotonic() < end and process.poll() is None:
                time.sleep(0.2)
                busy += any(worker.command.startswith("ray::epoch") for worker in cluster.workers(new))
            nodes.append(new)
            cluster.remove(nodes.pop(rng.randrange(len(nodes))))
            kills += 1
        err = ended(folder, process, archive, epochs)
    assert "asks for no token" in err
    assert kills >= 6
    assert busy


@pytest.mark.parametrize("what", ["lose_the_head", "freeze_the_head"])
def test_a_run_whose_head_is_lost_ends_in_one_line_in_time_and_goes_on_elsewhere(tmp_path, what):
    archive, epochs = undisturbed(tmp_path, 400), 400  # more than can be done until it is noticed
    folder = tmp_path / "run"
    with machines({}, {}) as cluster:
        address = cluster.address  # a head that is gone does not tell it
        process = attempt(folder, "--address", address)
        wait_until(lambda: len(log_of(folder)) > 5, process, timeout=120)
        getattr(cluster, what)()
        start = time.monotonic()
        _, err = process.communicate(timeout=120)
        assert time.monotonic() - start < 90
        assert process.returncode == 1, err
        said = [line for line in err.splitlines() if line.startswith("evo:")]
        assert said == [
            f"evo: Ray at {address} no longer answers; everything finished is stored: once it is back, go on with evo resume"
        ]
        assert "Traceback" not in err
    before = survived(folder, {})
    process = attempt(folder, "--workers", 2)
    ended(folder, process, archive, epochs)
    assert before.items() <= log_of(folder).items()


def test_a_run_whose_own_ray_dies_ends_in_one_line_and_can_be_resumed(tmp_path):
    archive, epochs = undisturbed(tmp_path, 60), 60
    folder = tmp_path / "run"
    process = attempt(folder, "--workers", 2)
    wait_until(lambda: len(log_of(folder)) > 5, process, timeout=120)
    kill([p for p in family(process) if "/raylet/raylet " in p.command])
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1, err
    assert err.splitlines()[-1].startswith("evo: Ray has ended; everything finished is stored")
    assert "Traceback" not in err
    ended(folder, attempt(folder, "--workers", 2), archive, epochs)


OTHER_CODE = """
PACKAGES = ()


def digest():
    return "another-code"
"""


def other_code(place, empty):
    """A folder that shadows evocircuits, with another version or with nothing of it."""
    folder = place / "other" / "evo" / "cluster"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise ImportError('no evo here')" if empty else "")
    (folder / "__init__.py").write_text("")
    (folder / "code.py").write_text(OTHER_CODE)
    return {"PYTHONPATH": str(place / "other")}


@pytest.mark.parametrize("empty", [True, False])
def test_machines_without_this_code_get_it_sent(tmp_path, empty):
    archive, epochs = undisturbed(tmp_path, 10), 10
    with machines({}, other_code(tmp_path, empty)) as cluster:
        for name in ("first", "second"):
            err = ended(tmp_path / name, attempt(tmp_path / name, "--address", cluster.address), archive, epochs)
            assert "1 of 2 of the cluster's machines have no evocircuits, or another: this one's code is sent to all" in err


def test_a_machine_that_joins_later_with_other_code_gets_it_sent_too(tmp_path):
    archive, epochs = undisturbed(tmp_path, 60), 60
    folder = tmp_path / "run"
    with machines({}) as cluster:
        process = attempt(folder, "--address", cluster.address)
        wait_until(lambda: log_of(folder), process, timeout=120)
        cluster.add(cpus=2, **other_code(tmp_path, empty=False))
        err = ended(folder, process, archive, epochs)
    assert "from now on the code is sent to all machines" in err


def test_a_cluster_with_a_token_is_joined_with_it_and_not_without(tmp_path, monkeypatch):
    archive, epochs = undisturbed(tmp_path, 10), 10
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))  # where Ray looks for it
    with machines({}, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="t" * 32) as cluster:
        for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
            monkeypatch.delenv(name)
        for token, said in ((None, "asks for its token"), ("x" * 32, "refuses the token that is here")):
            if token:
                (tmp_path / ".ray").mkdir()
                (tmp_path / ".ray" / "auth_token").write_text(token)
            process = attempt(tmp_path / "run", "--address", cluster.address)
            _, err = process.communicate(timeout=120)
            assert process.returncode == 1
            assert len(err.splitlines()) == 1, err
            assert said in err
        (tmp_path / ".ray" / "auth_token").write_text("t" * 32)
        err = ended(tmp_path / "run", attempt(tmp_path / "run", "--address", cluster.address), archive, epochs)
        assert err == ""


def test_a_worker_that_hangs_where_no_alarm_reaches_it_is_given_up(tmp_path):
    archive, epochs = undisturbed(tmp_path, 60), 60
    folder = tmp_path / "run"
    code = f"""
        import evo, evo.cluster.tasks
        evo.cluster.tasks.MORE_S = 15
        print(evo.run({str(tmp_path / "tiny.toml")!r}, {str(folder)!r}, workers=2).archive_sha256)
    """
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], env=environment(), start_new_session=True, cwd=tmp_path, **pipes
    )
    wait_until(lambda: len(log_of(folder)) > 5, process, timeout=120)
    for worker in workers(family(process)):
        os.kill(worker.pid, signal.SIGSTOP)
    err = ended(folder, process, archive, epochs)
    assert "those that are due are started again" in err


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_stops_a_run_on_ray_within_seconds(tmp_path, name):
    own_task_spec(tmp_path, generations=100_000)
    process = started(tmp_path, "run", "tiny.toml", "--out", "run", "--workers", 2)
    wait_until(lambda: log_of(tmp_path / "run"), process, timeout=120)
    process.send_signal(getattr(signal, name))
    start = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - start < 20
    assert process.returncode == 130
    assert err.splitlines() == ["stopped; everything finished is stored. Go on with: evo resume run"]
    time.sleep(2)
    assert not family(process)
