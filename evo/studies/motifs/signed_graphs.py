"""Named motifs in signed graphs of any size, and random graphs of given degrees.

A rewired graph keeps every neuron's sign, its out-degree, and its in-degrees from excitatory and from inhibitory neurons: pairs
of connections whose sources have the same sign exchange their targets repeatedly (Maslov and Sneppen, Science 296, 2002, within
each sign). Exchanges that would make autapses or double connections are left out.
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
        """The neurons of the k-th circuit of a wiring, without input channels and autapses."""
        neurons = np.flatnonzero(wiring.sign[k])
        between = wiring.between[k][np.ix_(neurons, neurons)].copy()
        np.fill_diagonal(between, False)
        return cls(wiring.sign[k][neurons], np.argwhere(between))

    @property
    def adjacency(self) -> np.ndarray:
        """bool [N, N], by source and target."""
        matrix = np.zeros((len(self.sign), len(self.sign)), bool)
        matrix[tuple(self.edges.T)] = True
        return matrix


def counts(graph: Signed) -> np.ndarray:
    """The number of occurrences of each of `BETWEEN` in a graph, int64 [len(BETWEEN)], as the census of subgraphs counts
    them."""
    joined = graph.adjacency
    e, i = graph.sign > 0, graph.sign < 0
    ee, ei, ie, ii = (joined[np.ix_(a, b)].astype("f8") for a, b in ((e, e), (e, i), (i, e), (i, i)))
    other = ~np.eye(len(ee), dtype=bool)
    back_e, mutual = ee * ee.T, (ei * ie.T).sum(axis=0)
    over_i, over_e = ei @ ie, ee @ ee
    number = {
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
    return np.rint([number[motif.name] for motif in BETWEEN]).astype("i8")


def rewired(graph: Signed, rng: np.random.Generator) -> Signed:
    """A random graph of the same degrees, by `SWAPS` attempted exchanges for each connection of this one."""
    edges, joined = graph.edges.copy(), graph.adjacency
    for sign in (1, -1):
        of_sign = np.flatnonzero(graph.sign[graph.edges[:, 0]] == sign)
        if len(of_sign) > 1:
            pairs = rng.integers(len(of_sign), size=(SWAPS * len(of_sign), 2))
            _exchange(edges, joined, of_sign[pairs])
    return Signed(graph.sign, edges)


@compiled
def _exchange(edges, joined, pairs):
    for k in range(len(pairs)):
        first, second = pairs[k, 0], pairs[k, 1]
        a, b, c, d = edges[first, 0], edges[first, 1], edges[second, 0], edges[second, 1]
        if a != d and c != b and not joined[a, d] and not joined[c, b]:
            joined[a, b] = joined[c, d] = False
            joined[a, d] = joined[c, b] = True
            edges[first, 1], edges[second, 1] = d, b
