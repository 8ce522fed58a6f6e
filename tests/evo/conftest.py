"""One Ray for all tests that only need one to run on: starting it costs more than their runs."""

import json
import subprocess
import sys

import pytest

from tests.evo.tiny import environment

RUNS = """
import json, sys, traceback
import ray, evo

ray.init("local", num_cpus=4, include_dashboard=False, log_to_driver=False, logging_level="error", _node_ip_address="127.0.0.1")
for line in sys.stdin:
    spec, folder, settings = json.loads(line)
    try:
        answer = {"archive": evo.run(spec, folder, **settings).archive_sha256}
    except BaseException:
        answer = {"failed": traceback.format_exc()}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture(scope="session")
def run_on_ray():
    """run_on_ray(spec, folder, **settings): evo.run on Ray with four workers, in a process apart; the digest of its archive."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", RUNS], env=environment(), **pipes) as process:

        def run(spec, folder, **settings):
            process.stdin.write(json.dumps([str(spec), str(folder), {"workers": 4} | settings]) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            assert "failed" not in answer, answer["failed"]
            return answer["archive"]

        yield run
        process.stdin.close()
