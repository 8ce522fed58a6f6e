"""Named motifs in signed graphs of any size, and graphs that are random but for the degrees of their nodes.

A rewired graph keeps of every neuron its sign, how many neurons it projects to, and how many excitatory and how many
inhibitory ones project to it: two connections whose sources have the same sign exchange their targets, again and again (Maslov
and Sneppen, Science 296, 2002, within each sign). Neither connections of a neuron to itself nor double ones come about.
"""

from typing import NamedTuple

import numpy as np

from circuits.graph.named_motifs import NAMED
from circuits.graph.wiring import Wiring
from circuits.numerics.compiled import compiled

SWAPS = 20  # exchanges tried for each connection of a graph
BETWEEN = tuple(motif for motif in NAMED if "in" not in motif.pattern.replace("→", " ").split() and "autapse" not in motif.name)


class Signed(NamedTuple):
    """A graph of neurons.

    sign     int8 [N]: 1 excitatory, -1 inhibitory
    edges    int64 [E, 2]: source and target of each connection, none of a neuron to itself, none twice
    """

    sign: np.ndarray
    edges: np.ndarray

    @classmethod
    def of(cls, wiring: Wiring, k: int = 0) -> "Signed":
        """The k-th circuit of a wiring, its neurons alone, without autapses."""
        there = np.flatnonzero(wiring.sign[k])
        between = wiring.between[k][np.ix_(there, there)].copy()
        np.fill_diagonal(between, False)
        return cls(wiring.sign[k][there], np.argwhere(between))

    @property
    def adjacency(self) -> np.ndarray:
        """bool [N, N], by source and target."""
        found = np.zeros((len(self.sign), len(self.sign)), bool)
        found[tuple(self.edges.T)] = True
        return found


def counts(graph: Signed) -> np.ndarray:
    """How often each of `BETWEEN` is in a graph, int64 [len(BETWEEN)]; the same as the census of subgraphs gives."""
    joined = graph.adjacency
    e, i = graph.sign > 0, graph.sign < 0
    ee, ei, ie, ii = (joined[np.ix_(a, b)].astype("f8") for a, b in ((e, e), (e, i), (i, e), (i, i)))
    other = ~np.eye(len(ee), dtype=bool)
    back_e, mutual = ee * ee.T, (ei * ie.T).sum(axis=0)
    over_i, over_e = ei @ ie, ee @ ee
    found = {
        "recurrent excitation": back_e.sum() / 2,
        "feedback inhibition": mutual.sum(),
        "mutual inhibition": (ii * ii.T).sum() / 2,
        "feedforward inhibition": (over_i * ee).sum(),
        "lateral inhibition": (over_i * (1 - ee) * (1 - ee.T))[other].sum(),
        "winner-take-all": (mutual * (mutual - 1)).sum() / 2,
        "disinhibition": ((ii @ ie) * (1 - ie)).sum(),
        "feedforward excitation chain": (over_e * (1 - ee) * (1 - ee.T))[other].sum(),
        "feedforward loop": (over_e * ee * (1 - ee.T)).sum(),
        "excitatory loop": np.trace(over_e @ ee) / 3,
    }
    return np.rint([found[motif.name] for motif in BETWEEN]).astype("i8")


def rewired(graph: Signed, rng: np.random.Generator) -> Signed:
    """A random graph of the same degrees, reached from this one by `SWAPS` exchanges tried for each connection."""
    edges, joined = graph.edges.copy(), graph.adjacency
    for sign in (1, -1):
        mine = np.flatnonzero(graph.sign[graph.edges[:, 0]] == sign)
        if len(mine) > 1:
            pairs = rng.integers(len(mine), size=(SWAPS * len(mine), 2))
            _exchange(edges, joined, mine[pairs])
    return Signed(graph.sign, edges)


@compiled
def _exchange(edges, joined, pairs):
    for k in range(len(pairs)):
        one, two = pairs[k, 0], pairs[k, 1]
        a, b, c, d = edges[one, 0], edges[one, 1], edges[two, 0], edges[two, 1]
        if a != d and c != b and not joined[a, d] and not joined[c, b]:
            joined[a, b] = joined[c, d] = False
            joined[a, d] = joined[c, b] = True
            edges[one, 1], edges[two, 1] = d, b
