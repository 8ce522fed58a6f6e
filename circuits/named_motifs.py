"""The motifs of excitatory and inhibitory neurons that have a name, and where they are in subgraphs.

A pattern lists the connections that must be there and, after `not`, those that must not; others may be. E and I are neurons, in
is an input channel, S an input channel or an excitatory neuron.
"""

import re
from itertools import permutations
from typing import NamedTuple

import numpy as np

from circuits.subgraphs import INPUT, SUBGRAPHS, Subgraph


class NamedMotif(NamedTuple):
    """A motif by its usual name. The source describes a circuit with this wiring, most of them under this name."""

    name: str
    pattern: str
    source: str

    @property
    def drawn(self) -> Subgraph:
        """The subgraph that has the connections of the pattern and no others; S is an input channel."""
        return next(s for s in SUBGRAPHS if self in named(s) and len(s.edges) == len(_parsed(self.pattern)[1]))


NAMED = (
    NamedMotif("excitatory autapse", "E→E", "van der Loos and Glaser, Brain Res. 48, 1972"),
    NamedMotif("inhibitory autapse", "I⊣I", "Bacci, Huguenard and Prince, J. Neurosci. 23, 2003"),
    NamedMotif("recurrent excitation", "E1→E2 E2→E1", "Douglas et al., Science 269, 1995"),
    NamedMotif("feedback inhibition", "E→I I⊣E", "Isaacson and Scanziani, Neuron 72, 2011"),
    NamedMotif("mutual inhibition", "I1⊣I2 I2⊣I1", "Wang and Buzsaki, J. Neurosci. 16, 1996"),
    NamedMotif("feedforward inhibition", "S→E S→I I⊣E", "Pouille and Scanziani, Science 293, 2001"),
    NamedMotif("disynaptic inhibition", "in→I I⊣E not in→E", "Silberberg and Markram, Neuron 53, 2007 (from a neuron)"),
    NamedMotif("lateral inhibition", "E1→I I⊣E2 not E1→E2 E2→E1", "Adesnik and Scanziani, Nature 464, 2010"),
    NamedMotif("winner-take-all", "E1→I E2→I I⊣E1 I⊣E2", "Maass, Neural Comput. 12, 2000"),
    NamedMotif("disinhibition", "I1⊣I2 I2⊣E not I1⊣E", "Pi et al., Nature 503, 2013"),
    NamedMotif("feedforward excitation chain", "S→E1 E1→E2 not S→E2 E2→S", "Abeles, Corticonics, 1991"),
    NamedMotif("feedforward loop", "S→E1 S→E2 E1→E2 not E2→S", "Milo et al., Science 298, 2002"),
    NamedMotif("excitatory loop", "E1→E2 E2→E3 E3→E1", "Milo et al., Science 298, 2002 (three-node feedback loop)"),
)


def named(subgraph: Subgraph) -> list[NamedMotif]:
    """The named motifs with as many nodes that a subgraph holds."""
    return [NAMED[k] for k in np.flatnonzero(OCCURRENCES[SUBGRAPHS.index(subgraph)])]


def _parsed(pattern):
    """The roles of a pattern, and the pairs of roles that must and that must not be connected."""
    halves = [[tuple(re.split("[→⊣]", part)) for part in half.split()] for half in pattern.split(" not ")]
    wanted, forbidden = halves if len(halves) == 2 else (*halves, [])
    return list(dict.fromkeys(role for pair in wanted for role in pair)), wanted, forbidden


def _occurrences(pattern, subgraph):
    """How often a pattern is in a subgraph with as many nodes: the assignments of roles that differ in the connections used."""
    roles, wanted, forbidden = _parsed(pattern)
    found = set()
    for nodes in permutations(range(len(subgraph.nodes))) if len(roles) == len(subgraph.nodes) else ():
        at = dict(zip(roles, nodes, strict=True))
        kinds = {role: subgraph.nodes[node] for role, node in at.items()}
        fits = all(kinds[role] in _KINDS[role.rstrip("123")] for role in roles)
        used, free = ({(at[a], at[b]) for a, b in pairs} for pairs in (wanted, forbidden))
        if fits and used <= set(subgraph.edges) and not free & set(subgraph.edges):
            found.add(frozenset(used))
    return len(found)


_KINDS = {"in": (INPUT,), "E": ("E",), "I": ("I",), "S": (INPUT, "E")}

# int [len(SUBGRAPHS), len(NAMED)]: census(wiring) @ OCCURRENCES counts the named motifs
OCCURRENCES = np.array([[_occurrences(motif.pattern, subgraph) for motif in NAMED] for subgraph in SUBGRAPHS])
