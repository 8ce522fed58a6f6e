"""Searches small enough for a test, and the command line: in this process, or as a child process where that is the promise."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import evo
from circuits.errors import MachineError, UserError
from evo.engine.problem import problem
from fitness.sandbox import modules
from tests.in_process import completed

ROOT = Path(__file__).parents[2]

SPEC = """
[task]
name = "gate"
volleys = 1

[circuit]
neurons = [3, 6]
in_degree = 4
delay_ms = [0.5, 10.0]

[circuit.parameters]
tau_m_ms = [5.0, 30.0]

[search]
seed = 3
generations = 6
islands = 3
population = 12
epoch = 2
trials = 16
held_out = 16
"""

OWN_TASK = """
import numpy as np

import fitness


class Agree(fitness.Task):
    inputs, outputs = ("a", "b"), ("yes",)
    dt_ms, duration_ms, chance = 1.0, 50.0, 0.5
    gap_ms: float = 10.0

    def make(self, rng, count):
        labels = np.arange(count) % 2
        spikes = np.zeros((count, 50, 2), bool)
        spikes[:, 9, 0] = True
        spikes[np.arange(count), np.where(labels, 9, 9 + int(self.gap_ms)), 1] = True
        return spikes, labels

    def trial_scores(self, raster, trials):
        fired = raster.counts()[..., 0] > 0
        return fired == trials.labels
"""


def spec_file(folder, text=SPEC, **changes):
    """A spec in a file; changes replace the values of keys, wherever they are; those that are nowhere are keys of [search]."""
    lines = text.strip().splitlines()
    for key, value in changes.items():
        places = [k for k, line in enumerate(lines) if line.startswith(f"{key} =")]
        if not places:
            lines.insert(lines.index("[search]") + 1, f"{key} = {value}")
            continue
        assert len(places) == 1, key
        lines[places[0]] = f"{key} = {value}"
    path = Path(folder) / "tiny.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def own_task_spec(folder, code=OWN_TASK, **changes):
    """A spec with a task of the user's own, `agree.py:Agree`, beside it."""
    (Path(folder) / "agree.py").write_text(textwrap.dedent(code), encoding="utf-8")
    text = SPEC.replace('name = "gate"\nvolleys = 1', 'name = "agree.py:Agree"').replace("[0.5, 10.0]", "[1.0, 20.0]")
    return spec_file(folder, text, **changes)


def forget_own_code():
    """Of tasks of the user's own nothing has been executed in this process yet."""
    problem.cache_clear()
    modules.load.cache_clear()
    for name in [name for name in sys.modules if name.startswith(modules.PREFIX)]:
        del sys.modules[name]


def stops_after(count):
    """An observer that acts like Ctrl-C once `count` epochs are stored."""
    seen = []

    def observe(result):
        seen.append((result.island, result.epoch))
        if len(seen) == count:
            raise KeyboardInterrupt

    return observe


def one_line_of(call, kind=UserError):
    """The message of the error that `call` raises: one line of the right kind."""
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    message = str(caught.value)
    assert message
    assert "\n" not in message
    return message


def machine_line_of(call):
    return one_line_of(call, MachineError)


def stored(folder):
    """(island, epoch) of every stored epoch, in order of island and epoch."""
    return sorted((e["island"], e["epoch"]) for e in evo.open_run(folder).epochs)


def environment():
    return os.environ | {"PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"}


def command(*arguments):
    return [sys.executable, "-m", "evo.cli", *map(str, arguments)]


def cli(cwd, *arguments):
    """Run the command to its end in this process, with pipes for the terminal: a CompletedProcess, with text."""
    from evo.cli import main

    return completed(main, cwd, ["evo", *arguments])


def process(cwd, *arguments, timeout=120):
    """As `cli`, in a process of its own, which costs a second or two."""
    return subprocess.run(
        command(*arguments), cwd=cwd, env=environment(), capture_output=True, text=True, timeout=timeout, check=False
    )


def started(cwd, *arguments, leader=True):
    """Start the command in a session of its own, so that its whole process group can be killed."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command(*arguments), cwd=cwd, env=environment(), start_new_session=leader, **pipes)


def wait_until(condition, process, timeout=60):
    """Wait until something holds, or the process has ended."""
    end = time.monotonic() + timeout
    while not condition() and process.poll() is None:
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def kill_group(process):
    """kill -9 of everything in the process's session."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
