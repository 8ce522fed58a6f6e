"""Where the parts of circuits are drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits import Circuit, InputChannel, InputSynapse, Neuron, OutputPort, Synapse
from circuits.drawing.layout import MAX_HEIGHT, RADIUS, connections, extent, positions, routes
from fitness.references import FOLDER, reference


def along(curve, points=101):
    """Points of a Bezier curve."""
    t = np.linspace(0, 1, points)[:, None]
    a, b, c, d = curve
    return a * (1 - t) ** 3 + 3 * b * t * (1 - t) ** 2 + 3 * c * t**2 * (1 - t) + d * t**3


def behind(circuit):
    """Synapses that run behind a part that is not their end."""
    places = positions(circuit)
    found = []
    for way in routes(circuit, places):
        line = along(way.curve)
        for part, place in places.items():
            if part not in (way.source, way.target) and np.hypot(*(line - np.array(place)).T).min() < RADIUS:
                found.append((way.source, way.target, part))
    return found


def drawn(size, pairs, heard, read):
    """A circuit of so many neurons with these synapses between neurons, and inputs to some."""
    return Circuit(
        dt_ms=1.0,
        neurons=tuple(Neuron(id=k, sign="I" if k % 3 == 2 else "E") for k in range(size)),
        inputs=(
            InputChannel(name="a", synapses=tuple(InputSynapse(post=k % size, weight_mv=1.0, delay_ms=1.0) for k in heard)),
        ),
        synapses=tuple(Synapse(pre=a % size, post=b % size, weight_mv=1.0, delay_ms=1.0) for a, b in pairs),
        outputs=(OutputPort(name="out", neurons=(read % size - read % size % 3,)),),
    )


CIRCUITS = st.builds(
    drawn,
    st.integers(1, 10),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=14),
    st.lists(st.integers(0, 9), max_size=4),
    st.integers(0, 9),
)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.json")))
def test_no_line_of_a_reference_circuit_runs_behind_a_neuron(name):
    assert behind(reference(name).circuit) == []


@given(CIRCUITS)
def test_every_part_and_synapse_has_its_place(circuit):
    places = positions(circuit)
    assert len(places) == len(circuit.inputs) + len(circuit.neurons)
    spots = np.array(list(places.values()))
    apart = np.hypot(*np.moveaxis(spots[:, None] - spots[None], -1, 0)) + 9 * np.eye(len(spots))
    assert apart.min() > 3 * RADIUS
    ways = routes(circuit, places)
    assert [(way.source, way.target) for way in ways] == connections(circuit)
    for way in ways:
        for end, part in ((0, way.source), (3, way.target)):
            assert np.hypot(*(way.curve[end] - np.array(places[part]))) < 2 * RADIUS
    left, right, bottom, top = extent(places, ways)
    assert left < spots[:, 0].min() <= spots[:, 0].max() < right
    assert bottom < spots[:, 1].min() <= spots[:, 1].max() < top


@given(CIRCUITS)
def test_synapses_with_the_same_ends_lie_apart(circuit):
    ways = routes(circuit, positions(circuit))
    seen = {}
    for way in ways:
        seen.setdefault((way.source, way.target), []).append(way.curve)
    for curves in seen.values():
        for k, one in enumerate(curves[:6]):
            assert all(np.abs(one - other).max() > 0.02 for other in curves[:k])


@given(CIRCUITS)
def test_the_same_circuit_is_drawn_the_same(circuit):
    a, b = (routes(circuit, positions(circuit)) for _ in range(2))
    assert all((x.curve == y.curve).all() and x.label == y.label for x, y in zip(a, b, strict=True))


def test_columns_are_no_taller_than_they_may_be():
    circuit = drawn(64, [], range(64), 0)
    xs = [x for x, _ in positions(circuit).values()]
    assert max(xs.count(x) for x in xs) <= MAX_HEIGHT
