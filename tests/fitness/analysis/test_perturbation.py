import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fitness
from circuits.neurons import MODELS
from circuits.simulation.raster import Raster, pack
from circuits.simulation.simulate import simulate
from fitness.analysis.perturbation import curves, jittered, parameter_noise, time_step, weight_noise
from tests import reference

perturbation = sys.modules[curves.__module__]  # the package has a function of this name


def case(name, count=70):
    task = fitness.task(name)
    return task, task.trials(5, count), fitness.reference(name).circuit


@given(st.integers(0, 1000), st.floats(0, 30))
def test_jitter_moves_spikes_and_loses_none(seed, steps):
    rng = np.random.default_rng(seed)
    spikes = rng.random((5, 60, 3)) < rng.uniform(0, 1, (5, 1, 3))
    moved = jittered(fitness.Trials(spikes, np.arange(5)), steps, rng).spikes
    np.testing.assert_array_equal(moved.sum(axis=1), spikes.sum(axis=1))


def test_jitter_is_normal_and_of_the_stated_size():
    spikes = np.zeros((4000, 200, 1), bool)
    spikes[:, 100] = True
    moved = jittered(fitness.Trials(spikes, np.zeros(4000)), 5.0, np.random.default_rng(1)).spikes
    by = np.nonzero(moved[..., 0])[1] - 100
    assert abs(by.mean()) < 0.3
    assert by.std() == pytest.approx(5, rel=0.05)


@pytest.mark.parametrize("name", ["gate", "gamma", "sequence"])
def test_every_curve_begins_with_the_score_as_it_is_and_the_worst_changes_do_harm(name):
    task, trials, circuit = case(name)
    found = curves(task, trials, circuit)
    whole = task.evaluate(circuit, trials, "float32").value
    assert list(found) == ["input jitter [ms]", "weight noise [%]", "parameter noise [%]", "time step [ms]"]
    for curve in found.values():
        assert curve.score[0] == whole
        assert len(curve.x) == len(curve.score) == len(curve.low) == len(curve.high)
        assert ((curve.low <= curve.score + 1e-9) & (curve.score <= curve.high + 1e-9)).all()
    assert found["weight noise [%]"].score[-1] < whole
    assert found["input jitter [ms]"].score[-1] < whole


def test_in_a_closed_loop_the_input_is_left_alone():
    assert list(curves(*case("phonotaxis"))) == ["weight noise [%]", "parameter noise [%]"]


def test_noisy_weights_score_as_circuits_with_those_weights(monkeypatch):
    task, trials, circuit = case("gate")
    monkeypatch.setattr(perturbation, "DRAWS", 2)
    monkeypatch.setattr(perturbation, "PERCENT", (0.0, 30.0))
    found = weight_noise(task, trials, circuit)
    draws = np.random.default_rng((trials.noise_seed, 1)).standard_normal((2, circuit.synapse_count))
    scores = []
    for draw in draws:
        factor = iter(np.maximum(1 + 0.3 * draw, 0))
        inputs = tuple(c.model_copy(update={"synapses": tuple(_scaled(s, factor) for s in c.synapses)}) for c in circuit.inputs)
        noisy = circuit.model_copy(update={"inputs": inputs, "synapses": tuple(_scaled(s, factor) for s in circuit.synapses)})
        scores.append(task.evaluate(noisy, trials, "float32").value)
    assert scores[0] != scores[1]
    assert (found.low[1], found.high[1]) == (min(scores), max(scores))
    assert found.score[1] == np.mean(scores)


def _scaled(synapse, factor):
    return synapse.model_copy(update={"weight_mv": synapse.weight_mv * next(factor)})


@pytest.mark.parametrize("model", MODELS)
def test_noisy_parameters_stay_what_parameters_may_be(model, monkeypatch):
    seen = []
    monkeypatch.setattr(
        perturbation, "scores", lambda task, trials, circuit, v: (seen.append(v), np.zeros(len(v.kept)), None)[1:]
    )
    circuit = reference.random_circuit(np.random.default_rng(3), neurons=8, neuron_model=model)
    parameter_noise(None, fitness.Trials(np.zeros((1, 5, 1), bool), np.zeros(1)), circuit)
    noisy, names = seen[0].parameters, circuit.model.names
    np.testing.assert_array_equal(noisy[:8], np.tile(circuit.parameters, (8, 1, 1)), "no noise, no change")
    limits = circuit.model.parameters.values()
    assert (noisy >= [p.low for p in limits]).all()
    assert (noisy <= [p.high for p in limits]).all()
    for low, high in circuit.model.neuron.ascending:
        assert (noisy[..., names.index(low)] < noisy[..., names.index(high)]).all()
    rest = names.index("v_rest_mv")
    np.testing.assert_array_equal(noisy[..., rest], np.tile(circuit.parameters[:, rest], (len(noisy), 1)))
    moved = noisy[-8:] != circuit.parameters
    assert moved.any(axis=0)[:, [k for k in range(len(names)) if k != rest]].mean() > 0.3


def test_a_shorter_step_is_that_of_the_simulator():
    task, trials, circuit = case("gate")
    found = time_step(task, trials, circuit)
    np.testing.assert_array_equal(found.x, [0.5, 0.25, 0.125])
    for finer, score in ((2, found.score[1]), (4, found.score[2])):
        spikes = np.zeros((len(trials), finer * task.steps, 3), bool)
        spikes[:, finer - 1 :: finer] = trials.spikes
        fine = simulate(circuit.model_copy(update={"dt_ms": task.dt_ms / finer}), spikes, dtype="float32").outputs.spikes()
        coarse = fine.reshape(len(trials), task.steps, finer, -1).any(axis=2)
        assert task.score(Raster(pack(coarse), len(trials), task.dt_ms), trials).value == score
