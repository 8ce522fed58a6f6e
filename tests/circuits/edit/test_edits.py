"""Edits of a circuit: what each does, and what is refused with the reason."""

import pytest

import circuits
from circuits.edit.edits import apply, parse
from circuits.edit.lesion import lesion
from circuits.errors import UserError

CIRCUIT = circuits.zoo["gate-3"].circuit  # E5 > E2 and I1 > E5 after four input synapses; E2 is read


def edited(*edits):
    return apply(CIRCUIT, parse(list(edits)))


def refused(*edits):
    with pytest.raises(UserError) as caught:
        edited(*edits)
    return str(caught.value)


def test_a_weight_and_a_delay_of_one_synapse_change_and_nothing_else():
    between = CIRCUIT.synapse_count - len(CIRCUIT.synapses)
    changed = edited({"edit": "weight", "synapse": between, "mv": 12.5}, {"edit": "delay", "synapse": between, "ms": 3.3})
    assert changed.synapses[0].weight_mv == 12.5
    assert changed.synapses[0].delay_ms == 3.5  # whole steps of 0.5 ms
    assert changed.synapses[1:] == CIRCUIT.synapses[1:]
    assert changed.inputs == CIRCUIT.inputs
    first = edited({"edit": "weight", "synapse": 0, "mv": 1.0})
    assert next(s for c in first.inputs for s in c.synapses).weight_mv == 1.0
    assert first.synapses == CIRCUIT.synapses


def test_edits_count_in_the_circuit_that_they_find():
    assert edited({"edit": "cut", "synapse": 0}, {"edit": "cut", "synapse": 0}).synapse_count == CIRCUIT.synapse_count - 2
    grown = edited({"edit": "place", "sign": "I"}, {"edit": "connect", "pre": "I0", "post": "E2", "mv": 9, "ms": 1})
    assert grown.synapses[-1].pre == "I0"


def test_silencing_is_the_lesion():
    assert edited({"edit": "silence", "neuron": "I1"}) == lesion(CIRCUIT, neurons=["I1"])


def test_the_sign_of_a_neuron_turns_with_all_its_synapses():
    turned = edited({"edit": "flip", "neuron": "I1"})
    assert [n.sign for n in turned.neurons] == ["E", "E", "E"]
    assert turned.synapses == CIRCUIT.synapses


def test_dales_law_refuses_the_sign_of_one_synapse_among_several():
    more = {"edit": "connect", "pre": "I1", "post": "E2", "mv": 5, "ms": 1}
    place = CIRCUIT.synapse_count - 1
    said = refused(more, {"edit": "flip", "synapse": place})
    assert said.startswith("Dale's law: I1 inhibits all its targets alike")
    assert "flip I1 itself" in said
    assert edited({"edit": "flip", "synapse": place}) == edited({"edit": "flip", "neuron": "I1"})
    assert "input channels excite" in refused({"edit": "flip", "synapse": 0})
    assert "only excitatory neurons can be read" in refused({"edit": "flip", "neuron": "E2"})


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        ({"edit": "weight", "synapse": 0, "mv": -1}, "greater than or equal to 0"),
        ({"edit": "weight", "synapse": 0, "mv": float("nan")}, "finite"),
        ({"edit": "cut", "synapse": 99}, "there is no synapse 99; there are 6"),
        ({"edit": "connect", "pre": "E9", "post": "E2", "mv": 1, "ms": 1}, "there is no neuron 'E9'"),
        ({"edit": "connect", "channel": "z", "post": "E2", "mv": 1, "ms": 1}, "there is no input channel 'z'"),
        ({"edit": "set", "neuron": "E2", "parameter": "v_reset_mv", "value": -20}, "must be below"),
        ({"edit": "set", "neuron": "E2", "parameter": "tau", "value": 1}, "no parameter 'tau'"),
        ({"edit": "remove", "neuron": "E2"}, "nothing is left of output port"),
        ({"edit": "noise", "mv": -1}, "noise_mv"),
        ({"edit": "place", "sign": "E", "neuron": "E2"}, "occurs twice"),
        ({"edit": "read", "port": "out", "neuron": "I1"}, "only E neurons can be read"),
        ({"edit": "explode"}, "does not match"),
        ("cut", "edits"),
    ],
)
def test_what_a_circuit_cannot_be_is_refused_in_one_line(edit, reason):
    said = refused(edit)
    assert reason in said
    assert "\n" not in said
