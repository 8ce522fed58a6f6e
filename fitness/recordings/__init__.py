"""Recordings of neurons: read from files, and the task to reproduce their spikes.

    from fitness import recordings

    recording = recordings.read("cell.csv")
    recording.inputs, recording.outputs, len(recording.trials)

| file | content | needs |
|---|---|---|
| `.csv` | a row a spike: `trial,role,name,time_ms` | |
| `.npz` | the same four columns as arrays | |
| `.h5`, `.sonata` | SONATA spikes, populations of nodes | `evocircuits[sonata]` |
| `.nwb` | units, stimulus events, trials or epochs | `evocircuits[recordings]` |
| others | formats of Neo: `.nix`, `.mat`, `.smr`, `.plx`, ... | `evocircuits[recordings]` |
"""

from fitness.recordings.read import read
from fitness.recordings.recording import Recording, Signal, Trial

__all__ = ["Recording", "Signal", "Trial", "read"]
