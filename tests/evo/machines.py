"""A Ray cluster of several nodes on this one machine, and the processes it is made of."""

import os
import shutil
import signal
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest


@contextmanager
def lean_ray():
    """Context in which Ray starts without what no run asks for: that it scales itself, shows itself and collects logs. These
    three processes take four seconds of a processor."""
    from ray._private.node import Node

    with pytest.MonkeyPatch.context() as patch:
        for name in ("start_monitor", "start_api_server", "start_log_monitor"):
            patch.setattr(Node, name, lambda *_, **__: None, raising=False)
        yield


class Machines:
    """Nodes of a cluster: the head, which does not compute, and others, each with its CPUs and its environment."""

    def __init__(self, cluster, folder):
        self._cluster, self._folder = cluster, folder

    @property
    def address(self):
        return self._cluster.address

    def add(self, cpus=1, **environment):
        """One more node; returns it. Its workers see the environment."""
        extra = {"env_vars": environment} if environment else {}
        return self._cluster.add_node(num_cpus=cpus, temp_dir=self._folder, **extra)

    def workers(self, node):
        """The processes of a node that compute."""
        raylet = node.all_processes["raylet"][0].process.pid
        return workers([process for process in processes() if process.parent == raylet])

    def remove(self, node):
        """kill -9 of a node."""
        self._cluster.remove_node(node, allow_graceful=False)

    def lose_the_head(self):
        """kill -9 of the process that holds the cluster together."""
        self._cluster.head_node.kill_gcs_server(check_alive=False)

    def freeze_the_head(self):
        """It is there, and does not answer any more."""
        self._signal_head(signal.SIGSTOP)

    def thaw(self):
        if self._cluster.head_node is not None:
            self._signal_head(signal.SIGCONT)

    def _signal_head(self, number):
        for process in self._cluster.head_node.all_processes.get("gcs_server", []):
            with suppress(ProcessLookupError):
                os.kill(process.process.pid, number)


@contextmanager
def machines(*nodes, **variables):
    """A head and, for each of `nodes`, one more with this environment. variables: for all of Ray, e.g. RAY_AUTH_MODE."""
    from ray._private.authentication_test_utils import reset_auth_token_state
    from ray.cluster_utils import Cluster

    before = dict(os.environ)
    os.environ.update({"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"} | variables)
    reset_auth_token_state()  # this process has read them when it imported Ray
    folder = tempfile.mkdtemp(prefix="evo", dir="/tmp")  # a socket's path must be short
    try:
        with lean_ray():
            head = {"num_cpus": 0, "include_dashboard": False, "temp_dir": folder}
            cluster = Cluster(initialize_head=True, head_node_args=head)
        found = Machines(cluster, folder)
        try:
            for environment in nodes:
                found.add(**environment)
            yield found
        finally:
            found.thaw()
            cluster.shutdown()
    finally:
        os.environ.clear()
        os.environ.update(before)
        reset_auth_token_state()
        shutil.rmtree(folder, ignore_errors=True)


class Process(NamedTuple):
    pid: int
    parent: int
    session: int
    command: str


def processes() -> list[Process]:
    """All that run on this machine."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with suppress(OSError):
                facts = (place / "stat").read_text().rpartition(")")[2].split()
                line = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                found.append(Process(int(place.name), int(facts[1]), int(facts[3]), line))
    return found


def family(process) -> list[Process]:
    """A command that leads its session, and all that it started, its Ray included."""
    return [other for other in processes() if other.session == process.pid]


def workers(found: list[Process]) -> list[Process]:
    """Those of Ray's processes that compute, or wait for something to compute."""
    return [process for process in found if process.command.startswith(("ray::epoch", "ray::IDLE"))]


def kill(found: list[Process]) -> int:
    """kill -9; returns how many were there to be killed."""
    count = 0
    for process in found:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
            count += 1
    return count
