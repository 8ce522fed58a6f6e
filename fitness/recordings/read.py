"""Reading a recording from a file, by the ending of its name."""

import hashlib
from collections.abc import Callable
from pathlib import PurePath

from circuits.errors import UserError
from circuits.files import read_bytes
from fitness.recordings import csv_file, neo_file, npz_file, nwb_file, sonata_file
from fitness.recordings.recording import Recording

# Each takes the bytes of a file, its name and the epochs wanted, and yields trials as `Recording.of` takes them.
READERS: dict[str, Callable] = {
    ".csv": csv_file.trials,
    ".npz": npz_file.trials,
    ".h5": sonata_file.trials,
    ".hdf5": sonata_file.trials,
    ".sonata": sonata_file.trials,
    ".nwb": nwb_file.trials,
}
REFUSED = {".pkl", ".pickle", ".npy"}


def read(path, content: bytes | None = None, epochs=()) -> Recording:
    """The recording in a file: CSV, NPZ, SONATA spikes, NWB, or whatever else Neo reads.

    path     of the file; its ending says what it is
    content  what is in it, where it was read before
    epochs   names of the epochs (NWB) that are the trials; by default the file's trials, else all of it is one
    Raises UserError that names the file, what is missing in it and what was found; MachineError where a package is missing.
    """
    content = read_bytes(path) if content is None else content
    name = PurePath(path).name
    ending = PurePath(name).suffix.lower()
    if ending in REFUSED:
        raise UserError(
            f"{name}: {ending} files are not read, for they may hold code; write .csv, .npz, .nwb or a format of Neo's"
        )
    trials = READERS.get(ending, neo_file.trials)(content, name, tuple(epochs))
    return Recording.of(trials, name, hashlib.sha256(content).hexdigest())
