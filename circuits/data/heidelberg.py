"""The Spiking Heidelberg Digits (Cramer, Stradmann, Schemmel and Zenke, IEEE TNNLS 33, 2022), from their HDF5 files."""

from pathlib import Path

import numpy as np

from circuits.data.split import Split
from circuits.errors import UserError
from circuits.optional import optional

CHANNELS = 700  # of the artificial cochlea; the Spiking Speech Commands have as many


def heidelberg(path, *, steps: int = 100, dt_ms: float = 10.0, merge: int = 1, max_trials: int | None = None) -> Split:
    """Spoken digits: one file of the Spiking Heidelberg Digits.

    Source: Cramer, Stradmann, Schemmel and Zenke, IEEE TNNLS 33, 2022. The files, such as shd_train.h5, are at
    https://zenkelab.org/resources.

    Parameters
    ----------
    path : str or path-like
        The HDF5 file.
    steps : int
        Steps of a trial; later spikes are left out.
    dt_ms : float
        Duration of a step in ms. Step k holds spikes with k dt <= time < (k + 1) dt; several spikes in it count as one.
    merge : int
        Number of neighbouring channels of the 700 that are merged into one.
    max_trials : int, optional
        Number of trials to read; by default all.

    Returns
    -------
    Split
        Spikes bool [trials, steps, 700 / merge]; the target is the spoken digit, int64.

    Raises
    ------
    circuits.errors.UserError
        For a file that cannot be read or has another form.
    circuits.errors.MachineError
        If h5py is not installed.

    Examples
    --------
    >>> from circuits import data
    >>> train = data.heidelberg("shd_train.h5", merge=7)  # doctest: +SKIP
    """
    h5py = optional("h5py", "heidelberg", "pip install 'evocircuits[data]'")
    if CHANNELS % merge:
        raise UserError(f"merge: must divide {CHANNELS}, not {merge!r}")
    if not Path(path).is_file():
        raise UserError(f"{path}: there is no such file; the data set is at https://zenkelab.org/resources")
    try:
        with h5py.File(path) as file:
            labels = np.asarray(file["labels"][:max_trials], "i8")
            times, units = file["spikes/times"][:max_trials], file["spikes/units"][:max_trials]
    except (OSError, KeyError, ValueError, AttributeError, TypeError) as error:
        raise UserError(f"{path}: is no file of Heidelberg digits (labels, spikes/times, spikes/units): {error}") from None
    spikes = np.zeros((len(labels), steps, CHANNELS // merge), bool)
    for trial, (seconds, unit) in enumerate(zip(times, units, strict=True)):
        if len(seconds) != len(unit) or (len(unit) and max(unit) >= CHANNELS):
            raise UserError(
                f"{path}: trial {trial}: spikes/times and spikes/units do not fit, or a unit is above {CHANNELS - 1}"
            )
        step = np.floor(np.asarray(seconds, "f8") * 1000 / dt_ms + 1e-6).astype("i8")  # times are float16
        inside = step < steps
        spikes[trial, step[inside], np.asarray(unit, "i8")[inside] // merge] = True
    return Split(spikes, labels)
