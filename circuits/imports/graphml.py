"""Import GraphML files: those that `evo export --to graphml` writes, exactly, and those of graph tools, by the attributes
sign, weight and delay of nodes and edges, and neuron parameters that are named as in motif files."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from circuits.errors import UserError
from circuits.export.features import dropped, exact
from circuits.files import read_text
from circuits.imports.draft import Draft, Link, assembled, check_size
from circuits.imports.edge_list import COLUMNS
from circuits.imports.edges import INPUT, Edges, number, sign_of
from circuits.imports.report import Report, listed
from circuits.motif_file import Motif
from circuits.neurons import MODELS
from circuits.synapses import MODELS as SYNAPSE_MODELS

SPACE = "{http://graphml.graphdrawing.org/xmlns}"
NUMBERS = ("double", "float", "int", "long", "integer")
EDGE = "id of the edge"
OURS = ("dt_ms", "neuron_model", "outputs", "provenance")  # attributes of the graphs that `evo export` writes


class Graph:
    """A GraphML file: attributes of the graph, nodes by id and edges (source, target, attributes)."""

    def __init__(self, path: Path, report: Report):
        text = read_text(path)
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise UserError(f"{path}: declares a document type or entities, which are not read; remove the declaration")
        try:
            top = ElementTree.fromstring(text)
        except (ElementTree.ParseError, RecursionError, ValueError) as error:
            raise UserError(f"{path}: no GraphML: {error}") from None
        graphs = _all(top, "graph")
        if _name(top) != "graphml" or not graphs:
            raise UserError(f"{path}: no GraphML: it has no <graph> in <graphml>")
        if len(graphs) > 1 or any(_name(inner) == "graph" for node in _all(graphs[0], "node") for inner in node):
            raise UserError(f"{path}: holds several graphs; a motif is one")
        (graph,) = graphs
        if graph.get("edgedefault") == "undirected" or any(edge.get("directed") == "false" for edge in _all(graph, "edge")):
            report.refuse("edges", "they are undirected; a synapse has a direction")
        if _all(graph, "hyperedge"):
            report.refuse("hyperedges", "a synapse has two ends")
        self.keys = {key.get("id"): key for key in _all(top, "key")}
        self.attributes = self._data(graph, "graph", report)
        self.nodes: dict[str, dict[str, Any]] = {}
        for node in _all(graph, "node"):
            name = node.get("id", "")
            if not name or name in self.nodes:
                raise UserError(f"{path}: node {name!r}: must have an id of its own")
            self.nodes[name] = self._data(node, "node", report)
        self.edges = []
        for k, edge in enumerate(_all(graph, "edge")):
            ends = edge.get("source", ""), edge.get("target", "")
            for end in ends:
                if end not in self.nodes:
                    raise UserError(f"{path}: edge {k}: there is no node {end!r}")
            self.edges.append((*ends, {EDGE: edge.get("id", ""), **self._data(edge, "edge", report)}))
        check_size(report, len(self.nodes), len(self.edges))

    def _data(self, element, kind, report) -> dict[str, Any]:
        """The attributes of an element, numbers as floats; defaults where it has none."""
        attributes = {}
        for key in self.keys.values():
            default = key.find(f"{SPACE}default") if key.find(f"{SPACE}default") is not None else key.find("default")
            if default is not None and key.get("for") in (kind, "all"):
                attributes[_key_name(key)] = _value(key, default.text, kind, report)
        for data in _all(element, "data"):
            key = self.keys.get(data.get("key"))
            if key is not None and not len(data):
                attributes[_key_name(key)] = _value(key, data.text, kind, report)
        return attributes


def read(
    path: Path, report: Report, dt_ms: float | None, split: bool, inputs: tuple[str, ...] = (), outputs: tuple[str, ...] = ()
) -> Motif:
    """Read the motif in a GraphML file. inputs, outputs: the names of nodes that are input channels or get output ports."""
    graph = Graph(path, report)
    if all(key in graph.attributes for key in OURS) and not inputs and not outputs and dt_ms is None:
        return assembled(_ours(graph, report), report, split)
    return assembled(_others(graph, report, dt_ms, inputs, outputs), report, split)


def _ours(graph, report) -> Draft:
    """Read a file that `evo export` wrote."""
    model = graph.attributes["neuron_model"]
    if model not in MODELS:
        report.refuse("neuron_model", f"must be one of {', '.join(MODELS)}, not {model!r}")
    draft = Draft(
        dt_ms=graph.attributes["dt_ms"],
        neuron_model=model,
        noise_mv=graph.attributes.get("noise_mv", 0.0),
        provenance=_json(graph.attributes["provenance"], "provenance", report, dict),
    )
    number_of: dict[str, int] = {}
    for node, data in graph.nodes.items():
        name = _json(data.get("name", "null"), f"node {node}: name", report, (str, int))
        if data.get("kind") == INPUT:
            number_of[node] = -1 - len(draft.inputs)
            draft.inputs.append(name)
        else:
            number_of[node] = len(draft.neurons)
            draft.neurons.append({"id": name} | {k: v for k, v in data.items() if k not in ("kind", "label", "name", "output")})
    for source, target, data in sorted(graph.edges, key=_written):
        if number_of[target] < 0:
            report.refuse("edges", f"one ends at the input channel {draft.inputs[-1 - number_of[target]]!r}")
        weight, delay = (data.get(key) for key in ("weight_mv", "delay_ms"))
        if not isinstance(weight, float) or not isinstance(delay, float):
            report.refuse("edges", "each must have weight_mv and delay_ms")
        inhibits = number_of[source] >= 0 and draft.neurons[number_of[source]].get("sign") == "I"
        sections = {name: _section(data, name) for name in SYNAPSE_MODELS if any(k.startswith(f"{name}.") for k in data)}
        draft.links.append(Link(number_of[source], number_of[target], -weight if inhibits else weight, delay, sections))
    ids = {json.dumps(neuron["id"]): k for k, neuron in enumerate(draft.neurons)}
    for port in _json(graph.attributes["outputs"], "outputs", report, list):
        members = port.get("neurons", []) if isinstance(port, dict) else []
        missing = [name for name in members if json.dumps(name) not in ids]
        if missing or not members:
            report.refuse("output ports", f"there is no neuron {missing[0]!r}" if missing else "a port has no neurons")
        draft.ports.append((port.get("name"), [ids[json.dumps(name)] for name in members]))
    return draft


def _written(edge):
    """The index of an edge's synapse in the motif, from its id s0, s1, ...: writers group edges by node."""
    number = edge[2][EDGE].removeprefix("s")
    return int(number) if number.isdecimal() and len(number) < 10 else -1


def _section(data, name):
    return {key.partition(".")[2]: value for key, value in data.items() if key.startswith(f"{name}.")}


def _json(text, name, report, kind):
    try:
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        value = None
    if not isinstance(value, kind) or isinstance(value, bool):
        report.refuse(name, f"must be JSON of a motif, not {str(text)[:40]!r}")
    return value


def _others(graph, report, dt_ms, inputs, outputs) -> Draft:
    """Read a file of a graph tool: nodes may have a name or label, a sign, and the parameters of a motif's neurons."""
    names = _names(graph)
    file_dt = graph.attributes.get("dt_ms")
    if dt_ms is None and isinstance(file_dt, float) and 0 < file_dt <= 100:
        dt_ms = file_dt
    edges = Edges(report, dt_ms, inputs, outputs)
    edges.names |= dict.fromkeys(names.values())
    signs = {}
    for node, data in graph.nodes.items():
        attributes = {key.lower(): value for key, value in data.items()}
        text = INPUT if attributes.get("kind") == INPUT else _first(attributes, COLUMNS["sign"])
        signs[names[node]] = sign_of(_whole(text), f"node {node}: sign", report)
    used: set[str] = set()
    for k, (source, target, data) in enumerate(graph.edges):
        attributes = {key.lower(): value for key, value in data.items()}
        sign, weight, delay = (_first(attributes, COLUMNS[key]) for key in ("sign", "weight", "delay"))
        used |= set(attributes)
        location = f"edge {k}"
        kind = sign_of(_whole(sign), f"{location}: sign", report)
        weight_mv, delay_ms = number(weight, f"{location}: weight", report), number(delay, f"{location}: delay", report)
        edges.add(names[source], names[target], kind, weight_mv, delay_ms, location)
    draft = edges.finished(signs)
    parameters = MODELS[draft.neuron_model].parameters
    used_parameters = set()
    of_name = {names[node]: data for node, data in graph.nodes.items()}
    for neuron in draft.neurons:
        own = {k: v for k, v in of_name[neuron["id"]].items() if k in parameters and isinstance(v, float)}
        used_parameters |= set(own)
        neuron |= own
    if used_parameters:
        report.say("lif_psc_exp neurons", exact(f"{listed(sorted(used_parameters))} of nodes"))
    known_attributes = {name for names in COLUMNS.values() for name in names}
    other = sorted(used - known_attributes - {EDGE})
    if other:
        report.say(f"edges' {listed(other)}", dropped("an edge has a sign, a weight and a delay"))
    return draft


def _names(graph) -> dict[str, str]:
    """Names of nodes: their attribute name or label where that is unique, else their ids."""
    for key in ("name", "label", "v_name"):
        names = [data.get(key) for data in graph.nodes.values()]
        if names and all(isinstance(name, str) and name for name in names) and len(set(names)) == len(names):
            return dict(zip(graph.nodes, names, strict=True))
    return {node: node for node in graph.nodes}


def _first(data, names):
    return next((data[name] for name in names if name in data), None)


def _whole(value):
    """A sign as text, 1.0 as 1."""
    return str(int(value)) if isinstance(value, float) and value == int(value) else value


def _all(element, name):
    return [child for child in element if _name(child) == name]


def _name(element):
    return str(element.tag).removeprefix(SPACE)


def _key_name(key):
    return key.get("attr.name") or key.get("id") or ""


def _value(key, text, kind, report) -> Any:
    text = text or ""
    if key.get("attr.type") in NUMBERS:
        return number(text, f"attribute {_key_name(key)} of a {kind}", report)
    return text
