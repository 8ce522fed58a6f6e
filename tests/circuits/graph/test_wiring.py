import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from circuits.graph.wiring import Wiring, live
from circuits.simulation.simulate import simulate
from tests.circuits.graph.test_canonical import circuit
from tests.reference import random_circuit


def test_the_wiring_of_several_circuits_is_padded():
    wiring = Wiring.of(
        [
            circuit("EI", [(0, 1), (0, 1), (1, 0)], [("a", 0)], [("x", [0])]),
            circuit("IEE", [(2, 2)], [("a", 1), ("b", 2), ("b", 0)], [("x", [2]), ("y", [1])]),
        ]
    )
    assert wiring.sign.tolist() == [[1, -1, 0], [-1, 1, 1]]
    assert wiring.channels == 2
    assert wiring.size.tolist() == [[1, 1, 1, 2], [2, 1, 3, 1]]
    assert wiring.between[0].tolist() == [[False, True, False], [True, False, False], [False, False, False]]
    assert wiring.synapse[1, :2].tolist() == [[False, True, False], [True, False, True]]
    assert wiring.read.tolist() == [[True, False, False], [False, True, True]]
    assert [part.tolist() for part in wiring.take([1])] == [part[1:].tolist() for part in wiring]


def test_what_reaches_no_output_is_not_alive():
    found = circuit("EEEII", [(0, 1), (1, 2), (3, 0), (1, 4), (4, 4)], [("a", 0), ("a", 4)], [("x", [1])])
    assert [n.id for n in live(found).neurons] == [0, 1, 3]
    assert live(found).synapse_count == 3
    alive = Wiring.of([found]).live()
    assert alive.size.tolist() == [[2, 1, 1, 2]]
    assert alive.size.tolist() == Wiring.of([live(found)]).size.tolist()


def test_a_circuit_without_outputs_is_kept_whole():
    found = circuit("EI", [(0, 1)])
    assert live(found) == found


@given(st.integers(0, 2**32 - 1))
def test_the_outputs_of_what_is_alive_spike_as_before(seed):
    rng = np.random.default_rng(seed)
    found = random_circuit(rng, neurons=int(rng.integers(4, 12)), in_degree=1)
    if not found.outputs:
        return
    read = found.outputs[0].neurons[:1]
    found = found.model_copy(update={"outputs": (found.outputs[0].model_copy(update={"neurons": read}),)})
    spikes = rng.random((8, 200, len(found.inputs))) < 0.05
    before, after = simulate(found, spikes), simulate(live(found), spikes)
    assert (before.outputs.spikes() == after.outputs.spikes()).all()
