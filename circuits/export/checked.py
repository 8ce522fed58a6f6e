"""Running an export in its tool, where installed, before it is released."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from circuits.errors import MachineError

TIMEOUT_S = 600
CANNOT_RUN = 3  # the scripts' exit code where their tool is missing or too old


def run_here(folder: Path, packages: tuple[str, ...], install: str, *arguments: str) -> str:
    """Run the folder's script run.py and return its last line of output.

    Where one of the packages is not installed, return instead a sentence on how to check. Raises MachineError with the script's
    message if it fails, as it does when its spikes should be the simulator's and are not.
    """
    command = " ".join(("python run.py", *arguments))
    tool = " ".join((packages[0], *arguments))
    for package in packages:
        if find_spec(package) is None:
            return f"{tool}: not checked, {package} is not installed here; check with: {install} && {command}"
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYNEST_QUIET": "1", "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
    environment.pop("PYTHONIOENCODING", None)
    options = {"cwd": folder, "env": environment, "capture_output": True, "timeout": TIMEOUT_S, "check": False}
    options |= {"encoding": "utf-8", "errors": "replace"}
    try:
        process = subprocess.run([sys.executable, "run.py", *arguments], **options)  # type: ignore[call-overload]
    except subprocess.TimeoutExpired:
        return f"{tool}: not checked, it took more than {TIMEOUT_S} s; check with: {command}"
    output = process.stderr if process.returncode else process.stdout
    last = ([line for line in output.splitlines() if line.strip()] or ["no output"])[-1]
    if process.returncode == CANNOT_RUN:
        return f"{tool}: not checked; {last}"
    if process.returncode:
        raise MachineError(f"nothing was exported: the check failed: {last}")
    return last
