"""A GraphML file for graph tools (networkx, igraph, Gephi, yEd): the wiring, with everything else as attributes."""

import io
import json
import re
from typing import Any

from circuits.circuit import Circuit
from circuits.errors import MachineError, UserError
from circuits.export.features import exact, kept
from circuits.motif_file import Motif, write_whole

ATTRIBUTE = exact("an attribute of nodes")
FEATURES = {
    "signs (Dale's law)": exact("sign of nodes and edges, E or I; weights are >= 0"),
    "weights": exact("weight_mv of edges"),
    "delays": exact("delay_ms of edges"),
    "synaptic time constants": ATTRIBUTE,
    "thresholds": ATTRIBUTE,
    "resets": ATTRIBUTE,
    "start at rest": exact("v_rest_mv of nodes"),
    "refractory periods": ATTRIBUTE,
    "bias": ATTRIBUTE,
    "short_term synapses": exact("attributes of edges"),
    "stdp synapses": exact("attributes of edges"),
    "membrane noise": exact("noise_mv of the graph"),
    "time step": exact("dt_ms of the graph"),
    "input channels": exact("nodes of kind input"),
    "output ports": exact("JSON in outputs of the graph, and output of nodes"),
    "cell types": exact("type of nodes"),
    "provenance": exact("JSON in provenance of the graph"),
}
FORMS = {"attributes": FEATURES}


def as_graph(circuit: Circuit) -> Any:
    """The circuit as a networkx.MultiDiGraph.

    Nodes are n0, n1, ... (neurons, in order) and c0, c1, ... (input channels), with `kind` neuron or input and `label`; edges
    are synapses. Raises MachineError if networkx is missing.
    """
    try:
        from networkx import MultiDiGraph
    except ModuleNotFoundError:
        raise MachineError("this export needs networkx, which is not installed: pip install 'evocircuits[graphml]'") from None

    listens = {n.id: [port.name for port in circuit.outputs if n.id in port.neurons] for n in circuit.neurons}
    graph = MultiDiGraph(
        dt_ms=circuit.dt_ms,
        neuron_model=circuit.neuron_model,
        noise_mv=circuit.noise_mv,
        outputs=json.dumps([port.model_dump() for port in circuit.outputs]),
        provenance=json.dumps(circuit.provenance.model_dump() if isinstance(circuit, Motif) else {}),
    )
    for k, n in enumerate(circuit.neurons):
        graph.add_node(f"n{k}", kind="neuron", label=str(n.id), output=", ".join(listens[n.id]), **n.model_dump())
    place = {n.id: f"n{k}" for k, n in enumerate(circuit.neurons)}
    sign = {n.id: n.sign for n in circuit.neurons}
    for c, channel in enumerate(circuit.inputs):
        graph.add_node(f"c{c}", kind="input", label=channel.name)
        for s in channel.synapses:
            graph.add_edge(f"c{c}", place[s.post], sign="E", **_attributes(s))
    for synapse in circuit.synapses:
        graph.add_edge(place[synapse.pre], place[synapse.post], sign=sign[synapse.pre], **_attributes(synapse))
    return graph


def _attributes(synapse):
    data = synapse.model_dump(exclude_none=True, exclude={"pre", "post"})
    plain = {name: value for name, value in data.items() if not isinstance(value, dict)}
    return plain | {f"{name}.{key}": x for name, value in data.items() if isinstance(value, dict) for key, x in value.items()}


def write(motif, path, example_input=None):
    """Write the GraphML file `path`; it holds no example."""
    kept(motif, FORMS, "graphml")
    graph = as_graph(motif)
    if re.search(
        r"[^\t\n\r\x20-\U0010FFFF]", "".join(label for _, label in graph.nodes(data="label")) + graph.graph["outputs"]
    ):
        raise UserError("graphml: a name has a control character, which XML cannot hold; rename it in the motif file")
    from networkx import write_graphml

    text = io.BytesIO()
    write_graphml(graph, text)
    write_whole(path, text.getvalue())
