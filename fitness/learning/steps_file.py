"""Trials in a file with a target at every step, such as those of NeuroGym's tasks: an .npz of plain arrays.

x        bool or real >= 0, [trials, steps, channels]
targets  int, [trials, steps], or [trials, steps, heads] for several readouts: the class at each step, -1 where none is asked
dt_ms    the step in ms, by default 1
parts    texts [trials], "search", "validation" or "held_out"; by default three, one and one in five of the trials
"""

from typing import NamedTuple

import numpy as np

from circuits.errors import UserError
from circuits.files import npz_arrays
from fitness.datasets.events import parts_of

SHARES = (0.6, 0.8)  # of the trials, where those to search on and those to validate on end


class StepsFile(NamedTuple):
    """x, targets  as in the file;   dt_ms;   part  int [trials], see `fitness.datasets.events.PARTS`"""

    x: np.ndarray
    targets: np.ndarray
    dt_ms: float
    part: np.ndarray


def read_steps(name: str, content: bytes) -> StepsFile | None:
    """The trials of a file; None for a file without targets. Raises UserError for a file in another form."""
    arrays = npz_arrays(content, name)
    if "targets" not in arrays:
        return None
    if "x" not in arrays:
        raise UserError(f"{name}: lacks x beside targets; found {', '.join(arrays)}"[:300])
    x, targets, step = arrays["x"], arrays["targets"], np.asarray(arrays.get("dt_ms", 1.0))
    if step.shape != () or step.dtype.kind not in "iuf" or not 0 < step <= 100:
        raise UserError(f"{name}: dt_ms must be a number above 0, at most 100, not {step!r}"[:300])
    if x.ndim != 3 or targets.shape[:1] != x.shape[:1]:
        shapes = f"{list(x.shape)} and {list(targets.shape)}"
        raise UserError(f"{name}: x must be [trials, steps, channels] and targets [trials, steps], not {shapes}")
    count = len(x)
    if "parts" in arrays:
        if arrays["parts"].shape != (count,):
            raise UserError(f"{name}: parts must be [trials], {count}, not {list(arrays['parts'].shape)}")
        part = parts_of(arrays["parts"].tolist(), name)
        part = np.zeros(count, int) if part is None else part
    else:
        part = np.empty(count, int)
        ends = [round(share * count) for share in SHARES]
        part[np.random.default_rng(0).permutation(count)] = np.searchsorted(ends, np.arange(count), "right")
    few = np.bincount(part, minlength=3) < (2, 1, 1)
    if few.any():
        raise UserError(f"{name}: needs two trials to search on, one to validate on and one held out; it has {count}")
    return StepsFile(x, targets, float(step), part)
