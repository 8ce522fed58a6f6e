"""A trained network as one NIR graph: projections, all copies of all layers, and the readout.

    from circuits.export.network import to_nir
    to_nir(network, "network.nir")

The graph is that of `nir_graphs` for the network as one circuit, followed by the readout: spike counts are an integrator (I
node), filtered spikes a leaky integrator (LI node), and the biases an Affine node.

    neurons -> ports -> readout_weights -> readout -> readout_bias -> output
"""

from itertools import pairwise
from pathlib import Path

import numpy as np

from circuits.errors import UserError
from circuits.export import nir_graphs
from circuits.export.features import translated
from circuits.export.nir import CONTINUOUS, import_nir


def to_nir(network, path) -> Path:
    """Write a `MotifNetwork` as a NIR file.

    Parameters
    ----------
    network : MotifNetwork
        The network, of "lif_psc_exp" neurons with static synapses; trained delays are rounded to whole steps.
    path : str or path-like
        The file, which must not exist.

    Returns
    -------
    pathlib.Path
        The path of the file.

    Raises
    ------
    circuits.errors.UserError
        For an existing path and for features that NIR does not have.
    circuits.errors.MachineError
        If nir is not installed.
    """
    path = Path(path)
    if path.exists():
        raise UserError(f"{path}: exists already; choose another path or remove it")
    nir = import_nir()
    nir.write(path, graph_of(nir, network), compression_opts=1)
    return path


def graph_of(nir, network):
    """The NIRGraph of a network; its metadata have `dt`, the node `neurons` `t_ref`, in s."""
    from circuits.torch.networks.whole import whole

    flat = whole(network)
    motif = flat.motif
    translated(motif, {"network.nir": CONTINUOUS}, "nir")
    graph = nir_graphs.continuous(nir, motif, with_motif=False)
    index = motif.index
    readout, classes = network.readout, network.readout.out_features
    weight, bias = (tensor.detach().double().cpu().numpy() for tensor in (readout.weight, readout.bias))
    if network.readout_ms is None:
        integrator = nir.I(r=np.ones(classes))
    else:
        tau = np.full(classes, network.readout_ms / 1000)
        integrator = nir.LI(tau=tau, r=tau, v_leak=np.zeros(classes))
    nodes = {name: node for name, node in graph.nodes.items() if name not in ("ports", "output")}
    nodes |= {
        "ports": nir.Linear(np.eye(len(index))[[index[name] for name in flat.read]]),
        "readout_weights": nir.Linear(weight),
        "readout": integrator,
        "readout_bias": nir.Affine(np.eye(classes), bias),
        "output": nir.Output({"output": np.array([classes])}),
    }
    edges = [edge for edge in graph.edges if "ports" not in edge]
    edges += pairwise(("neurons", "ports", "readout_weights", "readout", "readout_bias", "output"))
    network_graph = nir.NIRGraph(nodes, edges)
    network_graph.metadata = graph.metadata
    return network_graph
