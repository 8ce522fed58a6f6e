import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits import load
from circuits.drawing.layout import connections
from circuits.graph.named_motifs import NAMED, OCCURRENCES, named, occurrences
from circuits.graph.subgraphs import SUBGRAPHS, census
from circuits.graph.wiring import Wiring
from tests.circuits.graph.test_canonical import circuit
from tests.reference import random_circuit


def random_wiring(rng, circuits=40, channels=2, neurons=6, density=0.4):
    sign = rng.choice([1, 1, -1, 0], (circuits, neurons)).astype("i1")
    synapse = rng.random((circuits, channels + neurons, neurons)) < density
    synapse &= (sign != 0)[:, None, :]
    synapse[:, channels:] &= (sign != 0)[:, :, None]
    return Wiring(sign, synapse, np.zeros(sign.shape, bool))


def graph_of(wiring, b):
    """What each node of a circuit is, and its connections."""
    kinds = {("in", c): "in" for c in range(wiring.channels)}
    kinds |= {k: "E" if s > 0 else "I" for k, s in enumerate(wiring.sign[b]) if s}
    nodes = [("in", c) for c in range(wiring.channels)] + list(range(wiring.sign.shape[1]))
    return kinds, {(nodes[a], int(post)) for a, post in np.argwhere(wiring.synapse[b])}


def is_it(subgraph, chosen, kinds, edges):
    """Is the subgraph on these nodes of this class? By trying all assignments."""
    inner = {(a, b) for a, b in edges if a in chosen and b in chosen and (a != b or len(chosen) == 1)}
    return any(
        all(kinds[node] == kind for node, kind in zip(p, subgraph.nodes, strict=True))
        and {(p[a], p[b]) for a, b in subgraph.edges} == inner
        for p in itertools.permutations(chosen)
    )


def test_there_are_as_many_classes_as_coloured_digraphs():
    sizes = Counter("".join(s.nodes) for s in SUBGRAPHS)
    assert sizes["EEE"] == sizes["III"] == 13  # Milo et al. 2002
    assert (sizes["EE"], sizes["EI"], sizes["II"], sizes["E"], sizes["I"]) == (2, 3, 2, 1, 1)
    assert sizes["EEI"] == sizes["EII"] == 30
    assert len(set(SUBGRAPHS)) == len(SUBGRAPHS) == sum(sizes.values())


@pytest.mark.long
def test_the_census_finds_what_trying_all_assignments_finds():
    wiring = random_wiring(np.random.default_rng(1))
    counts = census(wiring)
    for b in range(len(counts)):
        kinds, edges = graph_of(wiring, b)
        for k, subgraph in enumerate(SUBGRAPHS):
            sets = itertools.combinations(kinds, len(subgraph.nodes))
            assert counts[b, k] == sum(is_it(subgraph, chosen, kinds, edges) for chosen in sets), subgraph.text
    assert (counts.sum(0) > 0).mean() > 0.7


def test_the_census_does_not_depend_on_the_order_of_neurons_or_on_padding():
    rng = np.random.default_rng(2)
    wiring = random_wiring(rng, neurons=8)
    p = rng.permutation(8)
    rows = np.r_[1, 0, 2 + p]
    again = Wiring(wiring.sign[:, p], wiring.synapse[:, rows][:, :, p], wiring.read)
    assert (census(wiring) == census(again)).all()
    wider = Wiring(*(np.pad(a, [(0, 0)] + [(0, 3)] * (a.ndim - 1)) for a in wiring))
    assert (census(wiring) == census(wider)).all()
    assert (census(wiring)[5] == census(wiring.take([5]))[0]).all()


@pytest.mark.parametrize("motif", NAMED, ids=lambda motif: motif.name)
def test_every_named_motif_is_found_in_its_own_drawing_once(motif):
    assert motif in named(motif.drawn)
    assert OCCURRENCES[SUBGRAPHS.index(motif.drawn), NAMED.index(motif)] == 1
    assert motif.source


def counted(found):
    numbers = (census(Wiring.of([found])) @ OCCURRENCES)[0]
    return {motif.name: int(n) for motif, n in zip(NAMED, numbers, strict=True) if n}


def test_circuits_of_the_textbook_have_their_names():
    both = [("a", 0), ("a", 1)]
    assert counted(circuit("EI", [(1, 0)], both)) == {"feedforward inhibition": 1}
    assert counted(circuit("EI", [(0, 1), (1, 0)], both)) == {"feedforward inhibition": 1, "feedback inhibition": 1}
    assert counted(circuit("EI", [(0, 1), (1, 0)], [("a", 0)])) == {"feedback inhibition": 1}
    assert counted(circuit("EI", [(1, 0)], [("a", 1)])) == {"disynaptic inhibition": 1}
    assert counted(circuit("EEI", [(0, 2), (2, 1)])) == {"lateral inhibition": 1}
    assert counted(circuit("EEI", [(0, 1), (0, 2), (2, 1)])) == {"feedforward inhibition": 1}
    assert counted(circuit("IIE", [(0, 1), (1, 2)])) == {"disinhibition": 1}
    assert counted(circuit("II", [(0, 1), (1, 0)])) == {"mutual inhibition": 1}
    assert counted(circuit("EE", [(0, 1), (1, 0)])) == {"recurrent excitation": 1}
    assert counted(circuit("EE", [(0, 1)], [("a", 0)])) == {"feedforward excitation chain": 1}
    assert counted(circuit("EEE", [(0, 1), (1, 2), (0, 2)])) == {"feedforward loop": 1}
    assert counted(circuit("EEE", [(0, 1), (1, 2), (2, 0)])) == {"excitatory loop": 1}
    assert counted(circuit("EI", [(0, 0), (1, 1)])) == {"excitatory autapse": 1, "inhibitory autapse": 1}
    shared = counted(circuit("EEI", [(0, 2), (1, 2), (2, 0), (2, 1)]))
    assert shared == {"feedback inhibition": 2, "lateral inhibition": 2, "winner-take-all": 1}


def test_the_motifs_by_name_are_what_their_patterns_say_on_random_circuits():
    wiring = random_wiring(np.random.default_rng(3), circuits=60)
    found = census(wiring) @ OCCURRENCES
    for b in range(len(found)):
        kinds, edges = graph_of(wiring, b)
        e = [k for k, kind in kinds.items() if kind == "E"]
        i = [k for k, kind in kinds.items() if kind == "I"]
        sources = [k for k, kind in kinds.items() if kind != "I"]
        feedforward = sum({(s, x), (s, y), (y, x)} <= edges for s in sources for x in e if x != s for y in i)
        disinhibition = sum({(y, z), (z, x)} <= edges and (y, x) not in edges for y in i for z in i if y != z for x in e)
        lateral = sum({(x, y), (y, z)} <= edges and not {(x, z), (z, x)} & edges for x in e for z in e if x != z for y in i)
        got = {motif.name: n for motif, n in zip(NAMED, found[b], strict=True)}
        assert (got["feedforward inhibition"], got["disinhibition"]) == (feedforward, disinhibition)
        assert got["lateral inhibition"] == lateral
    assert found[:, [5, 7, 9]].sum(0).min() > 20


@given(st.integers(0, 2**32 - 1))
def test_where_the_named_motifs_are_is_as_often_as_the_census_counts(seed):
    """What the page of a circuit lights up are those that evo motifs counts."""
    found = random_circuit(np.random.default_rng(seed), neurons=7, in_degree=3)
    places = occurrences(found)
    assert {motif.name: len(sets) for motif, sets in places.items()} == counted(found)
    there = set(connections(found))
    for sets in places.values():
        assert len(set(sets)) == len(sets)
        assert all(connection in there for some in sets for connection in some)


def test_reference_circuits_hold_the_motifs_that_their_tasks_are_named_after():
    from fitness.references import FOLDER

    found = {path.stem: counted(load(path).circuit) for path in FOLDER.glob("*.json")}
    assert "feedforward inhibition" in found["onset"]
    assert "feedback inhibition" in found["gamma"]
    assert "feedback inhibition" in found["gain"]
    assert "winner-take-all" in found["winner"]
