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
    """Read a recording from a file: CSV, NPZ, SONATA spikes, NWB, or any other format that Neo reads.

    Parameters
    ----------
    path : str or Path
        The file; its ending determines the format.
    content : bytes, optional
        The content of the file, if it has been read already.
    epochs : sequence of str
        Names of the epochs (NWB) that are the trials; by default the trials of the file, and otherwise all of it is one.

    Returns
    -------
    Recording
        Input spikes and signals, and measured spikes and potentials.

    Raises
    ------
    circuits.errors.UserError
        For a file that is none of these; the message names the file, the missing parts and the present ones.
    circuits.errors.MachineError
        Where a package that the format needs is not installed.

    Examples
    --------
    >>> from fitness import recordings
    >>> text = b"trial,role,name,time_ms\n1,input,a,12.5\n1,output,cell,17.25\n"
    >>> recordings.read("cell.csv", text).outputs
    ('cell',)
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
