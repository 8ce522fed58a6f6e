"""One Ray for all tests that only need one to run on: starting it costs more than their runs."""

import json
import subprocess
import sys

import pytest

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
        answer = {"archive": getattr(evo, what)(*paths, **settings).archive_sha256}
    except BaseException:
        answer = {"failed": traceback.format_exc()}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture(scope="session")
def on_ray():
    """on_ray("run", spec, folder, **settings), or "resume", folder: that on Ray with two workers; the digest of the archive."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", RUNS], env=environment(), **pipes) as process:
        assert process.stdout.readline() == "ready\n", "Ray did not start"

        def ask(what, *paths, **settings):
            process.stdin.write(json.dumps([what, [*map(str, paths)], {"workers": 2} | settings]) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            assert "failed" not in answer, answer["failed"]
            return answer["archive"]

        yield ask
        process.stdin.close()
