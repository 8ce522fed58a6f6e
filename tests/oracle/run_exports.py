"""Run the script run.py of exported folders, one after the other: python -m tests.oracle.run_exports [--ARGUMENT] FOLDER...

Prints a line of JSON for each: its exit code, and what it says last. Runs where the script's tool is installed, imports nothing
of ours, and saves the time that it takes to import the tool.
"""

import contextlib
import io
import json
import runpy
import sys
from pathlib import Path


def run(folder, arguments):
    """Exit code and last line, as of `python run.py` in the folder."""
    sys.argv, sys.path[0] = [str(folder / "run.py"), *arguments], str(folder)
    sys.modules.pop("example", None)
    said = io.StringIO()
    code = 0
    with contextlib.redirect_stdout(said):
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as end:
            code, text = (end.code, "") if isinstance(end.code, int) else (1, end.code)
            said.write(f"{text}\n")
    return code, said.getvalue().strip().splitlines()[-1]


if __name__ == "__main__":
    arguments = [word.removeprefix("--") for word in sys.argv[1:] if word.startswith("--")]
    folders = [Path(word).resolve() for word in sys.argv[1:] if not word.startswith("--")]
    for folder in folders:
        code, says = run(folder, arguments)
        print(json.dumps({"code": code, "says": says}), flush=True)
