"""A GraphML file holds the whole circuit, and graph tools read it."""

import json
import re

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
    ids = {node: data["id"] for node, data in neurons.items()}
    edges = list(graph.edges(data=True))
    assert all(data["sign"] == neurons.get(pre, {"sign": "E"})["sign"] for pre, _, data in edges)
    return circuits.Motif.model_validate(
        {name: graph.graph[name] for name in ("dt_ms", "neuron_model", "noise_mv")}
        | {
            "neurons": [
                {name: x for name, x in data.items() if name not in ("kind", "label", "output")} for data in neurons.values()
            ],
            "inputs": [
                {
                    "name": data["label"],
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


def test_a_name_that_xml_cannot_hold_is_refused(tmp_path):
    circuit = circuits.Circuit(dt_ms=1.0, neurons=[{"id": "a\x07", "sign": "E"}])
    with pytest.raises(UserError, match=re.escape("graphml: a name has a control character")):
        export(circuit, "graphml", tmp_path / "m.graphml")
    assert list(tmp_path.iterdir()) == []
