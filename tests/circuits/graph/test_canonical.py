import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits import Circuit, InputChannel, InputSynapse, Neuron, OutputPort, Synapse
from circuits.graph.canonical import canonical_form, canonical_order
from tests.reference import random_circuit

SEEDS = st.integers(0, 2**32 - 1)


def circuit(signs, synapses, inputs=(), outputs=()):
    """Neurons 0, 1, ... of these signs; synapses (pre, post); inputs (channel, post); outputs (port, neurons)."""
    names = dict.fromkeys(name for name, _ in inputs)
    return Circuit(
        dt_ms=1.0,
        neurons=[Neuron(id=k, sign=sign) for k, sign in enumerate(signs)],
        inputs=[
            InputChannel(name=c, synapses=[InputSynapse(post=b, weight_mv=1, delay_ms=1) for a, b in inputs if a == c])
            for c in names
        ],
        synapses=[Synapse(pre=a, post=b, weight_mv=1, delay_ms=1) for a, b in synapses],
        outputs=[OutputPort(name=name, neurons=neurons) for name, neurons in outputs],
    )


def shuffled(found, rng):
    """The same circuit with its neurons in another order and under other names, its synapses in another order, and other
    weights, delays and parameters."""
    new = {n.id: f"x{k}" for n, k in zip(found.neurons, rng.permutation(len(found.neurons)), strict=True)}

    def moved(synapses):
        return tuple(
            s.model_copy(
                update={end: new[getattr(s, end)] for end in ("pre", "post") if hasattr(s, end)}
                | {"weight_mv": rng.uniform(1, 9), "delay_ms": found.dt_ms * int(rng.integers(1, 9))}
            )
            for s in (synapses[k] for k in rng.permutation(len(synapses)))
        )

    return found.model_copy(
        update={
            "neurons": tuple(
                found.neurons[k].model_copy(update={"id": new[found.neurons[k].id], "tau_m_ms": rng.uniform(5, 20)})
                for k in rng.permutation(len(found.neurons))
            ),
            "inputs": tuple(c.model_copy(update={"synapses": moved(c.synapses)}) for c in found.inputs)[::-1],
            "synapses": moved(found.synapses),
            "outputs": tuple(o.model_copy(update={"neurons": tuple(new[n] for n in o.neurons)}) for o in found.outputs),
        }
    )


def graph(found):
    """A circuit as networkx compares it, with numbers of synapses as labels."""
    made = nx.DiGraph()
    for c in found.inputs:
        if c.synapses:
            made.add_node(("input", c.name), what=("input", c.name))
    for n in found.neurons:
        made.add_node(n.id, what=(n.sign, n.type))
    for o in found.outputs:
        for k, n in enumerate(o.neurons):
            made.add_node(("output", o.name, k), what=("output", o.name, k))
            made.add_edge(n, ("output", o.name, k), count=1)
    pairs = [(("input", c.name), s.post) for c in found.inputs for s in c.synapses] + [(s.pre, s.post) for s in found.synapses]
    for pair in pairs:
        made.add_edge(*pair, count=pairs.count(pair))
    return made


def same(a, b):
    return nx.is_isomorphic(graph(a), graph(b), lambda x, y: x["what"] == y["what"], lambda x, y: x["count"] == y["count"])


def changed(found, rng):
    """One synapse moved to another target, or one neuron of another sign."""
    if rng.random() < 0.3 or not found.synapses:
        free = [n for n in found.neurons if not any(n.id in o.neurons for o in found.outputs)] or found.neurons[:1]
        chosen = free[rng.integers(len(free))]
        other = chosen.model_copy(update={"sign": "I" if chosen.sign == "E" else "E"})
        return found.model_copy(update={"neurons": tuple(other if n is chosen else n for n in found.neurons)})
    k = int(rng.integers(len(found.synapses)))
    post = found.neurons[rng.integers(len(found.neurons))].id
    synapses = [s.model_copy(update={"post": post}) if j == k else s for j, s in enumerate(found.synapses)]
    return found.model_copy(update={"synapses": tuple(synapses)})


@given(SEEDS)
def test_order_names_weights_delays_and_parameters_do_not_count(seed):
    rng = np.random.default_rng(seed)
    found = random_circuit(rng)
    form = canonical_form(found)
    assert canonical_form(shuffled(found, rng)) == form
    assert canonical_form(shuffled(found, rng)).digest == form.digest


def test_two_circuits_have_one_form_if_and_only_if_they_are_isomorphic():
    rng = np.random.default_rng(0)
    outcomes = []
    for _ in range(300):
        found = random_circuit(rng, neurons=int(rng.integers(2, 7)), in_degree=2)
        other = shuffled(changed(found, rng), rng)
        outcomes.append(same(found, other))
        assert (canonical_form(found) == canonical_form(other)) == outcomes[-1]
    assert 30 < sum(outcomes) < 270


def test_among_all_circuits_of_two_and_three_neurons_there_are_as_many_forms_as_isomorphic_classes():
    for signs in ("EE", "EI", "EEI"):
        pairs = list(itertools.product(range(len(signs)), repeat=2))
        chosen = [
            [p for p, bit in zip(pairs, bits, strict=True) if bit] for bits in itertools.product((0, 1), repeat=len(pairs))
        ]
        forms = {canonical_form(circuit(signs, synapses)) for synapses in chosen}
        orders = [p for p in itertools.permutations(range(len(signs))) if [signs[k] for k in p] == list(signs)]
        classes = {min(tuple(sorted((p[a], p[b]) for a, b in synapses)) for p in orders) for synapses in chosen}
        assert len(forms) == len(classes)


def test_what_counts():
    plain = circuit("EEI", [(0, 2), (2, 1)], [("a", 0), ("b", 1)], [("x", [0, 1])])
    form = canonical_form(plain)
    others = [
        circuit("EEI", [(0, 2), (2, 1), (2, 2)], [("a", 0), ("b", 1)], [("x", [0, 1])]),
        circuit("EEI", [(0, 2), (0, 2), (2, 1)], [("a", 0), ("b", 1)], [("x", [0, 1])]),
        circuit("EEI", [(0, 2), (2, 1)], [("b", 0), ("a", 1)], [("x", [0, 1])]),
        circuit("EEI", [(0, 2), (2, 1)], [("a", 0), ("b", 1)], [("x", [1, 0])]),
        circuit("EEI", [(0, 2), (2, 1)], [("a", 0), ("b", 1)], [("x", [0]), ("y", [1])]),
        circuit("EEE", [(0, 2), (2, 1)], [("a", 0), ("b", 1)], [("x", [0, 1])]),
        plain.model_copy(update={"neurons": (*plain.neurons[:2], plain.neurons[2].model_copy(update={"type": "PV"}))}),
    ]
    assert len({form, *map(canonical_form, others)}) == 8
    unused = plain.model_copy(update={"inputs": (*plain.inputs, InputChannel(name="c"))})
    assert canonical_form(unused) == form


def test_without_names_channels_and_ports_are_told_apart_by_their_connections_alone():
    a = circuit("EEI", [(0, 2), (2, 1)], [("left", 0), ("right", 1)], [("x", [0]), ("y", [1])])
    mirrored = circuit("EEI", [(1, 2), (2, 0)], [("left", 0), ("right", 1)], [("x", [0]), ("y", [1])])
    crossed = circuit("EEI", [(0, 2), (2, 1)], [("left", 0), ("right", 1)], [("x", [0]), ("y", [0])])
    assert canonical_form(a) != canonical_form(mirrored)
    assert canonical_form(a, names=False) == canonical_form(mirrored, names=False) != canonical_form(crossed, names=False)


def test_the_form_reads_as_connections_and_keeps_its_digest():
    form = canonical_form(circuit("EI", [(1, 0), (0, 1)], [("afferent", 0), ("afferent", 1)], [("out", [0])]))
    assert form.parts == ("E", "I", "input afferent", "output out")
    assert form.connections == ((0, 1, 1), (0, 3, 1), (1, 0, 1), (2, 0, 1), (2, 1, 1))
    assert form.text == "afferent→E0 afferent→I0 E0→I0 E0→out I0⊣E0"
    assert form.digest == "0925d0b43bdc"


def tables(n, edges):
    """The table of a graph in canonical order, from several orders of its vertices."""
    label = np.zeros((n, n), "i8")
    for a, b in edges:
        label[a, b] = 1
    rng = np.random.default_rng(0)
    found = set()
    for _ in range(6):
        p = rng.permutation(n)
        given_so = label[np.ix_(p, p)]
        order = canonical_order(np.zeros(n, int), given_so)
        assert sorted(order) == list(range(n))
        found.add(given_so[np.ix_(order, order)].tobytes())
    return found


@pytest.mark.long
def test_symmetric_graphs_have_one_table_and_take_no_time():
    cases = {
        "nothing": (40, []),
        "everything": (20, itertools.product(range(20), repeat=2)),
        "pairs": (24, [(k, k ^ 1) for k in range(24)]),
        "ring": (40, [(k, (k + 1) % 40) for k in range(40)]),
        "rings": (30, [(k, k // 3 * 3 + (k + 1) % 3) for k in range(30)]),
        "grid": (36, nx.convert_node_labels_to_integers(nx.grid_2d_graph(6, 6, periodic=True)).to_directed().edges),
        "hypercube": (32, nx.convert_node_labels_to_integers(nx.hypercube_graph(5)).to_directed().edges),
    }
    for name, (n, edges) in cases.items():
        assert len(tables(n, edges)) == 1, name


def test_graphs_that_look_alike_from_every_vertex_are_told_apart():
    places = list(itertools.product(range(4), repeat=2))
    rook = [(a, b) for a in places for b in places if a != b and (a[0] == b[0] or a[1] == b[1])]
    steps = {(0, 1), (0, 3), (1, 0), (3, 0), (1, 1), (3, 3)}
    shrikhande = [(a, b) for a in places for b in places if ((b[0] - a[0]) % 4, (b[1] - a[1]) % 4) in steps]

    def numbered(edges):
        return [(places.index(a), places.index(b)) for a, b in edges]

    first, second = tables(16, numbered(rook)), tables(16, numbered(shrikhande))
    assert len(first) == len(second) == 1
    assert first != second
