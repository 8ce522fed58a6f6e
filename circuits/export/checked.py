"""Running what is being exported, where its tool is installed, before anyone gets it."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from circuits.errors import MachineError

LONGEST_S = 600
CANNOT_RUN = 3  # the scripts' exit code where their tool is missing or too old


def run_here(folder: Path, packages: tuple[str, ...], install: str, *arguments: str) -> str:
    """Run the folder's script run.py and return what it says last.

    Where one of the packages is not installed beside evocircuits, the sentence says how to check instead. Raises MachineError
    with what the script says if it fails, as it does when its spikes should be the simulator's and are not.
    """
    command = " ".join(("python run.py", *arguments))
    tool = " ".join((packages[0], *arguments))
    for package in packages:
        if find_spec(package) is None:
            return f"{tool}: not checked, {package} is not installed here; check with: {install} && {command}"
    surroundings = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYNEST_QUIET": "1", "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
    surroundings.pop("PYTHONIOENCODING", None)
    ours = {"cwd": folder, "env": surroundings, "capture_output": True, "timeout": LONGEST_S, "check": False}
    ours |= {"encoding": "utf-8", "errors": "replace"}
    try:
        done = subprocess.run([sys.executable, "run.py", *arguments], **ours)  # type: ignore[call-overload]
    except subprocess.TimeoutExpired:
        return f"{tool}: not checked, it takes more than {LONGEST_S} s; check with: {command}"
    said = done.stderr if done.returncode else done.stdout
    last = ([line for line in said.splitlines() if line.strip()] or ["it says nothing"])[-1]
    if done.returncode == CANNOT_RUN:
        return f"{tool}: not checked; {last}"
    if done.returncode:
        raise MachineError(f"nothing was exported, for the check failed: {last}")
    return last
