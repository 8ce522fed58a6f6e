"""What a circuit is, how it behaves, how it leaves.

motif = circuits.load("motif.json")
raster = circuits.simulate(motif.circuit, spikes, duration_ms=200)
evolved = circuits.zoo["itd-8"]
"""

import circuits.before_numba  # noqa: F401 - first of all
from circuits.circuit import Circuit, InputChannel, InputSynapse, OutputPort, Synapse
from circuits.motif_file import Motif, load, save
from circuits.neurons import Neuron
from circuits.raster import Raster
from circuits.simulate import simulate
from circuits.stimulus import on_grid
from circuits.zoo import zoo

__all__ = [
    "Circuit",
    "InputChannel",
    "InputSynapse",
    "Motif",
    "Neuron",
    "OutputPort",
    "Raster",
    "Synapse",
    "load",
    "on_grid",
    "save",
    "simulate",
    "zoo",
]
