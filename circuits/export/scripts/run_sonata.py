"""This motif as a SONATA network: NEST's own reader builds and runs it, and its spikes are compared with the simulator's.

    python run.py

Needs NEST 3.5 or newer, h5py and pandas, not evocircuits. NEST reads the edges of a SONATA network only if compiled with HDF5;
if not, as from PyPI, h5py reads them here, and NEST's reader the rest.
"""

import os
import sys

import numpy as np
from example import HERE, INPUTS, cannot_run, compare

os.environ.setdefault("PYNEST_QUIET", "1")
try:
    import h5py
    import nest
    import pandas  # noqa: F401  (NEST's reader needs it)
except ModuleNotFoundError as error:
    cannot_run(f"this script needs {error.name}, which is not installed: pip install nest-simulator h5py pandas")
if not hasattr(nest, "SonataNetwork"):
    cannot_run("this script needs NEST 3.5 or newer; this one is older: pip install -U nest-simulator")


class Network(nest.SonataNetwork):
    """NEST's reader, its edges read by h5py."""

    def Connect(self, hdf5_hyperslab_size=None):  # noqa: N802
        for edges in self._create_graph_specs()["edges"]:
            with h5py.File(edges["edges_file"], "r") as file:
                for population in file["edges"].values():
                    self.connect_population(population, edges["syn_specs"])
        self._is_network_built = True

    def connect_population(self, population, specs):
        ends = [population[name] for name in ("source_node_id", "target_node_id")]
        pre, post = (self.node_collections[end.attrs["node_population"]][0].global_id + end[:].astype(int) for end in ends)
        kinds, weights, delays = population["edge_type_id"][:], population["0/syn_weight"][:], population["0/delay"][:]
        for kind in np.unique(kinds):
            rows = kinds == kind
            spec = dict(specs[str(kind)]) | {"weight": weights[rows], "delay": delays[rows]}
            spec = {name: repeated(value, rows.sum()) for name, value in spec.items()}
            nest.Connect(pre[rows], post[rows], "one_to_one", spec)


def repeated(value, count):
    """A value for each of `count` connections."""
    return value if isinstance(value, str | np.ndarray) else np.full(count, float(value))


def main():
    nest.ResetKernel()
    if hasattr(nest, "VerbosityLevel"):
        nest.verbosity = nest.VerbosityLevel.WARNING
    else:
        nest.set_verbosity("M_WARNING")
    if nest.build_info["have_hdf5"]:
        network = nest.SonataNetwork(HERE / "config.json", HERE / "nest.json")
    else:
        sys.modules[nest.SonataNetwork.__module__].have_hdf5 = True
        network = Network(HERE / "config.json", HERE / "nest.json")
    neurons = network.BuildNetwork()["motif"]
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(neurons, recorder)
    network.Simulate()

    spikes = np.zeros((len(INPUTS), len(neurons)), bool)
    events = recorder.events
    spikes[events["times"].astype(int) - 1, events["senders"].astype(int) - neurons[0].global_id] = True
    reader = "its own reader" if nest.build_info["have_hdf5"] else "its own reader, edges by h5py"
    compare(spikes, f"NEST {nest.__version__} ({reader})")


if __name__ == "__main__":
    main()
