"""Inputs to the nodes of a NIR graph, by way of its linear nodes: from which neuron or input channel, with what weight,
after what delay, through what synaptic filter."""

from typing import NamedTuple

import numpy as np

from circuits.errors import UserError
from circuits.export.features import approximate
from circuits.imports.nir_file import WIRE, Graph, Node
from circuits.imports.report import Report

SPIKING = ("IF", "LIF", "CubaLIF")
MOST = 2_000_000  # paths from sources to lines


class Lines(NamedTuple):
    """Signals on the lines of a node, one entry for each path.

    source    int [paths]: the number of a neuron, or -1 - the number of an input channel;   line  int [paths]
    weight    [paths];   delay  [paths], s;   tau  [paths], s: of an exponential filter (LI) on the way, NaN without
    constant  [width]: what is there without any spike;   width  number of lines
    """

    source: np.ndarray
    line: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    tau: np.ndarray
    constant: np.ndarray
    width: int


class Wiring:
    """The widths of a graph's nodes, the numbers of its neurons and channels, and what arrives where."""

    def __init__(self, graph: Graph, report: Report):
        self.nodes, self.report = graph.nodes, report
        self.sources: dict[str, list[str]] = {name: [] for name in graph.nodes}
        for source, target in dict.fromkeys(graph.edges):
            self.sources[target].append(source)
        self.width = self._widths(graph)
        self.first: dict[str, int] = {}
        neurons = channels = 0
        for name, node in graph.nodes.items():
            if node.kind in SPIKING:
                self.first[name], neurons = neurons, neurons + self.width[name]
            elif node.kind == "Input":
                self.first[name], channels = channels, channels + self.width[name]
        self._known: dict[str, Lines] = {}
        self._open: set[str] = set()

    def arriving(self, name: str) -> Lines:
        """The input to a node: the sum of the outputs of the nodes before it."""
        parts = [self._leaving(source) for source in self.sources[name]]
        width = self._into(name)
        for source, part in zip(self.sources[name], parts, strict=True):
            if part.width != width:
                self.report.refuse(f"node {name!r}", f"it takes {width} lines and {source!r} gives {part.width}")
        if not parts:
            return _none(width)
        columns = [np.concatenate([part[k] for part in parts]) for k in range(5)]
        constant = np.sum([part.constant for part in parts], axis=0)
        return _summed(Lines(columns[0], columns[1], columns[2], columns[3], columns[4], constant, width))

    def _leaving(self, name):
        if name in self._known:
            return self._known[name]
        if name in self._open:
            self.report.refuse(f"node {name!r}", "a loop without a neuron in it")
        self._open.add(name)
        found = self._known[name] = self._passed(name, self.nodes[name])
        self._open.discard(name)
        if len(found.source) > MOST:
            raise UserError(f"{self.report.place}: is too large: more than {MOST:,} paths between neurons")
        return found

    def _passed(self, name, node: Node):
        if node.kind in (*SPIKING, "Input"):
            return self._born(name, node.kind == "Input")
        if node.kind == "Output":
            self.report.refuse(f"node {name!r}", "something follows an Output")
        lines = self.arriving(name)
        if node.kind in ("Linear", "Affine"):
            return self._weighted(name, node, lines)
        if node.kind == "Scale":
            scale = _wide(node.fields["scale"], lines.width)
            return lines._replace(weight=lines.weight * scale[lines.line], constant=lines.constant * scale)
        if node.kind == "Delay":
            delay = _wide(node.fields["delay"], lines.width)
            if (delay < 0).any():
                self.report.refuse("delays", f"node {name!r} has one below 0")
            return lines._replace(delay=lines.delay + delay[lines.line])
        if node.kind == "LI":
            return self._filtered(name, node, lines)
        return lines  # WIRE and Flatten

    def _born(self, name, channel):
        own = np.arange(self.width[name])
        nothing = np.zeros(len(own))
        number = self.first[name] + own
        source = -1 - number if channel else number
        return Lines(source, own, nothing + 1, nothing, nothing + np.nan, nothing, len(own))

    def _weighted(self, name, node, lines):
        weight = node.fields["weight"]
        rows = [np.flatnonzero(column) for column in weight.T]
        counts = np.array([len(r) for r in rows])[lines.line] if len(lines.line) else np.zeros(0, int)
        if counts.sum() > MOST:
            raise UserError(f"{self.report.place}: is too large: more than {MOST:,} paths between neurons")
        path = np.repeat(np.arange(len(lines.line)), counts)
        line = np.concatenate([rows[k] for k in lines.line]) if len(path) else np.zeros(0, int)
        constant = weight @ lines.constant
        if node.kind == "Affine":
            constant = constant + _wide(node.fields["bias"], len(weight))
        scaled = lines.weight[path] * weight[line, lines.line[path]]
        found = Lines(lines.source[path], line, scaled, lines.delay[path], lines.tau[path], constant, len(weight))
        return _summed(found)

    def _filtered(self, name, node, lines):
        if not np.isnan(lines.tau).all():
            self.report.refuse("synaptic time constants", f"node {name!r} filters what is filtered; motifs have one decay")
        tau, r, leak = (_wide(node.fields[key], lines.width) for key in ("tau", "r", "v_leak"))
        if (tau <= 0).any():
            self.report.refuse("synaptic time constants", f"node {name!r} has a time constant that is not above 0")
        constant = r * lines.constant + leak
        if constant.any():
            self.report.say("bias", approximate("there from the start: the synaptic current would have to rise first"))
        return lines._replace(weight=lines.weight * (r / tau)[lines.line], tau=tau[lines.line], constant=constant)

    def _into(self, name):
        node = self.nodes[name]
        return node.fields["weight"].shape[1] if node.kind in ("Linear", "Affine") else self.width[name]

    def _widths(self, graph):
        """The number of lines that leave each node. Fields of one value stand for all neurons of a node, however many its
        neighbours ask for."""
        known: dict[str, int] = {}
        for name, node in graph.nodes.items():
            if node.kind in ("Linear", "Affine"):
                if node.fields["weight"].ndim != 2:
                    shape = list(node.fields["weight"].shape)
                    self.report.refuse(f"node {name!r}", f"its weight must be a matrix [outputs, inputs], not {shape}")
                known[name] = len(node.fields["weight"])
            elif node.kind in ("Input", "Output"):
                known[name] = int(np.prod(node.fields["shape"])) if node.fields["shape"].size else 1
            elif node.kind != WIRE:
                size = max((value.size for value in node.fields.values()), default=1)
                if any(value.size not in (1, size) for value in node.fields.values()):
                    self.report.refuse(f"node {name!r}", "its fields are of different lengths")
                if size != 1:
                    known[name] = size
        changed = True
        while changed:
            changed = False
            for source, target in graph.edges:
                node = graph.nodes[target]
                wide = node.fields["weight"].shape[1] if node.kind in ("Linear", "Affine") else known.get(target)
                if source in known and wide is None:
                    known[target], changed = known[source], True
                elif source not in known and wide is not None:
                    known[source], changed = wide, True
        for name, width in known.items():
            if not 1 <= width <= MOST:
                self.report.refuse(f"node {name!r}", f"it has {width:,} lines")
        return {name: known.get(name, 1) for name in graph.nodes}


def _wide(values, width):
    """A field for each line."""
    flat = values.ravel()
    return np.broadcast_to(flat if flat.size > 1 else flat[:1], width)


def _none(width):
    empty = np.zeros(0)
    return Lines(empty.astype(int), empty.astype(int), empty, empty, empty, np.zeros(width), width)


def _summed(lines):
    """Paths of the same ends, delay and filter as one; those of weight 0 are none."""
    if not len(lines.source):
        return lines
    keys = np.stack([lines.source, lines.line, lines.delay, np.nan_to_num(lines.tau, nan=-1.0)])
    _, first, inverse = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    weight = np.bincount(inverse.ravel(), lines.weight, len(first))
    order = np.argsort(first, kind="stable")
    order = order[weight[order] != 0]
    chosen = first[order]
    source, line, delay, tau = (part[chosen] for part in (lines.source, lines.line, lines.delay, lines.tau))
    return Lines(source, line, weight[order], delay, tau, lines.constant, lines.width)
