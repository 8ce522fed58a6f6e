"""The motifs of excitatory and inhibitory neurons that have a name, and where they are in subgraphs.

A pattern lists the connections that must be there and, after `not`, those that must not; others may be. E and I are neurons, in
is an input channel, S an input channel or an excitatory neuron.
"""

import re
from itertools import permutations
from typing import NamedTuple

import numpy as np

from circuits.circuit import Circuit
from circuits.graph.subgraphs import INPUT, SUBGRAPHS, Subgraph


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


def occurrences(circuit: Circuit) -> dict[NamedMotif, list[frozenset]]:
    """Occurrences of the named motifs in a circuit: for each that it holds, the sets of connections (source, target) that are
    one, each end ("input", name) or ("neuron", id). As many as the census counts."""
    kinds: dict = {("input", c.name): INPUT for c in circuit.inputs} | {("neuron", n.id): n.sign for n in circuit.neurons}
    edges: set = {(("input", c.name), ("neuron", s.post)) for c in circuit.inputs for s in c.synapses}
    edges |= {(("neuron", s.pre), ("neuron", s.post)) for s in circuit.synapses}
    ahead: dict = {node: [] for node in kinds}
    back: dict = {node: [] for node in kinds}
    for a, b in sorted(edges, key=str):
        ahead[a].append(b)
        back[b].append(a)
    found = {motif: _matches(motif.pattern, kinds, edges, ahead, back) for motif in NAMED}
    return {motif: sets for motif, sets in found.items() if sets}


def _matches(pattern, kinds, edges, ahead, back):
    roles, wanted, forbidden = _parsed(pattern)
    found: dict = {}

    def extend(at):
        if len(at) == len(roles):
            if not any((at[a], at[b]) in edges for a, b in forbidden):
                found[frozenset((at[a], at[b]) for a, b in wanted)] = None
            return
        role = next(
            (r for r in roles if r not in at and any(r in pair and set(pair) - {r} & set(at) for pair in wanted)),
            roles[len(at)],
        )
        near = [ahead[at[a]] for a, b in wanted if b == role and a in at] + [
            back[at[b]] for a, b in wanted if a == role and b in at
        ]
        for node in min(near, key=len, default=list(kinds)):
            if kinds[node] in _KINDS[role.rstrip("123")] and node not in at.values():
                here = at | {role: node}
                if all((here[a], here[b]) in edges for a, b in wanted if a in here and b in here):
                    extend(here)

    extend({})
    return list(found)


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
