"""SONATA spike files (HDF5): `/spikes/POPULATION/timestamps` and `node_ids`, the unit of the times in the attribute `units`.

All of it is one trial. A train is called POPULATION-NODE. Which populations are inputs no such file says: those named input,
inputs, stimulus or external are, unless names are given.
"""

import io

import numpy as np

from circuits.errors import UserError
from circuits.imports.hdf5_heaps import check_heaps
from fitness.recordings.packages import needed
from fitness.recordings.recording import end_after

MS = {"milliseconds": 1.0, "ms": 1.0, "seconds": 1e3, "s": 1e3, "microseconds": 1e-3, "us": 1e-3}
INPUTS = {"input", "inputs", "stimulus", "external"}


def trials(content: bytes, name: str, epochs=()):
    """The one trial, as `Recording.of` takes it."""
    h5py = needed("h5py", name, "sonata")
    roles: tuple[dict[str, np.ndarray], dict[str, np.ndarray]] = ({}, {})
    last = 0.0
    check_heaps(content, name)
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            spikes = file.get("spikes")
            if not isinstance(spikes, h5py.Group) or not len(spikes):
                raise UserError(f"{name}: lacks /spikes/POPULATION of a SONATA spike file; found {_keys(file)}")
            for population, group in spikes.items():
                where = f"{name}: /spikes/{population}"
                missing = [key for key in ("timestamps", "node_ids") if key not in group]
                if missing:
                    raise UserError(f"{where}: lacks {' and '.join(missing)}; found {_keys(group)}")
                times, ids = (np.asarray(group[key]) for key in ("timestamps", "node_ids"))
                unit = group["timestamps"].attrs.get("units", "milliseconds")
                unit = unit.decode() if isinstance(unit, bytes) else str(unit)
                if unit not in MS:
                    raise UserError(f"{where}: timestamps are in {unit!r}; known units are {', '.join(MS)}")
                if times.shape != ids.shape or times.ndim != 1:
                    raise UserError(f"{where}: timestamps {list(times.shape)} and node_ids {list(ids.shape)} do not fit")
                ms = times.astype("f8") * MS[unit]
                last = max(last, float(ms.max(initial=0.0)))
                into = roles[0 if population.lower() in INPUTS else 1]
                for node in np.unique(ids).tolist():
                    into[f"{population}-{node}"] = ms[ids == node]
    except (OSError, KeyError, AttributeError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{name}: is no SONATA spike file: {error}") from None
    return [("0", end_after(last), *roles)]


def _keys(group):
    return ", ".join(list(group)[:10]) or "nothing"
