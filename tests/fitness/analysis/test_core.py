"""The core keeps the score, and nothing more can be taken from it."""

import numpy as np
import pytest

import fitness
from circuits import Circuit
from circuits.edit.lesion import without
from circuits.neurons import Neuron
from fitness.analysis.core import smallest


def case(name, count=70):
    task = fitness.task(name)

    def draw(some):
        return task.trials((5, 3), some)

    return task, draw, task.trials((5, 1), count)


def padded(circuit):
    """The circuit with parts that do nothing: a neuron that nobody hears, one that hears nobody, synapses without weight."""
    read = circuit.outputs[0].neurons[0]
    template = next(n for n in circuit.neurons if n.id == read)
    more = [template.model_copy(update={"id": "unheard"}), template.model_copy(update={"id": "deaf", "bias_mv": 0.0})]
    synapse = {"weight_mv": 30.0, "delay_ms": circuit.dt_ms}
    data = circuit.model_dump(exclude={"neurons"}, exclude_none=True)
    data["synapses"] = [
        *data["synapses"],
        {"pre": read, "post": "unheard", **synapse},
        {"pre": "deaf", "post": read, **synapse},
        {"pre": circuit.neurons[0].id, "post": circuit.neurons[-1].id, "weight_mv": 0.0, "delay_ms": 7 * circuit.dt_ms},
    ]
    return Circuit(neurons=[*circuit.neurons, *more], **data)


class Rare(fitness.Task):
    """A rare and a common kind of trial: an output for each has to fire."""

    inputs, outputs = ("rare", "common"), ("out",)
    dt_ms, duration_ms = 1.0, 20.0

    def make(self, rng, count):
        kind = (np.arange(count) % 8 > 0).astype(int)  # every eighth is rare
        spikes = np.zeros((count, 20, 2), bool)
        spikes[np.arange(count), 3, kind] = True
        return spikes, np.zeros(count, int), {"kind": kind}

    def conditions(self, trials):
        return {"kind": trials.facts["kind"]}

    def trial_scores(self, raster, trials):
        return raster.counts()[..., 0] > 0


def test_no_part_goes_whose_loss_only_a_rare_condition_feels():
    circuit = Circuit(
        dt_ms=1.0,
        neurons=[Neuron(id="x", sign="E")],
        inputs=[{"name": n, "synapses": [{"post": "x", "weight_mv": 400.0, "delay_ms": 1.0}]} for n in ("rare", "common")],
        outputs=[{"name": "out", "neurons": ["x"]}],
    )

    class Tolerant(Rare):
        """Down to 0.8 of all trials right is as good, whatever the condition."""

        def floor(self, score, trials):
            return score.value - 0.2

    task = Tolerant()
    found = smallest(task, circuit, lambda some: task.trials(1, some), task.trials(2, 200))
    assert found.synapses == ()
    assert found.confirmed
    assert found.scored["worst"] == {"condition": "kind 0", "score": 1.0, "trials": 25}

    class OneKind(Tolerant):
        def conditions(self, trials):
            return {}

    task = OneKind()
    found = smallest(task, circuit, lambda some: task.trials(1, some), task.trials(2, 200))
    assert found.synapses == (("rare", "x"),)
    assert "worst" not in found.scored


SECONDS = "mismatch", "sequence", "gamma"  # the same code, for many seconds
LARGE = [pytest.param(name, marks=pytest.mark.slow) for name in SECONDS]


@pytest.mark.long
@pytest.mark.parametrize("name", ["gate", "phonotaxis", *LARGE])
def test_it_keeps_the_score_and_nothing_more_can_be_removed(name):
    task, draw, confirming = case(name)
    circuit = padded(fitness.reference(name).circuit)
    found = smallest(task, circuit, draw, confirming)
    choosing = draw(found.chosen_on)
    least = task.floor(task.evaluate(circuit, choosing, "float32"), choosing)
    assert task.evaluate(found.circuit, choosing, "float32").value >= least
    assert {"unheard", "deaf"} <= set(found.neurons)
    assert found.circuit.synapse_count <= circuit.synapse_count - 3
    read = {n for port in found.circuit.outputs for n in port.neurons}
    smaller = [without(found.circuit, [n.id]) for n in found.circuit.neurons if n.id not in read]
    smaller += [without(found.circuit, synapses=[k]) for k in range(found.circuit.synapse_count)]
    assert all(task.evaluate(one, choosing, "float32").value < least for one in smaller)
    alone = task.evaluate(found.circuit, confirming, "float32")
    ends = found.scored["score"], found.scored["low"], found.scored["high"]
    assert ends == (alone.value, *task.interval(alone, confirming))
    assert found.confirmed == (found.scored["score"] >= task.floor(task.evaluate(circuit, confirming, "float32"), confirming))


def test_it_is_the_same_every_time():
    task, draw, confirming = case("direction")
    circuit = fitness.reference("direction").circuit
    first = smallest(task, circuit, draw, confirming)
    assert first == smallest(task, circuit, draw, confirming)
    assert first.synapses  # a reference circuit that has spare parts
    assert first.circuit == without(circuit, first.neurons, _numbers(circuit, first.synapses))


def _numbers(circuit, ends):
    every = [(c.name, s.post) for c in circuit.inputs for s in c.synapses] + [(s.pre, s.post) for s in circuit.synapses]
    return [every.index(one) for one in ends]


def test_a_circuit_that_does_no_better_than_chance_has_none():
    task, draw, confirming = case("gate")
    circuit = fitness.reference("gate").circuit
    silent = circuit.model_copy(update={"synapses": ()})
    assert smallest(task, silent, draw, confirming) is None


def test_a_core_chosen_on_too_few_trials_is_not_confirmed():
    task, _, confirming = case("sequence", 256)
    asked = []

    def few(some):
        asked.append(some)
        return task.trials((5, 3), 12)

    found = smallest(task, fitness.reference("sequence").circuit, few, confirming)
    assert not found.confirmed
    assert asked == [512, 2048], "it is tried again on more"
    assert found.chosen_on == 12


def test_output_neurons_stay_even_if_they_do_nothing():
    """One output of two is never wanted: its neuron stays, its synapses go."""

    class Copy(fitness.Task):
        inputs, outputs = ("a",), ("a", "never")
        dt_ms, duration_ms, chance = 1.0, 30.0, 0.5

        def make(self, rng, count):
            labels = np.arange(count) % 2
            spikes = np.zeros((count, 30, 1), bool)
            spikes[:, 5, 0] = labels
            return spikes, labels

        def trial_scores(self, raster, trials):
            return (raster.counts()[..., 0] > 0) == trials.labels

    circuit = Circuit(
        dt_ms=1.0,
        neurons=[Neuron(id="x", sign="E"), Neuron(id="y", sign="E")],
        inputs=[{"name": "a", "synapses": [{"post": n, "weight_mv": 400.0, "delay_ms": 1.0} for n in "xy"]}],
        outputs=[{"name": "a", "neurons": ["x"]}, {"name": "never", "neurons": ["y"]}],
    )
    task = Copy()
    found = smallest(task, circuit, lambda some: task.trials(1, some), task.trials(2, 20))
    assert found.neurons == ()
    assert found.synapses == (("a", "y"),)
    assert found.circuit.outputs == circuit.outputs
    assert found.scored["score"] == 1
