"""Folders written atomically."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from circuits.errors import MachineError


@contextmanager
def new_folder(path):
    """Yield an empty folder to write into, renamed to `path`, which must not exist, at the end; removed on an error.

    Raises MachineError if writing fails.
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
