"""One Ray for all tests that only need one to run on: starting it costs more than their runs. They run one after the other
(tests/in_parallel.py), and it ends with the last of them, since it costs processor time by being there."""

import json
import subprocess
import sys

import pytest

from tests.evo.tiny import environment

RUNS = """
import json, sys, traceback
import ray, evo
from fitness.judges.simulated import Simulated
from tests.evo.machines import lean_ray

Simulated.analysed = 1

for left in (2, 1, 0):  # Ray waits half a minute for itself, which is short on a machine that does much else
    try:
        with lean_ray():
            ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error",
                _node_ip_address="127.0.0.1")
        break
    except Exception:
        ray.shutdown()
        if not left:
            raise
print("ready", flush=True)
for line in sys.stdin:
    what, paths, settings = json.loads(line)
    try:
        answer = {"archive": getattr(getattr(evo, what)(*paths, **settings), "archive_sha256", None)}
    except BaseException:
        answer = {"failed": traceback.format_exc()}
    print(json.dumps(answer), flush=True)
"""


class OnRay:
    """A process with a Ray of its own, started when it is needed."""

    process = None

    def __call__(self, what, *paths, **settings):
        if self.process is None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            self.process = subprocess.Popen([sys.executable, "-c", RUNS], env=environment(), **pipes)
            assert self.process.stdout.readline() == "ready\n", "Ray did not start"
        self.process.stdin.write(json.dumps([what, [*map(str, paths)], {"workers": 2} | settings]) + "\n")
        self.process.stdin.flush()
        answer = json.loads(next(line for line in self.process.stdout if line.startswith("{")))  # Ray warns there too
        assert "failed" not in answer, answer["failed"]
        return answer["archive"]

    def end(self):
        if self.process is not None:
            self.process.communicate()
            self.process = None


ON_RAY = OnRay()


@pytest.fixture(scope="session")
def on_ray():
    """on_ray("run", spec, folder, **settings), or "resume", folder: that on Ray with two workers; the digest of the archive."""
    yield ON_RAY
    ON_RAY.end()


def pytest_runtest_teardown(item, nextitem):
    if "on_ray" in item.fixturenames and "on_ray" not in getattr(nextitem, "fixturenames", ()):
        ON_RAY.end()
