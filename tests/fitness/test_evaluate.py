import numpy as np
import pytest

import fitness
from circuits import simulate
from evo import genome, variation
from evo.spec import parse
from fitness.evaluate import evaluate
from fitness.objectives import OBJECTIVES, losses

CASES = {"itd": {"detectors": 3}, "order": {"channels": 2}, "gate": {}}


@pytest.fixture(params=CASES)
def case(request):
    """A task, 70 trials (more than one machine word), and a population as circuits and evaluated."""
    task = fitness.task(request.param, **CASES[request.param])
    form = parse(f'[task]\nname = "{task.name}"\n[circuit]\nexcitatory_weight_mv = [50.0, 200.0]').form(task.interface)
    trials = task.trials(3, 70)
    genomes = variation.founders(form.bounds, 12, np.random.default_rng(4))
    circuits = [genome.to_circuit(g, form, task.inputs, task.outputs) for g in genomes]
    return task, trials, circuits, evaluate(task, trials, genome.tables(genomes, form))


def test_a_population_is_scored_as_its_circuits_are_one_by_one(case):
    task, trials, circuits, found = case
    for k, circuit in enumerate(circuits):
        alone = task.evaluate(circuit, trials, dtype="float32")
        assert alone.value == found.score[k]
        np.testing.assert_array_equal(alone.grade.astype("f4"), found.grades[k])
        assert found.climb[k] == pytest.approx((alone.grade * trials.weights).sum(), rel=1e-12)


def test_spikes_and_synaptic_events_are_those_of_the_simulation(case):
    _, trials, circuits, found = case
    assert found.spikes.any()
    for k, circuit in enumerate(circuits):
        raster = simulate(circuit, trials.spikes, dtype="float32")
        fired = dict(zip(raster.names, raster.counts().sum(axis=0), strict=True))
        arrived = {c.name: trials.spikes[..., n].sum() for n, c in enumerate(circuit.inputs)}
        events = sum(fired[s.pre] for s in circuit.synapses) + sum(arrived[c.name] * len(c.synapses) for c in circuit.inputs)
        assert found.spikes[k] * len(trials) == pytest.approx(sum(fired.values()))
        assert found.events[k] * len(trials) == pytest.approx(events)


def test_objectives_are_what_their_names_say(case):
    _, _, circuits, found = case
    names = ("score", "energy", "wiring")
    loss = losses(names, found)
    assert loss.shape == (12, 3)
    np.testing.assert_array_equal(loss[:, 1], found.spikes + found.events)
    np.testing.assert_array_equal(loss[:, 2], [circuit.synapse_count for circuit in circuits])
    assert (np.argmin(loss[:, 0])) == np.argmax(found.score + found.climb)
    assert [OBJECTIVES[n].show(2.0) for n in names] == [-2.0, 2.0, 2.0]


def test_a_trial_is_graded_alike_whatever_other_trials_there_are(case):
    task, trials, circuits, found = case
    first = fitness.Trials(trials.spikes[:64], trials.labels[:64], {name: fact[:64] for name, fact in trials.facts.items()})
    for k, circuit in enumerate(circuits):
        grade = task.evaluate(circuit, first, dtype="float32").grade
        np.testing.assert_array_equal(grade.astype("f4"), found.grades[k, :64])
