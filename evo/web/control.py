"""Starting, stopping, resuming and forking runs: by the command `evo`, in processes that outlive the lab.

Each process has a session of its own, so that Ctrl-C in the lab's terminal does not reach it. Its output goes to a hidden file
beside the run folder, whose last line says why a run did not start.
"""

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from circuits.errors import MachineError, UserError
from evo.spec.resolve import as_changes
from evo.storage.fork import forked
from evo.storage.run_folder import read_spec
from evo.storage.stored import SPEC
from evo.web import form
from evo.web.runs import Runs

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", re.ASCII)
COMMANDS = {"run", "resume", "fork"}


class Job(NamedTuple):
    """A process that the lab has started, and the files beside the run that are its own."""

    process: subprocess.Popen
    log: Path
    spec: Path | None


class Control:
    """Starts and stops the runs of the lab's folder."""

    def __init__(self, runs: Runs):
        self.runs = runs
        self.jobs: dict[str, Job] = {}

    def start(self, request: dict) -> dict:
        """Start a new run from TOML. Raises UserError, also for the user's own code without "execute"."""
        spec, own = form.checked(form.of_toml(request.get("toml"))["toml"], self.runs.folder)
        self._may_execute(request, own, spec.own_code.values())
        name = self._free(request.get("name"), spec.judged_by.rpartition("/")[2].partition(".")[0])
        path = self.runs.folder / f".{name}.toml"
        path.write_text(request["toml"], encoding="utf-8")
        return self._begin(name, ["run", path.name, "--out", name], request, path)

    def resume(self, request: dict) -> dict:
        """Resume a run, up to another generation if one is given."""
        path = self.runs.known(request.get("name"))
        self._may_execute(request, bool(read_spec(path).own_code), read_spec(path).own_code.values())
        generations = request.get("generations")
        options = [] if generations is None else ["--generations", str(_whole(generations, "generations"))]
        return self._begin(request["name"], ["resume", request["name"], *options], request)

    def fork(self, request: dict) -> dict:
        """Start a new run from the circuits of another, with changed settings: "changes" are lines KEY=VALUE."""
        path = self.runs.known(request.get("run"))
        lines = [line.strip() for line in str(request.get("changes", "")).splitlines() if line.strip()]
        spec = forked(read_spec(path), as_changes(lines))
        self._may_execute(request, bool(spec.own_code), spec.own_code.values())
        name = self._free(request.get("name"), path.name)
        settings = [part for line in lines for part in ("--set", line)]
        return self._begin(name, ["fork", request["run"], *settings, "--out", name], request)

    def stop(self, request: dict) -> dict:
        """Stop a run as Ctrl-C does: finished epochs are stored, and it can be resumed."""
        name = request.get("name")
        path = self.runs.known(name)
        job = self.jobs.get(name) if isinstance(name, str) else None
        if job is not None and job.process.poll() is None:
            job.process.send_signal(signal.SIGTERM)
        else:
            os.kill(_runner(path), signal.SIGTERM)
        return {}

    def job(self, request: dict) -> dict:
        """The state of a process that the lab started: "running", "begun" once there is a run folder, "ended" or "failed"."""
        name = request.get("name")
        if not isinstance(name, str) or name not in self.jobs:
            raise UserError(f"{name!r} was not started by this lab")
        job = self.jobs[name]
        code, begun = job.process.poll(), (self.runs.path(name) / SPEC).exists()
        if begun and job.spec is not None:
            job.spec.unlink(missing_ok=True)
        state = "begun" if begun and code is None else "running" if code is None else "ended" if code in (0, 130) else "failed"
        return {"state": state, "said": _last_line(job.log)}

    def _begin(self, name, arguments, request, spec=None):
        if (job := self.jobs.get(name)) is not None and job.process.poll() is None:
            raise UserError(f"{name}: is running already")
        workers = request.get("workers", 0)
        log = self.runs.folder / f".{name.replace('/', '-')}.log"
        command = [
            sys.executable,
            "-m",
            "evo.cli",
            *arguments,
            "--workers",
            "auto" if workers == "auto" else str(_whole(workers, "workers")),
        ]
        with open(log, "wb") as out:
            process = subprocess.Popen(
                command,
                cwd=self.runs.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.jobs[name] = Job(process, log, spec)
        return {"name": name}

    def _free(self, name, stem):
        """The name of a new run folder. Raises UserError if the name exists already or is not valid."""
        if name is None or name == "":
            k = 1
            while (self.runs.path(f"{stem}-{k}")).exists() or f"{stem}-{k}" in self.jobs:
                k += 1
            return f"{stem}-{k}"
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise UserError(f"name: letters, digits, '.', '_' and '-', not {name!r}")
        if self.runs.path(name).exists():
            raise UserError(f"name: {name} exists already; choose another one")
        return name

    def _may_execute(self, request, own, files):
        if own and request.get("execute") is not True:
            code = ", ".join(dict.fromkeys(name.rpartition(":")[0] for name in files))
            raise NeedsConsentError(
                f"This executes the code in {code}, with all rights that you have. Do so only if you trust it."
            )


class NeedsConsentError(UserError):
    """Code of the user's own would be executed."""

    place = "execute"


def _whole(value, key):
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10**7:
        raise UserError(f"{key}: a whole number from 0, not {value!r}")
    return value


def _last_line(log):
    with suppress(OSError):
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][-500:].removeprefix("evo: ") if lines else ""
    return ""


def _runner(path: Path) -> int:
    """The id of the process of the command `evo` that runs this run. Raises UserError if there is none, and MachineError if it
    is unknown or another command: a notebook is not ended for a run in it."""
    info = (path / SPEC).stat()
    try:
        locks = Path("/proc/locks").read_text()
    except OSError:
        raise MachineError(f"{path.name}: was not started by this lab; stop it where it was started, by Ctrl-C") from None
    wanted = f"{os.major(info.st_dev):02x}:{os.minor(info.st_dev):02x}:{info.st_ino}"
    holders = [
        parts[4]
        for line in locks.splitlines()
        if (parts := line.split())[1] == "FLOCK" and parts[5] == wanted and parts[3] == "WRITE"
    ]
    if not holders:
        raise UserError(f"{path.name}: is not running")
    pid = int(holders[0])
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        raise UserError(f"{path.name}: is no longer running") from None
    if not COMMANDS & set(arguments[1:4]):
        raise MachineError(f"{path.name}: process {pid}, which is not the command evo, runs it; stop it there")
    return pid
