"""One folder of runs for all tests of the lab, one server over it, and one browser."""

import os
import shutil
import signal
import socket
import threading
import time
from subprocess import Popen as Process

import pytest

import evo
from evo.web.control import Control
from evo.web.questions import Lab, RefusedError
from fitness.judges.simulated import Simulated
from tests.evo.tiny import own_task_spec, spec_file

TOKEN = "t0ken"


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Two runs that differ in their seed, and one of a task of the user's own."""
    place = tmp_path_factory.mktemp("lab")
    folder = place / "runs"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulated, "analysed", 1)
        for seed in (3, 4):
            evo.run(spec_file(place, seed=seed, generations=4), folder / f"gate-{seed}", workers=0)
        evo.run(own_task_spec(place, generations=2), folder / "own", workers=0)
    return folder


@pytest.fixture(scope="session")
def studied(made, tmp_path_factory):
    """The folder of runs, with a study of two arms and two seeds in it."""
    place = tmp_path_factory.mktemp("studied")
    folder = shutil.copytree(made, place / "runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulated, "analysed", 1)
        spec, settings = spec_file(place, generations=2), {"search.crossover": ["0", "0.5"]}
        evo.run_study([spec], folder / "mine", seeds=2, workers=0, settings=settings, target=0.05)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """A copy of the runs, which a test may change."""
    return shutil.copytree(made, tmp_path / "runs")


@pytest.fixture(scope="session")
def shared(made):
    """A lab over the runs, for tests that change nothing."""
    lab = Lab(made)
    lab.runs.look()
    yield lab
    lab.close()


@pytest.fixture(autouse=True)
def ended(monkeypatch):
    """Searches that a test has started end with it, whatever became of it."""
    begin, processes = Control._begin, []

    def begun(self, name, *rest):
        answer = begin(self, name, *rest)
        processes.append(self.jobs[name].process)
        return answer

    monkeypatch.setattr(Control, "_begin", begun)
    yield
    for process in processes:
        if isinstance(process, Process) and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def lab(folder):
    """A lab over a folder of its own, which looks when it is told to."""
    opened = Lab(folder)
    opened.runs.look()
    yield opened
    opened.close()


def refused(lab, question, said):
    """The line and the place with which a question is refused."""
    with pytest.raises(RefusedError) as caught:
        lab.answer(question, said)
    message = str(caught.value)
    assert message
    assert "\n" not in message
    return message, caught.value.place


class Serving:
    """A server in a thread over a folder; `address` is that of the runs."""

    def __init__(self, folder):
        import uvicorn

        from evo.web.app import application

        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        self.host = f"127.0.0.1:{listening.getsockname()[1]}"
        self.address, self.lab = f"http://{self.host}/{TOKEN}/", Lab(folder)
        app = application(self.lab, TOKEN, [self.host])
        self.server = uvicorn.Server(
            uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=0, ws="none")
        )
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listening]}, daemon=True)
        self.thread.start()
        self.lab.runs.watch()
        while not self.server.started:
            time.sleep(0.01)

    def close(self):
        self.lab.close()
        self.server.should_exit = True
        self.thread.join(timeout=5)
