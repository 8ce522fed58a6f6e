"""Running what is being exported, where its tool is installed, before anyone gets it."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from circuits.errors import MachineError

LONGEST_S = 600


def run_here(folder: Path, package: str, install: str, *arguments: str) -> str:
    """Run the folder's script run.py and return what it says last.

    Where `package` is not installed beside evocircuits, the sentence says how to check instead. Raises MachineError with what
    the script says if it fails, as it does when its spikes should be the simulator's and are not.
    """
    command = " ".join(("python run.py", *arguments))
    if find_spec(package) is None:
        return f"not checked, {package} is not installed here; check with: {install} && {command}"
    surroundings = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYNEST_QUIET": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "run.py", *arguments],
            cwd=folder,
            env=surroundings,
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not checked, it takes more than {LONGEST_S} s; check with: {command}"
    last = [line for line in (done.stdout if done.returncode == 0 else done.stderr).splitlines() if line.strip()][-1:]
    if done.returncode:
        raise MachineError(f"{package}: nothing was exported, the check failed: {''.join(last) or 'it says nothing'}")
    return "".join(last)
