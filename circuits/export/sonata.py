"""Export to SONATA: a folder with the network, for NEST's reader and others, and a script that runs and checks it."""

from pathlib import Path

from circuits.errors import UserError
from circuits.export.checked import run_here
from circuits.export.features import exact, refused, translated
from circuits.export.manifest import write_manifest
from circuits.export.names import HDF5, check_names
from circuits.export.script_folder import script_folder
from circuits.export.sonata_network import write_network
from circuits.motif_file import Motif
from circuits.neurons import MODELS
from circuits.optional import optional

OTHER_MODEL = refused("NEST's reader would run another model; use --to brian2, or --to nest for NEST's models")
FEATURES = {
    **{f"{name} neurons": OTHER_MODEL for name in MODELS},
    "lif_psc_exp neurons": exact("nest:iaf_psc_exp"),
    "signs (Dale's law)": exact("of weights, and ei of nodes"),
    "weights": exact("syn_weight of edges, in pA for a leak of 1 nS"),
    "delays": exact("delay of edges, in ms"),
    "short_term synapses": exact("tsodyks2_synapse"),
    "stdp synapses": refused("NEST's rule pairs spikes and bounds weights differently; use --to brian2"),
    "membrane noise": refused("its random numbers cannot be the same; set noise_mv to 0 in the motif file"),
    "time step": exact("dt of config.json"),
    "sampled inputs": refused("SONATA's readers have no current that a synapse filters; use --to brian2 or --to nest"),
    "input channels": exact("virtual nodes, with the example's spikes in inputs.h5"),
    "output ports": exact("node sets in node_sets.json, in order"),
    "cell types": exact("type of nodes"),
    "provenance": exact("in motif.json"),
}
FORMS = {"config.json": FEATURES}
USE = """    pip install nest-simulator h5py pandas
    python run.py        # builds and runs the network with NEST's reader and compares it with the simulator's spikes

In NEST, if it was compiled with HDF5: `nest.SonataNetwork("config.json", "nest.json").BuildNetwork()`. In libsonata:
`CircuitConfig.from_file("config.json")` and, for the trial, `SimulationConfig.from_file("simulation_config.json")`. BMTK takes
`config.json`, in this folder. The populations are `motif` and `inputs`; edges are indexed both ways.
"""


def write(motif: Motif, path: Path, example_input=None) -> None:
    """Write the folder `path`: config.json and its files, motif.json, example.npz, run.py, README.md and export.json."""
    tables = translated(motif, FORMS, "sonata")
    if abs(motif.dt_ms * 1000 - round(motif.dt_ms * 1000)) > 1e-9:
        step = f"NEST's reader takes whole microseconds, not {motif.dt_ms:g} ms"
        raise UserError(f"sonata: time step cannot be exported: {step}; use --to brian2")
    check_names(motif, HDF5, "sonata")
    h5py = optional("h5py", "this export", "pip install 'evocircuits[sonata]'")
    with script_folder(motif, path, example_input, "sonata") as folder:
        write_network(h5py, motif, folder)
        check = run_here(folder, ("nest", "h5py", "pandas"), "pip install nest-simulator h5py pandas")
        write_manifest(folder, motif, "sonata", USE, tables, [check])
