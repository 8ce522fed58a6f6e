"""Data sets of labelled spikes from files, for classification.

| file | content |
|---|---|
| `.csv` | one row per spike: `item,label,channel,time_ms`, and perhaps `group` and `part` |
| `.npz` | these columns as arrays; or `spikes` bool [items, steps, channels], `labels`, `dt_ms`; perhaps `groups`, `parts` |
| `.h5`, `.hdf5` | the layout of the Heidelberg digits: `labels`, `spikes/times`, `spikes/units`, and perhaps `extra/speaker` |
"""

from fitness.datasets.events import Events
from fitness.datasets.read import read

__all__ = ["Events", "read"]
