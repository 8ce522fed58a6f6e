"""Folders with a script that runs the motif in another tool."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from circuits.export.example import save_example
from circuits.export.folder import new_folder
from circuits.motif_file import Motif, save

SCRIPTS = Path(__file__).parent / "scripts"


@contextmanager
def script_folder(motif: Motif, path: Path, example_input, target: str) -> Iterator[Path]:
    """A `new_folder` with motif.json, example.npz, example.py and the target's run.py."""
    with new_folder(path) as folder:
        save(motif, folder / "motif.json")
        save_example(motif, example_input, folder / "example.npz")
        shutil.copyfile(SCRIPTS / "example.py", folder / "example.py")
        shutil.copyfile(SCRIPTS / f"run_{target}.py", folder / "run.py")
        yield folder
