"""Export to GraphML for graph tools (networkx, igraph, Gephi, yEd): the wiring, with everything else as attributes.

These tools agree on this: every attribute has one name and one type, number or text, in all nodes (edges); no attribute is
called `id`, `source` or `target`, which igraph and Gephi reserve; and edge ids are unique.
"""

import io
import json
from typing import Any

from circuits.circuit import Circuit
from circuits.export.features import exact, refused, translated
from circuits.export.names import XML, check_names
from circuits.motif_file import Motif, write_whole
from circuits.optional import optional

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
    "sampled inputs": refused("graph tools have no signals; use --to motif"),
    "output ports": exact("JSON in outputs of the graph, and output of nodes"),
    "cell types": exact("type of nodes"),
    "provenance": exact("JSON in provenance of the graph"),
}
FORMS = {"attributes": FEATURES}


def as_graph(circuit: Circuit) -> Any:
    """A networkx.MultiDiGraph of the circuit.

    Nodes are n0, n1, ... (neurons, in order) and c0, c1, ... (input channels), with `kind` neuron or input, `label` as text,
    and `name`, the neuron's id or the channel's name as JSON: 1 and "1" are two neurons. Edges are synapses, with the keys s0,
    s1, ... Attributes are floats or text. Raises MachineError if networkx is missing.
    """
    networkx = optional("networkx", "this export", "pip install 'evocircuits[graphml]'")
    ports_of = {n.id: [port.name for port in circuit.outputs if n.id in port.neurons] for n in circuit.neurons}
    graph = networkx.MultiDiGraph(
        dt_ms=float(circuit.dt_ms),
        neuron_model=circuit.neuron_model,
        noise_mv=float(circuit.noise_mv),
        outputs=json.dumps([port.model_dump() for port in circuit.outputs]),
        provenance=json.dumps(circuit.provenance.model_dump() if isinstance(circuit, Motif) else {}),
    )
    for k, n in enumerate(circuit.neurons):
        attributes = _attributes(n.model_dump(exclude={"id"}))
        graph.add_node(f"n{k}", kind="neuron", **_named(n.id), output=", ".join(ports_of[n.id]), **attributes)
    node_of = {n.id: f"n{k}" for k, n in enumerate(circuit.neurons)}
    sign = {n.id: n.sign for n in circuit.neurons}
    edges: list[tuple[str, str, Any]] = []
    for c, channel in enumerate(circuit.inputs):
        graph.add_node(f"c{c}", kind="input", **_named(channel.name))
        edges += [(f"c{c}", "E", s) for s in channel.synapses]
    edges += [(node_of[s.pre], sign[s.pre], s) for s in circuit.synapses]
    for k, (source, source_sign, s) in enumerate(edges):
        data = _attributes(s.model_dump(exclude_none=True, exclude={"pre", "post"}))
        graph.add_edge(source, node_of[s.post], f"s{k}", sign=source_sign, **data)
    return graph


def _named(name):
    return {"label": str(name), "name": json.dumps(name)}


def _attributes(data):
    """The values of a neuron or synapse by name, those of its sections as SECTION.NAME: floats and text."""
    flat = {}
    for name, value in data.items():
        parts = {f"{name}.{key}": x for key, x in value.items()} if isinstance(value, dict) else {name: value}
        flat |= {key: x if isinstance(x, str) else float(x) for key, x in parts.items()}
    return flat


def write(motif: Motif, path, example_input=None) -> None:
    """Write the GraphML file `path`; it holds no example. Raises UserError for a name that XML cannot hold."""
    translated(motif, FORMS, "graphml")
    check_names(motif, XML, "graphml")
    graph = as_graph(motif)
    from networkx import write_graphml

    text = io.BytesIO()
    write_graphml(graph, text)
    write_whole(path, text.getvalue())
