"""A .nir file as a flat graph: subgraphs inlined, nodes as plain arrays.

The layout is that of nir's `serialization.py`: /node has `type`, `nodes/NAME` with the node's fields, and `edges`, pairs of
names. A node of type NIRGraph has nodes and edges of its own.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuits.errors import UserError
from circuits.imports.hdf5 import Group

MAX_DEPTH, MAX_NODES = 20, 10_000
WIRE = "wire"  # the kind of an Input or Output of a subgraph: passes its input on
FIELDS = {
    "Input": ("shape",),
    "Output": ("shape",),
    "Affine": ("weight", "bias"),
    "Linear": ("weight",),
    "Scale": ("scale",),
    "Flatten": (),
    "Delay": ("delay",),
    "LI": ("tau", "r", "v_leak"),
    "IF": ("r", "v_threshold", "v_reset"),
    "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
}
DEFAULTS = {"v_reset": 0.0, "w_in": 1.0, "bias": 0.0}  # fields that older versions did not write


@dataclass
class Node:
    """A node: its kind, one of `FIELDS` or `WIRE`, and its fields as float64 arrays."""

    kind: str
    fields: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass
class Graph:
    """Nodes by name, those of subgraphs as SUBGRAPH.NAME, and edges between them.

    metadata  of the whole graph: `dt` in s and `motif`, the text of a motif file, if any;   t_ref  in s, by the name of the
    node
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    t_ref: dict[str, np.ndarray] = field(default_factory=dict)


def graph(root: Group) -> Graph:
    """Read the graph in an open file. Raises UserError for a file that holds none, and for nodes that no motif has."""
    if "node" not in root:
        raise UserError(f"{root.location}: no NIR file: it has no group 'node'")
    flat, top = Graph(), root.group("node")
    if top.text("type") != "NIRGraph":
        raise UserError(f"{top.location}: must be a NIRGraph, not {top.text('type')!r}")
    _add_nodes(top, "", flat, 0)
    for name, node in flat.nodes.items():
        if not isinstance(node, Node):
            raise UserError(f"{root.location}: node {name!r} has no type")
    unknown = sorted({end for edge in flat.edges for end in edge} - set(flat.nodes))
    if unknown:
        raise UserError(f"{root.location}: an edge names {unknown[0]!r}, and there is no such node")
    return flat


def _add_nodes(group, prefix, flat, depth):
    if depth > MAX_DEPTH:
        raise UserError(f"{group.location}: is too deep: more than {MAX_DEPTH} subgraphs in one another")
    inside = group.group("nodes")
    ports: dict[str, tuple[list[str], list[str]]] = {}  # of subgraphs: their inputs and outputs
    for name in inside.names():
        node, full = inside.group(name), prefix + name
        kind = node.text("type")
        if kind == "NIRGraph":
            _add_nodes(node, f"{full}.", flat, depth + 1)
            members = [
                (n.removeprefix(f"{full}."), member.kind) for n, member in flat.nodes.items() if n.startswith(f"{full}.")
            ]
            direct = [(f"{full}.{n}", k) for n, k in members if "." not in n]
            ports[name] = tuple([n for n, k in direct if k == port_kind] for port_kind in ("Input", "Output"))  # type: ignore[assignment]
            for n, _ in direct:
                if flat.nodes[n].kind in ("Input", "Output"):
                    flat.nodes[n] = Node(WIRE)
            continue
        if kind not in FIELDS:
            how = f"no motif has a {kind}; motifs have {', '.join(FIELDS)}"
            raise UserError(f"{node.location}: node {full!r} cannot be imported: {how}")
        flat.nodes[full] = Node(kind, {key: _array(node, key) for key in FIELDS[kind]})
        if len(flat.nodes) > MAX_NODES:
            raise UserError(f"{group.location}: is too large: more than {MAX_NODES:,} nodes")
        if "metadata" in node and "t_ref" in node.group("metadata"):
            flat.t_ref[full] = node.group("metadata").numbers("t_ref")
    if "metadata" in group and not prefix:
        flat.metadata = _metadata(group.group("metadata"))
    elif "metadata" in group and "dt" in group.group("metadata"):
        flat.metadata.setdefault("dt", _metadata(group.group("metadata")).get("dt"))
    pairs = group.texts("edges", np.empty((0, 2), object))
    if pairs.size and (pairs.ndim != 2 or pairs.shape[1] != 2):
        raise UserError(f"{group.location}/edges: must be pairs of names")
    for source, target in pairs.reshape(-1, 2).tolist():
        flat.edges.append((_end(source, 1, ports, prefix, group), _end(target, 0, ports, prefix, group)))


def _end(name, side, ports, prefix, group):
    """The node that an edge leaves (side 1) or reaches (side 0), inside a subgraph if it names one."""
    if name not in ports:
        return prefix + name
    inside = ports[name][side]
    if len(inside) != 1:
        port_kind = "outputs" if side else "inputs"
        raise UserError(
            f"{group.location}: subgraph {name!r} has {len(inside)} {port_kind}: an edge must name one, {name}.PORT"
        )
    return inside[0]


def _array(node, key):
    default = DEFAULTS.get(key, np.zeros(0) if key == "shape" else None)
    return node.numbers(key, default).astype("f8")


def _metadata(group):
    metadata: dict[str, Any] = {}
    if "dt" in group and not group.is_text("dt"):
        dt = group.numbers("dt")
        if dt.size == 1 and 0 < float(dt.ravel()[0]) <= 0.1:
            metadata["dt"] = float(dt.ravel()[0])
    if "motif" in group and group.is_text("motif"):
        metadata["motif"] = group.text("motif")
    return metadata
