"""Census of the small connected subgraphs of circuits.

A subgraph is up to three neurons, or an input channel and two neurons, with all connections among them (an induced subgraph),
classified by signs and wiring (Milo et al., Science 298, 2002, with coloured nodes). Autapses are subgraphs of their own, and
are ignored in larger ones.
"""

from itertools import combinations, permutations, product
from typing import NamedTuple

import numpy as np

from circuits.graph.wiring import Wiring

INPUT = "in"
_KINDS = (INPUT, "E", "I")
_CHUNK = 2_000_000  # node sets at once


class Subgraph(NamedTuple):
    """A class of subgraphs: the kinds of its nodes ("in", "E", "I", in this order), and (source, target) of its connections."""

    nodes: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]

    @property
    def text(self) -> str:
        """The connections, such as `in→E in→I I⊣E`."""
        names = self.names
        return " ".join(f"{names[a]}{'⊣' if self.nodes[a] == 'I' else '→'}{names[b]}" for a, b in self.edges)

    @property
    def names(self) -> list[str]:
        """A name for each node: E, or E1 and E2 if there are several."""
        return [
            f"{kind}{self.nodes[:k].count(kind) + 1}" if self.nodes.count(kind) > 1 else kind
            for k, kind in enumerate(self.nodes)
        ]


def census(wiring: Wiring) -> np.ndarray:
    """The number of occurrences of each of `SUBGRAPHS` in each circuit, int64 [B, len(SUBGRAPHS)]."""
    circuits, channels, width = len(wiring.sign), wiring.channels, wiring.synapse.shape[1]
    neurons = np.array([3, 0, 2])[wiring.sign + 1]  # index in _KINDS plus 1, 0 for no neuron
    kind = np.concatenate([np.ones((circuits, channels), int), neurons], axis=1)
    joined = np.concatenate([np.zeros((circuits, width, channels), bool), wiring.synapse], axis=2)
    counts = np.zeros((circuits, len(SUBGRAPHS)), "i8")
    for size in (1, 2, 3):
        nodes = _node_sets(width, channels, size)
        step = max(1, _CHUNK // max(1, nodes.shape[1]))
        for first in range(0, circuits, step):
            part = slice(first, first + step)
            classes = _TABLE[size][_codes(kind[part], joined[part], nodes)]
            row, column = np.nonzero(classes >= 0)
            cell = row * len(SUBGRAPHS) + classes[row, column]
            counts[part] += np.bincount(cell, minlength=len(classes) * len(SUBGRAPHS)).reshape(len(classes), -1)
    return counts


def _node_sets(width, channels, size):
    """All sets of `size` nodes with at most one input channel, int [size, sets]."""
    sets = np.array(list(combinations(range(width), size)), int).reshape(-1, size).T
    return sets[:, (sets < channels).sum(0) <= 1]


def _codes(kind, joined, nodes):
    """A code of the kinds and connections of each node set of each circuit, int32 [B, sets]."""
    code = np.zeros((len(kind), nodes.shape[1]), "i4")
    for node in nodes:
        code = code * 4 + kind[:, node]
    for a, b in _pairs(len(nodes)):
        code = code * 2 + joined[:, nodes[a], nodes[b]]
    return code


def _pairs(size):
    """The possible connections in subgraphs of a size."""
    return [(0, 0)] if size == 1 else list(permutations(range(size), 2))


def _canonical(kinds, edges):
    """The class of a subgraph with nodes in any order."""
    nodes = tuple(sorted(kinds, key=_KINDS.index))
    fitting = [p for p in permutations(range(len(kinds))) if all(nodes[p[k]] == kinds[k] for k in range(len(kinds)))]
    return Subgraph(nodes, min(tuple(sorted((p[a], p[b]) for a, b in edges)) for p in fitting))


def _connected(size, edges):
    reached = {0}
    for _ in range(size):
        reached |= {x for a, b in edges if a in reached or b in reached for x in (a, b)}
    return len(reached) == size


def _classes():
    """All classes, and by size the class index of every code of `_codes`, -1 for none."""
    classes = {}
    tables = {}
    for size in (1, 2, 3):
        pairs = _pairs(size)
        tables[size] = np.full(4**size * 2 ** len(pairs), -1, "i2")
        for kinds in product(_KINDS, repeat=size):
            if kinds.count(INPUT) > (size == 3):
                continue
            code = 0
            for kind in kinds:
                code = code * 4 + _KINDS.index(kind) + 1
            for bits in product((0, 1), repeat=len(pairs)):
                edges = [pair for pair, bit in zip(pairs, bits, strict=True) if bit]
                if edges and _connected(size, edges) and all(kinds[b] != INPUT for _, b in edges):
                    which = classes.setdefault(_canonical(kinds, edges), len(classes))
                    tables[size][code * 2 ** len(pairs) + int("".join(map(str, bits)), 2)] = which
    return tuple(classes), tables


SUBGRAPHS, _TABLE = _classes()
