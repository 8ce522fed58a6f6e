import numpy as np
import pytest

import fitness
from circuits.edit.lesion import lesion
from circuits.simulation.raster import Raster, pack
from circuits.simulation.simulate import simulate
from evo import genome
from evo.genome import variation
from evo.spec.run_spec import parse
from fitness.evaluation.evaluate import evaluate, run, score_of, scored, with_intervals
from fitness.evaluation.objectives import OBJECTIVES, values
from fitness.evaluation.robustness import _noisy, _without_one, at_finer_step, jittered, robustness

CASES = {"itd": {"detectors": 3}, "order": {"channels": 2}, "gate": {}}


@pytest.fixture(params=CASES)
def case(request):
    """A task, 70 trials (more than one machine word), and a population as circuits and evaluated."""
    task = fitness.task(request.param, **CASES[request.param])
    form = parse(f'[task]\nname = "{task.name}"\n[circuit]\nexcitatory_weight_mv = [50.0, 200.0]').encoding(task.interface)
    trials = task.trials(3, 70)
    genomes = variation.founders(form.bounds, 12, np.random.default_rng(4))
    circuits = [genome.to_circuit(g, form, task.inputs, task.outputs) for g in genomes]
    return task, trials, circuits, evaluate(task, trials, genome.Candidates(genomes, form, task.inputs, task.outputs).tables)


def test_a_population_is_scored_as_its_circuits_are_one_by_one(case):
    task, trials, circuits, found = case
    for k, circuit in enumerate(circuits):
        alone = task.evaluate(circuit, trials, dtype="float32")
        assert alone.value == found.score[k]
        np.testing.assert_array_equal(alone.case_scores.astype("f4"), found.case_scores[k])
        assert found.smooth_score[k] == pytest.approx((alone.case_scores * trials.weights).sum(), rel=1e-12)


def test_intervals_computed_together_are_those_of_each_circuit_alone(case):
    task, trials, circuits, _ = case
    single = [score_of(task, trials, circuit) for circuit in circuits[:4]]
    each = [scored(task, trials, circuit) for circuit in circuits[:4]]
    assert with_intervals(task, trials, single) == each
    assert with_intervals(task, trials, [one._replace(measured=None) for one in single[:1]])[0][0] == each[0][0]


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
    loss = values(names, found)
    assert loss.shape == (12, 3)
    np.testing.assert_array_equal(loss[:, 1], found.spikes + found.events)
    np.testing.assert_array_equal(loss[:, 2], [circuit.synapse_count for circuit in circuits])
    assert (np.argmin(loss[:, 0])) == np.argmax(found.score + found.smooth_score)
    assert [OBJECTIVES[n].show(2.0) for n in names] == [-2.0, 2.0, 2.0]


def test_length_of_wire_size_and_joules_are_what_their_names_say(case):
    _, _, circuits, found = case
    delays = [[s.delay_ms for s in (*c.synapses, *(s for i in c.inputs for s in i.synapses))] for c in circuits]
    loss = values(("score", "delay", "size", "joules_loihi", "joules_odin"), found)
    np.testing.assert_allclose(loss[:, 1], [sum(d) for d in delays], rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(loss[:, 2], [len(c.neurons) for c in circuits])
    np.testing.assert_allclose(loss[:, 3], 23.6e-12 * found.events + 1.7e-12 * found.spikes)
    np.testing.assert_allclose(loss[:, 4], 12.7e-12 * found.events)


def test_the_time_of_the_answer_is_that_of_the_first_output_spike_where_it_is_right(case):
    task, trials, circuits, found = case
    for k, circuit in enumerate(circuits):
        raster = simulate(circuit, trials.spikes, dtype="float32").outputs
        right = task.score(raster, trials).trial_scores > 0.5
        times, weights = [], []
        for trial in range(len(trials)):
            spoken = np.concatenate(raster.times(trial))
            if right[trial] and not len(spoken):
                continue
            times.append(spoken.min() if right[trial] else task.duration_ms)
            weights.append(trials.weights[trial])
        assert found.answer_ms[k] == pytest.approx(np.average(times, weights=weights) if weights else task.duration_ms)


def test_the_score_comes_with_its_interval(case):
    task, trials, circuits, found = case
    low, high = found.interval
    assert ((low >= 0) & (low <= found.score) & (found.score <= high) & (high <= 1)).all()
    for k, circuit in enumerate(circuits):
        alone = task.evaluate(circuit, trials, dtype="float32")
        np.testing.assert_allclose(task.interval(alone, trials), (low[k], high[k]), atol=1e-12)


# -- robustness


def test_robustness_does_not_depend_on_who_else_is_there(case):
    task, trials, _, found = case
    together = robustness(found)
    assert ((together >= 0) & (together <= 1)).all()
    np.testing.assert_array_equal(robustness(found), together)
    form = parse(f'[task]\nname = "{task.name}"\n[circuit]\nexcitatory_weight_mv = [50.0, 200.0]').encoding(task.interface)
    genomes = variation.founders(form.bounds, 12, np.random.default_rng(4))
    for k in range(12):
        np.testing.assert_array_equal(
            robustness(evaluate(task, trials, genome.Candidates(genomes[k : k + 1], form, task.inputs, task.outputs).tables)),
            together[k],
        )


@pytest.mark.parametrize("u", [0.0, 0.5, 0.99])
def test_a_lost_neuron_is_a_lesioned_one(case, u):
    task, trials, circuits, found = case
    lost = task.score(run(task, trials, _without_one(found.tables, u), found.stop)[1], trials)
    for k, circuit in enumerate(circuits):
        lesioned = lesion(circuit, neurons=[circuit.neurons[int(u * len(circuit.neurons))].id])
        assert task.evaluate(lesioned, trials, dtype="float32").value == lost.value[k]


def test_at_half_the_step_circuits_are_those_of_half_the_step(case):
    task, trials, circuits, found = case
    halved = task.score(at_finer_step(task, trials, found.build(2), 2, found.stop), trials).value
    finer = np.zeros((len(trials), 2 * task.steps, len(task.inputs)), bool)
    finer[:, 1::2] = trials.spikes
    for k, circuit in enumerate(circuits):
        spikes = simulate(circuit.model_copy(update={"dt_ms": task.dt_ms / 2}), finer, dtype="float32").outputs.spikes()
        coarse = Raster(pack(spikes[:, ::2] | spikes[:, 1::2]), len(trials), task.dt_ms)
        assert task.score(coarse, trials).value == halved[k]


def test_jitter_moves_spikes_by_a_step_at_the_most(case):
    _, trials, _, _ = case
    moved = jittered(trials, np.random.default_rng(0)).spikes
    assert (moved != trials.spikes).any()
    near = trials.spikes.copy()
    near[:, 1:] |= trials.spikes[:, :-1]
    near[:, :-1] |= trials.spikes[:, 1:]
    assert not (moved & ~near).any()
    assert moved.sum() > 0.9 * trials.spikes.sum()


def test_noise_on_weights_is_of_the_stated_size(case):
    *_, found = case
    ratio = _noisy(found.tables, np.random.default_rng(0)).weight / found.tables.weight
    assert 0.02 < ratio.std() < 0.2
    assert abs(ratio.mean() - 1) < 0.1


def test_a_trial_is_graded_alike_whatever_other_trials_there_are(case):
    task, trials, circuits, found = case
    first = fitness.Trials(trials.spikes[:64], trials.labels[:64], {name: fact[:64] for name, fact in trials.facts.items()})
    for k, circuit in enumerate(circuits):
        case_scores = task.evaluate(circuit, first, dtype="float32").case_scores
        np.testing.assert_array_equal(case_scores.astype("f4"), found.case_scores[k, :64])
