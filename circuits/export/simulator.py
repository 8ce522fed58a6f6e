"""Folders with a script for another simulator."""

import shutil
from pathlib import Path

from circuits.export.checked import run_here
from circuits.export.example import save_example
from circuits.export.features import Kept
from circuits.export.folder import new_folder
from circuits.export.manifest import write_manifest
from circuits.motif_file import Motif, save

SCRIPTS = Path(__file__).parent / "scripts"


def write_script(
    motif: Motif, path: Path, example_input, target: str, use: str, kept: dict[str, Kept], package: str, install: str
) -> None:
    """Write the folder `path` with the script for `target`, run it if `package` is there, and write down what it finds."""
    with new_folder(path) as folder:
        save(motif, folder / "motif.json")
        save_example(motif, example_input, folder / "example.npz")
        shutil.copy(SCRIPTS / "example.py", folder / "example.py")
        shutil.copy(SCRIPTS / f"run_{target}.py", folder / "run.py")
        write_manifest(folder, motif, target, use, kept, [run_here(folder, package, install)])
