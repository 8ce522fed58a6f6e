"""Excitatory/inhibitory spiking circuits: their description, motif files, simulation and the zoo of evolved motifs.

A motif is loaded and simulated, or taken from the zoo:

    motif = circuits.load("motif.json")
    raster = circuits.simulate(motif.circuit, spikes, duration_ms=200)
    evolved = circuits.zoo["itd-8"]
"""

import circuits.numerics.before_numba  # noqa: F401 - first of all
from circuits import show
from circuits.circuit import Circuit, InputChannel, InputSynapse, OutputPort, Sampled, Synapse
from circuits.imports import load
from circuits.motif_file import Motif, save
from circuits.neurons import Neuron
from circuits.simulation.raster import Raster
from circuits.simulation.simulate import simulate
from circuits.simulation.stimulus import on_grid
from circuits.zoo import zoo

show.drawn_by(Circuit, "html", "circuits.drawing.notebook:of_circuit")
show.drawn_by(Raster, "html", "circuits.drawing.notebook:of_raster")
show.drawn_by(Raster, "axes", "circuits.drawing.plot:plot")
show.drawn_by(Raster, "neo", "circuits.export.recordings:to_neo")
show.drawn_by(Raster, "nwb", "circuits.export.recordings:to_nwb")

__all__ = [
    "Circuit",
    "InputChannel",
    "InputSynapse",
    "Motif",
    "Neuron",
    "OutputPort",
    "Raster",
    "Sampled",
    "Synapse",
    "load",
    "on_grid",
    "save",
    "simulate",
    "zoo",
]
