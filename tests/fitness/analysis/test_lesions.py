"""Lesions, all at once, are those of `circuits.edit.lesion` one by one; in every kind of task and circuit."""

import pytest

import fitness
from circuits.edit.lesion import lesion
from fitness.analysis.lesions import cuts, lesion_scores

CASES = ("gate", "phonotaxis", "gamma", "mismatch", "association", "sequence")  # closed loop, hears all, plastic, noisy


def case(name):
    task = fitness.task(name)
    return task, task.trials(5, 70), fitness.reference(name).circuit


@pytest.mark.parametrize("name", CASES)
def test_they_score_as_the_lesioned_circuits_do_one_by_one(name):
    task, trials, circuit = case(name)
    which = cuts(circuit)
    found = lesion_scores(task, trials, circuit, which)
    whole = task.evaluate(circuit, trials, "float32").value
    for one, score in zip(which, found, strict=True):
        alone = lesion(circuit, neurons=one.neurons, connections=one.connections)
        assert task.evaluate(alone, trials, "float32").value == score, one
    assert found.min() < whole / 2
    assert circuit.noise_mv > 0 or name != "sequence"


def test_every_part_is_named_once():
    _, _, circuit = case("gate")
    found = cuts(circuit)
    parts = {kind: [one.part for one in found if one.kind == kind] for kind in ("neuron", "synapse", "input", "channel")}
    assert parts["neuron"] == [n.id for n in circuit.neurons]
    assert parts["synapse"] == [f"{s.pre}>{s.post}" for s in circuit.synapses]
    assert parts["input"] == [f"{c.name}>{s.post}" for c in circuit.inputs for s in c.synapses]
    assert parts["channel"] == ["a", "b", "control"]


def test_classes_hold_all_connections_and_those_without_any_are_left_out():
    _, _, circuit = case("gate")
    classes = {one.part: one.connections for one in cuts(circuit) if one.kind == "class"}
    assert all(classes.values())
    every = [one for connections in classes.values() for one in connections]
    assert len(every) == len(set(every)) == circuit.synapse_count
    sign = {n.id: n.sign for n in circuit.neurons}
    assert set(classes["I>E"]) == {(s.pre, s.post) for s in circuit.synapses if sign[s.pre] == "I" and sign[s.post] == "E"}
    assert "E>I" not in classes
