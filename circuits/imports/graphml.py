"""Motifs from GraphML files: those that `evo export --to graphml` writes, as they were, and those of graph tools, of whose
nodes and edges the attributes sign, weight, delay and the parameters of neurons by our names are taken."""

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
OURS = ("dt_ms", "neuron_model", "outputs", "provenance")  # attributes of the graph that an export of ours has


class Graph:
    """A GraphML file: attributes of the graph, nodes by id and edges (source, target, attributes)."""

    def __init__(self, path: Path, report: Report):
        text = read_text(path)
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise UserError(f"{path}: declares a document type or entities, which are not read; take the declaration out")
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

    def _data(self, element, what, report) -> dict[str, Any]:
        """The attributes of an element, numbers as floats; defaults where it has none."""
        found = {}
        for key in self.keys.values():
            default = key.find(f"{SPACE}default") if key.find(f"{SPACE}default") is not None else key.find("default")
            if default is not None and key.get("for") in (what, "all"):
                found[_key_name(key)] = _value(key, default.text, what, report)
        for data in _all(element, "data"):
            key = self.keys.get(data.get("key"))
            if key is not None and not len(data):
                found[_key_name(key)] = _value(key, data.text, what, report)
        return found


def read(
    path: Path, report: Report, dt_ms: float | None, split: bool, inputs: tuple[str, ...] = (), outputs: tuple[str, ...] = ()
) -> Motif:
    """The motif that a GraphML file holds; inputs and outputs: names of nodes that are input channels, that are read."""
    graph = Graph(path, report)
    if all(key in graph.attributes for key in OURS) and not inputs and not outputs and dt_ms is None:
        return assembled(_ours(graph, report), report, split)
    return assembled(_others(graph, report, dt_ms, inputs, outputs), report, split)


def _ours(graph, report) -> Draft:
    """Read a file that our own export wrote."""
    model = graph.attributes["neuron_model"]
    if model not in MODELS:
        report.refuse("neuron_model", f"must be one of {', '.join(MODELS)}, not {model!r}")
    draft = Draft(
        dt_ms=graph.attributes["dt_ms"],
        neuron_model=model,
        noise_mv=graph.attributes.get("noise_mv", 0.0),
        provenance=_json(graph.attributes["provenance"], "provenance", report, dict),
    )
    place: dict[str, int] = {}
    for node, data in graph.nodes.items():
        name = _json(data.get("name", "null"), f"node {node}: name", report, (str, int))
        if data.get("kind") == INPUT:
            place[node] = -1 - len(draft.inputs)
            draft.inputs.append(name)
        else:
            place[node] = len(draft.neurons)
            draft.neurons.append({"id": name} | {k: v for k, v in data.items() if k not in ("kind", "label", "name", "output")})
    for source, target, data in sorted(graph.edges, key=_written):
        if place[target] < 0:
            report.refuse("edges", f"one ends at the input channel {draft.inputs[-1 - place[target]]!r}")
        weight, delay = (data.get(key) for key in ("weight_mv", "delay_ms"))
        if not isinstance(weight, float) or not isinstance(delay, float):
            report.refuse("edges", "each must have weight_mv and delay_ms")
        inhibits = place[source] >= 0 and draft.neurons[place[source]].get("sign") == "I"
        sections = {name: _section(data, name) for name in SYNAPSE_MODELS if any(k.startswith(f"{name}.") for k in data)}
        draft.links.append(Link(place[source], place[target], -weight if inhibits else weight, delay, sections))
    ids = {json.dumps(neuron["id"]): k for k, neuron in enumerate(draft.neurons)}
    for port in _json(graph.attributes["outputs"], "outputs", report, list):
        members = port.get("neurons", []) if isinstance(port, dict) else []
        missing = [name for name in members if json.dumps(name) not in ids]
        if missing or not members:
            report.refuse("output ports", f"there is no neuron {missing[0]!r}" if missing else "a port has no neurons")
        draft.ports.append((port.get("name"), [ids[json.dumps(name)] for name in members]))
    return draft


def _written(edge):
    """The place of an edge in the motif, by its id s0, s1, ...: writers put the edges of a node together."""
    number = edge[2][EDGE].removeprefix("s")
    return int(number) if number.isdecimal() and len(number) < 10 else -1


def _section(data, name):
    return {key.partition(".")[2]: value for key, value in data.items() if key.startswith(f"{name}.")}


def _json(text, what, report, kind):
    try:
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        value = None
    if not isinstance(value, kind) or isinstance(value, bool):
        report.refuse(what, f"must be JSON of a motif, not {str(text)[:40]!r}")
    return value


def _others(graph, report, dt_ms, inputs, outputs) -> Draft:
    """Read a file of a graph tool: nodes may have a name or label, a sign, and parameters by our names."""
    names = _names(graph)
    told = graph.attributes.get("dt_ms")
    found = Edges(
        report, dt_ms if dt_ms is not None else told if isinstance(told, float) and 0 < told <= 100 else None, inputs, outputs
    )
    found.names |= dict.fromkeys(names.values())
    signs = {}
    for node, data in graph.nodes.items():
        low = {key.lower(): value for key, value in data.items()}
        text = INPUT if low.get("kind") == INPUT else _first(low, COLUMNS["sign"])
        signs[names[node]] = sign_of(_whole(text), f"node {node}: sign", report)
    used: set[str] = set()
    for k, (source, target, data) in enumerate(graph.edges):
        low = {key.lower(): value for key, value in data.items()}
        sign, weight, delay = (_first(low, COLUMNS[key]) for key in ("sign", "weight", "delay"))
        used |= set(low)
        place = f"edge {k}"
        kind = sign_of(_whole(sign), f"{place}: sign", report)
        size, time = number(weight, f"{place}: weight", report), number(delay, f"{place}: delay", report)
        found.add(names[source], names[target], kind, size, time, place)
    draft = found.finished(signs)
    parameters = MODELS[draft.neuron_model].parameters
    taken = set()
    of_name = {names[node]: data for node, data in graph.nodes.items()}
    for neuron in draft.neurons:
        own = {k: v for k, v in of_name[neuron["id"]].items() if k in parameters and isinstance(v, float)}
        taken |= set(own)
        neuron |= own
    if taken:
        report.say("lif_psc_exp neurons", exact(f"{listed(sorted(taken))} of nodes"))
    known = {name for names in COLUMNS.values() for name in names}
    other = sorted(used - known - {EDGE})
    if other:
        report.say(f"edges' {listed(other)}", dropped("an edge has a sign, a weight and a delay"))
    return draft


def _names(graph) -> dict[str, str]:
    """Names of nodes: their attribute name or label where that is unique, else their ids."""
    for key in ("name", "label", "v_name"):
        found = [data.get(key) for data in graph.nodes.values()]
        if found and all(isinstance(name, str) and name for name in found) and len(set(found)) == len(found):
            return dict(zip(graph.nodes, found, strict=True))
    return {node: node for node in graph.nodes}


def _first(data, names):
    return next((data[name] for name in names if name in data), None)


def _whole(value):
    """A sign as text: 1.0 as 1."""
    return str(int(value)) if isinstance(value, float) and value == int(value) else value


def _all(element, name):
    return [child for child in element if _name(child) == name]


def _name(element):
    return str(element.tag).removeprefix(SPACE)


def _key_name(key):
    return key.get("attr.name") or key.get("id") or ""


def _value(key, text, what, report) -> Any:
    text = text or ""
    if key.get("attr.type") in NUMBERS:
        return number(text, f"attribute {_key_name(key)} of a {what}", report)
    return text
