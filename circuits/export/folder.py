"""Folders that appear whole or not at all."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from circuits.errors import MachineError


@contextmanager
def new_folder(path):
    """Within the block, an empty folder to write into; after it, that folder is `path`. On an error nothing is left.

    `path` must not exist. Raises MachineError if the disk refuses.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise MachineError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
