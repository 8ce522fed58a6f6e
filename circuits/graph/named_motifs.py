"""Named motifs of excitatory and inhibitory neurons, and their occurrences in subgraphs and circuits.

A pattern lists required connections and, after `not`, forbidden ones; others are optional. E and I are neurons, in is an input
channel, S an input channel or an excitatory neuron.
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
        """The subgraph with the connections of the pattern and no others; S is an input channel."""
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
    """The named motifs, of as many nodes, in a subgraph."""
    return [NAMED[k] for k in np.flatnonzero(OCCURRENCES[SUBGRAPHS.index(subgraph)])]


def occurrences(circuit: Circuit) -> dict[NamedMotif, list[frozenset]]:
    """Occurrences of the named motifs in a circuit, by motif: sets of connections (source, target), each end ("input", name) or
    ("neuron", id). Their number is that of the census."""
    kinds: dict = {("input", c.name): INPUT for c in circuit.inputs} | {("neuron", n.id): n.sign for n in circuit.neurons}
    edges: set = {(source, ("neuron", synapse.post)) for source, synapse in circuit.all_synapses}
    targets: dict = {node: [] for node in kinds}
    sources: dict = {node: [] for node in kinds}
    for a, b in sorted(edges, key=str):
        targets[a].append(b)
        sources[b].append(a)
    matches = {motif: _matches(motif.pattern, kinds, edges, targets, sources) for motif in NAMED}
    return {motif: sets for motif, sets in matches.items() if sets}


def _matches(pattern, kinds, edges, targets, sources):
    roles, required, forbidden = _parsed(pattern)
    matches: dict = {}

    def extend(at):
        if len(at) == len(roles):
            if not any((at[a], at[b]) in edges for a, b in forbidden):
                matches[frozenset((at[a], at[b]) for a, b in required)] = None
            return
        role = next(
            (r for r in roles if r not in at and any(r in pair and set(pair) - {r} & set(at) for pair in required)),
            roles[len(at)],
        )
        near = [targets[at[a]] for a, b in required if b == role and a in at] + [
            sources[at[b]] for a, b in required if a == role and b in at
        ]
        for node in min(near, key=len, default=list(kinds)):
            if kinds[node] in _KINDS[role.rstrip("123")] and node not in at.values():
                extended = at | {role: node}
                if all((extended[a], extended[b]) in edges for a, b in required if a in extended and b in extended):
                    extend(extended)

    extend({})
    return list(matches)


def _parsed(pattern):
    """The roles of a pattern, and the pairs of roles with a required and with a forbidden connection."""
    halves = [[tuple(re.split("[→⊣]", part)) for part in half.split()] for half in pattern.split(" not ")]
    required, forbidden = halves if len(halves) == 2 else (*halves, [])
    return list(dict.fromkeys(role for pair in required for role in pair)), required, forbidden


def _occurrences(pattern, subgraph):
    """The number of occurrences of a pattern in a subgraph of as many nodes, distinct by the connections used."""
    roles, required, forbidden = _parsed(pattern)
    uses = set()
    for nodes in permutations(range(len(subgraph.nodes))) if len(roles) == len(subgraph.nodes) else ():
        at = dict(zip(roles, nodes, strict=True))
        kinds = {role: subgraph.nodes[node] for role, node in at.items()}
        fits = all(kinds[role] in _KINDS[role.rstrip("123")] for role in roles)
        used, free = ({(at[a], at[b]) for a, b in pairs} for pairs in (required, forbidden))
        if fits and used <= set(subgraph.edges) and not free & set(subgraph.edges):
            uses.add(frozenset(used))
    return len(uses)


_KINDS = {"in": (INPUT,), "E": ("E",), "I": ("I",), "S": (INPUT, "E")}

# int [len(SUBGRAPHS), len(NAMED)]: census(wiring) @ OCCURRENCES counts the named motifs
OCCURRENCES = np.array([[_occurrences(motif.pattern, subgraph) for motif in NAMED] for subgraph in SUBGRAPHS])
