"""Measures of the similarity of spike trains, compiled, for one pair of trains or for whole populations of circuits.

Two trains are compared by

    from fitness import spike_trains

    measured = spike_trains.SpikeTrains.of([[10.0, 25.0, 40.0]], duration_ms=100)
    predicted = spike_trains.SpikeTrains.of([[11.0, 25.0, 70.0]], duration_ms=100)
    spike_trains.coincidence_factor(measured, predicted, window_ms=2)   # array of one number

The trains of a whole population come from its raster: `SpikeTrains.of_raster(raster)`, shape (circuits, trials, columns). The
first argument of every measure may lack leading axes: recorded trains (trials, units) are compared with those of every circuit.

| measure | identical trains | unrelated trains | source |
|---|---|---|---|
| `coincidence_factor` | 1 | 0 for a Poisson train of the same rate | Kistler, Gerstner and van Hemmen, Neural Comput. 9, 1997 |
| `van_rossum` | 0 | grows | van Rossum, Neural Comput. 13, 2001 |
| `victor_purpura` | 0 | grows | Victor and Purpura, J. Neurophysiol. 76, 1996 |
| `isi_distance` | 0 | 1 | Kreuz et al., J. Neurosci. Methods 165, 2007 |
| `spike_distance` | 0 | 1 | Kreuz et al., J. Neurophysiol. 109, 2013 |
| `binned_correlation` | 1 | 0; -1 for opposite counts | Pearson's of the spike counts in bins |
| `schreiber_similarity` | 1 | 0 | Schreiber et al., Neurocomputing 52, 2003 |
"""

from fitness.spike_trains.coincidence import coincidence_factor
from fitness.spike_trains.correlation import binned_correlation, schreiber_similarity
from fitness.spike_trains.intervals import isi_distance, spike_distance
from fitness.spike_trains.trains import SpikeTrains
from fitness.spike_trains.van_rossum import van_rossum
from fitness.spike_trains.victor_purpura import victor_purpura

__all__ = [
    "SpikeTrains",
    "binned_correlation",
    "coincidence_factor",
    "isi_distance",
    "schreiber_similarity",
    "spike_distance",
    "van_rossum",
    "victor_purpura",
]
