"""A GraphML file holds the whole circuit, and graph tools read it."""

import json
import re
import warnings
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pytest

import circuits
from circuits.errors import UserError
from circuits.export import export
from circuits.export.graphml import as_graph
from tests.reference import random_circuit

networkx = pytest.importorskip("networkx")
MODELS = ("lif_psc_exp", "alif_psc_exp", "lif_cond_exp", "izhikevich", "aeif_psc_exp")


def restored(graph):
    """The motif that a graph read from a file was made from."""

    def synapse(data):
        flat = {name: value for name, value in data.items() if name != "sign"}
        found = {name: value for name, value in flat.items() if "." not in name}
        for name in sorted({name.partition(".")[0] for name in flat} - set(found)):
            found[name] = {key.partition(".")[2]: value for key, value in flat.items() if key.startswith(f"{name}.")}
        return found

    neurons = {node: data for node, data in graph.nodes(data=True) if data["kind"] == "neuron"}
    ids = {node: json.loads(data["name"]) for node, data in neurons.items()}
    edges = list(graph.edges(data=True))
    assert all(data["sign"] == neurons.get(pre, {"sign": "E"})["sign"] for pre, _, data in edges)
    return circuits.Motif.model_validate(
        {name: graph.graph[name] for name in ("dt_ms", "neuron_model", "noise_mv")}
        | {
            "neurons": [
                {"id": ids[node]} | {name: x for name, x in data.items() if name not in ("kind", "label", "name", "output")}
                for node, data in neurons.items()
            ],
            "inputs": [
                {
                    "name": json.loads(data["name"]),
                    "synapses": [{"post": ids[post]} | synapse(s) for pre, post, s in edges if pre == node],
                }
                for node, data in graph.nodes(data=True)
                if data["kind"] == "input"
            ],
            "synapses": [{"pre": ids[pre], "post": ids[post]} | synapse(s) for pre, post, s in edges if pre in ids],
            "outputs": json.loads(graph.graph["outputs"]),
            "provenance": json.loads(graph.graph["provenance"]),
        }
    )


def in_any_order(motif):
    data = motif.model_dump()
    for part in (data, *data["inputs"]):
        part["synapses"] = sorted(part["synapses"], key=repr)
    return data


@pytest.mark.parametrize("seed", range(10))
def test_the_file_holds_the_whole_motif(tmp_path, seed):
    rng = np.random.default_rng(seed)
    circuit = random_circuit(rng, neuron_model=MODELS[seed % 5], plastic=[None, "both"][seed % 2])
    motif = circuits.Motif.of(circuit.model_copy(update={"noise_mv": seed % 3}), run="r", task={"name": "itd"}, seed=seed)
    graph = networkx.read_graphml(export(motif, "graphml", tmp_path / "m.graphml"), force_multigraph=True)
    assert in_any_order(restored(graph)) == in_any_order(motif)


def test_the_graph_can_be_had_without_a_file():
    circuit = random_circuit(np.random.default_rng(3))
    graph = as_graph(circuit)
    assert graph.number_of_nodes() == len(circuit.neurons) + len(circuit.inputs)
    assert graph.number_of_edges() == circuit.synapse_count


STRANGE = {
    "numbers and text": [0, 1, "out"],
    "one text": [1, "1", "01"],
    "marks of XML": ["<a b='c'>", "]]>&amp;", '"'],
    "unicode": ["\u00e4 \u00f6", "\u795e\u7d4c", "\U0001f600"],
    "names of attributes": ["id", "kind", "source"],
    "numbers as text": ["nan", "1e5", "-0"],
    "spaces": [" ", "a\tb", "a\nb"],
    "large numbers": [2**70, -1, -(2**63)],
}


def strange(names, kind="", factor=1.0):
    """A circuit with such ids, with synapses beside one another, and with such names elsewhere."""
    first, second, third = names
    plastic = {"short_term": {"use": 0.5, "tau_rec_ms": 100.0, "tau_fac_ms": 10.0}}
    pairs = [(first, second), (second, first), (first, second), (third, third)]
    return circuits.Circuit(
        dt_ms=0.5,
        neurons=[{"id": n, "sign": "I" if n == second else "E", "type": kind, "v_th_mv": -55 * factor} for n in names],
        inputs=[{"name": str(n), "synapses": [{"post": n, "weight_mv": 20, "delay_ms": 1}]} for n in (first, third) if n != 1],
        synapses=[
            {"pre": pre, "post": post, "weight_mv": 3, "delay_ms": 1} | (plastic if pre == third else {}) for pre, post in pairs
        ],
        outputs=[{"name": str(third), "neurons": [first, first, third]}],
    )


def keys_and_ids(path):
    """What the schema of GraphML asks to be unique and known, read without any graph tool."""
    root = ElementTree.parse(path).getroot()
    space = "{http://graphml.graphdrawing.org/xmlns}"
    keys = [key.attrib for key in root.iter(f"{space}key")]
    nodes = [node.attrib["id"] for node in root.iter(f"{space}node")]
    edges = [edge.attrib for edge in root.iter(f"{space}edge")]
    assert {data.attrib["key"] for data in root.iter(f"{space}data")} <= {key["id"] for key in keys}
    assert {edge[end] for edge in edges for end in ("source", "target")} <= set(nodes)
    return keys, nodes, edges


@pytest.mark.parametrize("names", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("kind", ["", "<type> & more"])
def test_any_names_are_read_by_graph_tools_of_several_houses(tmp_path, names, kind):
    motif = circuits.Motif.of(strange(names, kind), task={"name": "</graphml>&\x07"})
    path = export(motif, "graphml", tmp_path / "m.graphml")

    keys, nodes, edges = keys_and_ids(path)
    assert max(Counter((key["for"], key["attr.name"]) for key in keys).values()) == 1
    assert not {key["attr.name"] for key in keys} & {"id", "source", "target"}
    assert {key["attr.type"] for key in keys} == {"double", "string"}
    assert len(set(nodes)) == len(nodes) == 3 + len(motif.inputs)
    assert len({edge["id"] for edge in edges}) == len(edges) == motif.synapse_count

    assert in_any_order(restored(networkx.read_graphml(path, force_multigraph=True))) == in_any_order(motif)

    igraph = pytest.importorskip("igraph")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = igraph.Graph.Read_GraphML(str(path))
    assert (graph.vcount(), graph.ecount(), graph.is_directed()) == (len(nodes), motif.synapse_count, True)
    found = [json.loads(v["name"]) for v in graph.vs if v["kind"] == "neuron"]
    assert [(type(x), x) for x in found] == [(type(x), x) for x in names]
    assert [v["label"] for v in graph.vs if v["kind"] == "neuron"] == [str(n) for n in names]
    assert sorted(graph.es["weight_mv"]) == sorted(s.weight_mv for s in every_synapse(motif))
    assert json.loads(graph["outputs"])[0]["neurons"] == list(motif.outputs[0].neurons)


def every_synapse(circuit):
    return [*circuit.synapses, *(s for channel in circuit.inputs for s in channel.synapses)]


def test_whole_numbers_among_fractions_are_one_attribute(tmp_path):
    """A circuit that was changed without a check holds ints where floats belong."""
    circuit = strange([0, 1, 2])
    neurons = (circuit.neurons[0].model_copy(update={"v_th_mv": -50, "t_ref_ms": 0}), *circuit.neurons[1:])
    keys, _, _ = keys_and_ids(export(circuit.model_copy(update={"neurons": neurons}), "graphml", tmp_path / "m.graphml"))
    assert max(Counter((key["for"], key["attr.name"]) for key in keys).values()) == 1


NOT_XML = [{"id": "a\x07"}, {"id": "a", "type": "b\x00"}, {"id": "\ufffe"}, {"id": "a\rb"}]


@pytest.mark.parametrize("neuron", NOT_XML)
def test_a_name_that_xml_cannot_hold_is_refused(tmp_path, neuron):
    circuit = circuits.Circuit(dt_ms=1.0, neurons=[neuron | {"sign": "E"}])
    with pytest.raises(UserError, match=re.escape("graphml: a name has a control character")):
        export(circuit, "graphml", tmp_path / "m.graphml")
    assert list(tmp_path.iterdir()) == []
