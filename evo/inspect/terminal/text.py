"""Rasters as lines of text, for the terminal."""

from itertools import pairwise

import numpy as np

_MARKS = " ▏▎▍▌▋▊▉█"  # the more spikes in a column, the fuller


def raster_lines(rows: dict[str, np.ndarray], dt_ms: float, width: int = 60) -> list[str]:
    """One line per train, bool [steps] by name, and a time axis below; a column is filled by the share of its steps that hold
    a spike, any at all showing."""
    steps = len(next(iter(rows.values())))
    width = min(width, steps)
    edges = np.arange(width + 1) * steps // width
    margin = max(map(len, rows)) + 1
    lines = []
    for name, train in rows.items():
        share = np.array([train[a:b].mean() for a, b in pairwise(edges)])
        level = np.where(share > 0, np.clip(np.ceil(share * 8), 2, 8), 0).astype(int)
        lines.append(f"{name:>{margin}} " + "".join(_MARKS[k] for k in level))
    end = f"{steps * dt_ms:g} ms"
    return [*lines, " " * (margin + 1) + "0" + end.rjust(width - 1)]
