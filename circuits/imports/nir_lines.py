"""Inputs to the nodes of a NIR graph through its linear nodes: the source neuron or channel, weight, delay and synaptic filter
of each."""

from typing import NamedTuple

import numpy as np

from circuits.errors import UserError
from circuits.export.features import approximate
from circuits.imports.nir_file import WIRE, Graph, Node
from circuits.imports.report import Report

SPIKING = ("IF", "LIF", "CubaLIF")
MAX_PATHS = 2_000_000  # from sources to lines


class Lines(NamedTuple):
    """Signals on the lines of a node, one entry for each path.

    source    int [paths]: the number of a neuron, or -1 - the number of an input channel;   line  int [paths]
    weight    [paths];   delay  [paths], s;   tau  [paths], s: of an exponential filter (LI) on the path, NaN without
    constant  [width]: the input without any spike;   width  number of lines
    """

    source: np.ndarray
    line: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    tau: np.ndarray
    constant: np.ndarray
    width: int


class Wiring:
    """The widths of a graph's nodes, the numbers of its neurons and channels, and the input to each node."""

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
        self._outputs: dict[str, Lines] = {}
        self._open: set[str] = set()

    def input_to(self, name: str) -> Lines:
        """The input to a node: the sum of the outputs of the nodes before it."""
        inputs = [self._memoised_output(source) for source in self.sources[name]]
        width = self._input_width(name)
        for before, lines in zip(self.sources[name], inputs, strict=True):
            if lines.width != width:
                self.report.refuse(f"node {name!r}", f"it has {width} inputs, but {before!r} has {lines.width} outputs")
        if not inputs:
            return _none(width)
        source, line, weight, delay, tau = (np.concatenate([lines[k] for lines in inputs]) for k in range(5))
        constant = np.sum([lines.constant for lines in inputs], axis=0)
        return _summed(Lines(source, line, weight, delay, tau, constant, width))

    def _memoised_output(self, name):
        if name in self._outputs:
            return self._outputs[name]
        if name in self._open:
            self.report.refuse(f"node {name!r}", "a loop without a neuron in it")
        self._open.add(name)
        lines = self._outputs[name] = self._output(name, self.nodes[name])
        self._open.discard(name)
        if len(lines.source) > MAX_PATHS:
            raise UserError(f"{self.report.location}: is too large: more than {MAX_PATHS:,} paths between neurons")
        return lines

    def _output(self, name, node: Node):
        if node.kind in (*SPIKING, "Input"):
            return self._source(name, node.kind == "Input")
        if node.kind == "Output":
            self.report.refuse(f"node {name!r}", "something follows an Output")
        lines = self.input_to(name)
        if node.kind in ("Linear", "Affine"):
            return self._weighted(name, node, lines)
        if node.kind == "Scale":
            scale = per_line(node.fields["scale"], lines.width)
            return lines._replace(weight=lines.weight * scale[lines.line], constant=lines.constant * scale)
        if node.kind == "Delay":
            delay = per_line(node.fields["delay"], lines.width)
            if (delay < 0).any():
                self.report.refuse("delays", f"node {name!r} has one below 0")
            return lines._replace(delay=lines.delay + delay[lines.line])
        if node.kind == "LI":
            return self._filtered(name, node, lines)
        return lines  # WIRE and Flatten

    def _source(self, name, channel):
        line = np.arange(self.width[name])
        nothing = np.zeros(len(line))
        number = self.first[name] + line
        source = -1 - number if channel else number
        return Lines(source, line, nothing + 1, nothing, nothing + np.nan, nothing, len(line))

    def _weighted(self, name, node, lines):
        weight = node.fields["weight"]
        rows = [np.flatnonzero(column) for column in weight.T]
        counts = np.array([len(r) for r in rows])[lines.line] if len(lines.line) else np.zeros(0, int)
        if counts.sum() > MAX_PATHS:
            raise UserError(f"{self.report.location}: is too large: more than {MAX_PATHS:,} paths between neurons")
        path = np.repeat(np.arange(len(lines.line)), counts)
        line = np.concatenate([rows[k] for k in lines.line]) if len(path) else np.zeros(0, int)
        constant = weight @ lines.constant
        if node.kind == "Affine":
            constant = constant + per_line(node.fields["bias"], len(weight))
        scaled = lines.weight[path] * weight[line, lines.line[path]]
        weighted = Lines(lines.source[path], line, scaled, lines.delay[path], lines.tau[path], constant, len(weight))
        return _summed(weighted)

    def _filtered(self, name, node, lines):
        if not np.isnan(lines.tau).all():
            how = f"node {name!r} filters a signal that is filtered already; motifs have one decay"
            self.report.refuse("synaptic time constants", how)
        tau, r, leak = (per_line(node.fields[key], lines.width) for key in ("tau", "r", "v_leak"))
        if (tau <= 0).any():
            self.report.refuse("synaptic time constants", f"node {name!r} has a time constant that is not above 0")
        constant = r * lines.constant + leak
        if constant.any():
            self.report.say("bias", approximate("constant from the start; NIR lets the synaptic current rise first"))
        return lines._replace(weight=lines.weight * (r / tau)[lines.line], tau=tau[lines.line], constant=constant)

    def _input_width(self, name):
        node = self.nodes[name]
        return node.fields["weight"].shape[1] if node.kind in ("Linear", "Affine") else self.width[name]

    def _widths(self, graph):
        """The number of output lines of each node. A node whose fields have one value takes the width of its neighbours."""
        widths: dict[str, int] = {}
        for name, node in graph.nodes.items():
            if node.kind in ("Linear", "Affine"):
                if node.fields["weight"].ndim != 2:
                    shape = list(node.fields["weight"].shape)
                    self.report.refuse(f"node {name!r}", f"its weight must be a matrix [outputs, inputs], not {shape}")
                widths[name] = len(node.fields["weight"])
            elif node.kind in ("Input", "Output"):
                widths[name] = int(np.prod(node.fields["shape"])) if node.fields["shape"].size else 1
            elif node.kind != WIRE:
                size = max((value.size for value in node.fields.values()), default=1)
                if any(value.size not in (1, size) for value in node.fields.values()):
                    self.report.refuse(f"node {name!r}", "its fields are of different lengths")
                if size != 1:
                    widths[name] = size
        changed = True
        while changed:
            changed = False
            for source, target in graph.edges:
                node = graph.nodes[target]
                wide = node.fields["weight"].shape[1] if node.kind in ("Linear", "Affine") else widths.get(target)
                if source in widths and wide is None:
                    widths[target], changed = widths[source], True
                elif source not in widths and wide is not None:
                    widths[source], changed = wide, True
        for name, width in widths.items():
            if not 1 <= width <= MAX_PATHS:
                self.report.refuse(f"node {name!r}", f"it has {width:,} lines")
        return {name: widths.get(name, 1) for name in graph.nodes}


def per_line(values: np.ndarray, width: int) -> np.ndarray:
    """A field's values broadcast to every line."""
    flat = values.ravel()
    return np.broadcast_to(flat if flat.size > 1 else flat[:1], width)


def _none(width):
    empty = np.zeros(0)
    return Lines(empty.astype(int), empty.astype(int), empty, empty, empty, np.zeros(width), width)


def _summed(lines):
    """Sum paths of the same ends, delay and filter; drop those of weight 0."""
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
