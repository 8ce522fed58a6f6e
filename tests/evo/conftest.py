"""One Ray for all tests that only need one to run on: starting it costs more than their runs. It ends when it is not asked for
anything for a while, since it costs processor time by being there.

An analysis of the same circuit on the same trials is made once: it takes more than half the time of a tiny run, and many tests
run the same one."""

import copy
import json
import subprocess
import sys
import threading

import pytest

from circuits import motif_file
from fitness.judges import simulated
from tests.evo.tiny import environment

RUNS = """
import json, sys, traceback
import ray, evo

for left in (2, 1, 0):  # Ray waits half a minute for itself, which is short on a machine that does much else
    try:
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


IDLE_S = 20.0


@pytest.fixture(scope="session", autouse=True)
def analysed_once():
    """What `analyse` found for a motif, on the same trials of a task that ships, is remembered, and given out as a copy."""
    known, analyse = {}, simulated.analyse

    def analyse_once(task, motif, held_out, draw, name):
        if not type(task).__module__.startswith("fitness."):
            return analyse(task, motif, held_out, draw, name)
        key = type(task), task.model_dump_json(), motif_file.dumps(motif), held_out.spikes.tobytes(), name
        if key not in known:
            known[key] = analyse(task, motif, held_out, draw, name)
        return copy.deepcopy(known[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated, "analyse", analyse_once)
        yield


@pytest.fixture(scope="session")
def on_ray():
    """on_ray("run", spec, folder, **settings), or "resume", folder: that on Ray with two workers; the digest of the archive."""
    ray = OnRay()
    yield ray
    ray.end()


class OnRay:
    """A process with a Ray of its own, started when it is needed."""

    def __init__(self):
        self.lock, self.process, self.timer = threading.Lock(), None, threading.Timer(0, lambda: None)

    def __call__(self, what, *paths, **settings):
        with self.lock:
            self.timer.cancel()
            if self.process is None:
                pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
                self.process = subprocess.Popen([sys.executable, "-c", RUNS], env=environment(), **pipes)
                assert self.process.stdout.readline() == "ready\n", "Ray did not start"
            self.process.stdin.write(json.dumps([what, [*map(str, paths)], {"workers": 2} | settings]) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
            self.timer = threading.Timer(IDLE_S, self.end)
            self.timer.daemon = True
            self.timer.start()
        assert "failed" not in answer, answer["failed"]
        return answer["archive"]

    def end(self):
        with self.lock:
            self.timer.cancel()
            if self.process is not None:
                self.process.communicate()
                self.process = None
