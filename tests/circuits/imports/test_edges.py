"""Edge lists and graphs of graph tools."""

import pytest

import circuits
from circuits.errors import UserError
from circuits.imports import read

LIST = """\
# a small circuit
source,target,sign,weight,delay_ms
retina,cell,input,30,1
cell,partner,E,12.5,2
partner,cell,I,8,1.5
"""
GRAPH = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="d0" for="node" attr.name="sign" attr.type="string"/>
  <key id="d1" for="edge" attr.name="weight" attr.type="double"><default>2.5</default></key>
  <key id="d2" for="edge" attr.name="delay_ms" attr.type="double"/>
  <key id="d3" for="node" attr.name="tau_m_ms" attr.type="double"/>
  <key id="d4" for="edge" attr.name="colour" attr.type="string"/>
  <graph edgedefault="directed">
    <node id="a"><data key="d0">exc</data><data key="d3">15</data></node>
    <node id="b"><data key="d0">-1</data></node>
    <node id="s"/>
    <edge source="s" target="a"><data key="d1">4</data></edge>
    <edge source="a" target="b"><data key="d2">3</data><data key="d4">red</data></edge>
    <edge source="b" target="a"/>
  </graph>
</graphml>
"""


def file(folder, text, name="net.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def refused(path, **options):
    with pytest.raises(UserError) as caught:
        read(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message


def test_an_edge_list_is_a_motif(tmp_path):
    found = read(file(tmp_path, LIST), outputs=("cell",))
    motif = found.motif
    assert [(n.id, n.sign) for n in motif.neurons] == [("cell", "E"), ("partner", "I")]
    assert [(s.post, s.weight_mv, s.delay_ms) for s in motif.inputs[0].synapses] == [("cell", 30.0, 1.0)]
    assert [(s.pre, s.post, s.weight_mv, s.delay_ms) for s in motif.synapses] == [
        ("cell", "partner", 12.5, 2.0),
        ("partner", "cell", 8.0, 1.5),
    ]
    assert motif.outputs == (circuits.OutputPort(name="cell", neurons=("cell",)),)
    assert found.table["weights"].status == found.table["delays"].status == "exact"
    assert found.table["lif_psc_exp neurons"].status == "approximate"


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_and_signed_weights(tmp_path, delimiter):
    text = "Pre,Post,Weight\na,b,2\nb,a,-3\n".replace(",", delimiter)
    found = read(file(tmp_path, text, "net.tsv"))
    assert [(n.id, n.sign) for n in found.motif.neurons] == [("a", "E"), ("b", "I")]
    assert {s.weight_mv for s in found.motif.synapses} == {2.0, 3.0}
    assert found.table["delays"].how == "1 ms where the file has none (2 edges)"


def test_signs_without_weights(tmp_path):
    found = read(file(tmp_path, "source,target,sign\na,b,+1\nb,a,-1\n"))
    assert [s.weight_mv for s in found.motif.synapses] == [10.0, 10.0]
    assert found.table["weights"].status == "approximate"


def test_channels_are_named_by_the_caller(tmp_path):
    motif = read(file(tmp_path, "source,target,weight\ns,a,2\na,b,1\n"), inputs=("s",)).motif
    assert [c.name for c in motif.inputs] == ["s"]
    assert [n.id for n in motif.neurons] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "line 1 must name the columns"),
        ("source,target,weight\na,b\n", "line 2: has 2 values for 3 columns"),
        ("source,target,weight\na,b,heavy\n", "line 2: weight"),
        ("source,target,weight\na,b,nan\n", "line 2: weight"),
        ("source,target,weight\na,,1\n", "line 2"),
        ("source,target,sign\na,b,maybe\n", "line 2: sign"),
        ("source,target,sign,weight\na,b,E,-1\n", "line 2"),
        ("source,target,weight\na,b,1\na,c,-1\n", "neuron 'a' excites some and inhibits others"),
        ("source,target,sign,weight\ns,a,input,-2\n", "input channels excite"),
        ("source,target,sign\ns,a,input\na,s,E\n", "it ends at the input channel 's'"),
        ("source,target,weight,delay_ms\na,b,1,1e12\n", None),
    ],
)
def test_a_wrong_list_is_one_line(tmp_path, text, what):
    path = file(tmp_path, text)
    if what is None:
        assert read(path).table["delays"].status == "approximate"
    else:
        assert what in refused(path)


def test_names_that_are_not_there_are_one_line(tmp_path):
    assert "'nobody'" in refused(file(tmp_path, LIST), outputs=("nobody",))
    assert "'retina' is an input channel" in refused(file(tmp_path, LIST), outputs=("retina",))


def test_a_graph_of_another_tool_is_a_motif(tmp_path):
    found = read(file(tmp_path, GRAPH, "g.graphml"), inputs=("s",))
    motif = found.motif
    assert [(n.id, n.sign, n.tau_m_ms) for n in motif.neurons] == [("a", "E", 15.0), ("b", "I", 10.0)]
    assert [(s.pre, s.weight_mv, s.delay_ms) for s in motif.synapses] == [("a", 2.5, 3.0), ("b", 2.5, 1.0)]
    assert motif.inputs[0].synapses[0].weight_mv == 4.0
    assert found.table["edges' colour"].status == "dropped"


def test_what_networkx_writes_is_read(tmp_path):
    networkx = pytest.importorskip("networkx")
    graph = networkx.DiGraph()
    graph.add_node("x", sign=1)
    graph.add_node("y", sign=-1)
    graph.add_edge("x", "y", weight=3, delay=2.0)
    graph.add_edge("y", "x", weight=1.5, delay=2.0)
    networkx.write_graphml(graph, tmp_path / "g.graphml")
    motif = read(tmp_path / "g.graphml").motif
    assert [(n.id, n.sign) for n in motif.neurons] == [("x", "E"), ("y", "I")]
    assert [s.weight_mv for s in motif.synapses] == [3.0, 1.5]


def test_what_igraph_writes_is_read(tmp_path):
    igraph = pytest.importorskip("igraph")
    graph = igraph.Graph(directed=True)
    graph.add_vertices(2, {"name": ["x", "y"]})
    graph.add_edges([(0, 1), (1, 0)], {"weight": [3.0, -1.5]})
    graph.write_graphml(str(tmp_path / "g.graphml"))
    motif = read(tmp_path / "g.graphml").motif
    assert [(n.id, n.sign) for n in motif.neurons] == [("x", "E"), ("y", "I")]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (('"directed"', '"undirected"'), "undirected"),
        (("<?xml", "<!DOCTYPE lolz [<!ENTITY a 'b'>]><?xml"), "document type"),
        (("</graphml>", ""), "no GraphML"),
        (('target="b"', 'target="z"'), "there is no node 'z'"),
        (('<node id="s"/>', '<node id="a"/>'), "must have an id of its own"),
        ((">4<", ">four<"), "must be a number"),
        ((">exc<", ">perhaps<"), "node a: sign"),
        (("graphml", "html"), "no GraphML"),
    ],
)
def test_a_wrong_graph_is_one_line(tmp_path, change, what):
    assert what in refused(file(tmp_path, GRAPH.replace(*change), "g.graphml"))
