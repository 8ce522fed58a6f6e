"""Teacher forcing: neurons that are read send on the teacher's spikes, and else nothing changes."""

import numpy as np
import pytest

import fitness
from circuits import Circuit, InputChannel, InputSynapse, Neuron, OutputPort, Synapse
from circuits.simulation.packed import from_circuit
from circuits.simulation.population import simulate_population
from circuits.simulation.raster import pack, unpack
from evo.genome import tables, to_circuit
from evo.genome.variation import founders
from evo.spec.run_spec import parse
from fitness.evaluation.evaluate import evaluate
from fitness.evaluation.forcing import forced
from fitness.task import Interface

SPEC = """
[task]
name = "x"
[circuit]
neurons = [3, 5]
excitatory_share = [0.4, 1.0]
in_degree = 2
delay_ms = [0.5, 6.0]
excitatory_weight_mv = [20.0, 150.0]
synapse_model = "{}"
"""
CHANNELS, PORTS, STEPS, TRIALS = ("a", "b"), ("n0", "n1"), 300, 70


def population(synapse_model="static"):
    form = parse(SPEC.format(synapse_model)).form(Interface("x", CHANNELS, PORTS, 0.5, 150.0))
    return form, founders(form.bounds, 30, np.random.default_rng(4))


def inputs(channels, share=0.04):
    return pack(np.random.default_rng(channels).random((TRIALS, STEPS, channels)) < share)


@pytest.mark.parametrize("synapse_model", ["static", "short_term", "stdp"])
def test_a_circuit_that_is_told_what_it_does_does_the_same(synapse_model):
    form, genomes = population(synapse_model)
    packed, bits = tables(genomes, form), inputs(2)
    free = simulate_population(packed, bits, TRIALS).outputs
    assert free.any()
    rows, those = forced(packed)
    assert 5 < len(rows) < len(genomes)  # in the others no neuron that is read sends anything
    for row in rows:
        its = np.flatnonzero(rows == row)
        one = those._replace(**{name: getattr(those, name)[its] for name in ("neurons", "bounds", "table", "n_ref")})
        one = one._replace(fan_out=those.fan_out[its], readout=those.readout[its], excitatory=those.excitatory[its])
        for name in ("short_term", "stdp"):
            lists = getattr(those, name)
            one = one if lists is None else one._replace(**{name: lists._replace(bounds=lists.bounds[its])})
        again = simulate_population(one, np.concatenate([bits, free[row]], axis=-1), TRIALS).outputs[0]
        np.testing.assert_array_equal(again, free[row])


def test_the_teacher_speaks_for_the_neurons_that_are_read_alone():
    """Forced is the circuit in which their synapses come from an input channel."""
    form, genomes = population()
    bits, teacher = inputs(2), inputs(3)[..., 1:]
    rows, those = forced(tables(genomes, form))
    found = simulate_population(those, np.concatenate([bits, teacher], axis=-1), TRIALS).outputs
    seen = 0
    for place, row in enumerate(rows):
        circuit = to_circuit(genomes[row], form, CHANNELS, PORTS)
        read = [port.neurons[0] for port in circuit.outputs]
        channels = [*circuit.inputs]
        for name in read:
            sent = [s for s in circuit.synapses if s.pre == name]
            made = tuple(InputSynapse(post=s.post, weight_mv=s.weight_mv, delay_ms=s.delay_ms) for s in sent)
            channels.append(InputChannel(name=f"teacher {name}", synapses=made))
        by_hand = circuit.model_copy(
            update={"inputs": tuple(channels), "synapses": tuple(s for s in circuit.synapses if s.pre not in read)}
        )
        packed = from_circuit(by_hand, np.float32)
        expected = simulate_population(packed, np.concatenate([bits, teacher], axis=-1), TRIALS).outputs[0]
        seen += np.array_equal(unpack(found[place], TRIALS), unpack(expected, TRIALS))
    assert seen == len(rows) > 5


def chain():
    """a -> E0 -> E1, both read."""
    return Circuit(
        dt_ms=0.5,
        neurons=(Neuron(id="E0", sign="E"), Neuron(id="E1", sign="E")),
        inputs=(InputChannel(name="a", synapses=(InputSynapse(post="E0", weight_mv=150.0, delay_ms=1.0),)),),
        synapses=(Synapse(pre="E0", post="E1", weight_mv=150.0, delay_ms=1.0),),
        outputs=(OutputPort(name="first", neurons=("E0",)), OutputPort(name="second", neurons=("E1",))),
    )


class Chain(fitness.Task):
    inputs, outputs, dt_ms, duration_ms = ("a",), ("first", "second"), 0.5, 100.0

    def make(self, rng, count):
        return np.zeros((count, 200, 1), bool), np.zeros(count, int)

    def teacher(self, trials):
        spikes = np.zeros((len(trials), 200, 2), bool)
        spikes[:, 20, 0] = True
        return pack(spikes)

    def _heard(self, raster):
        return raster

    def trial_scores(self, raster, trials):
        return raster.counts()[..., 3] == 1


def test_a_task_with_a_teacher_gets_what_circuits_did_and_what_they_did_under_it():
    """Without input nothing fires by itself; the second neuron answers the spike that the first should have fired."""
    task = Chain()
    found = evaluate(task, task.trials(seed=1, count=3), from_circuit(chain(), np.float32))
    assert found.raster.counts()[0].tolist() == [[0, 0, 0, 1]] * 3
    assert found.score == 1
    assert found.spikes == 0
