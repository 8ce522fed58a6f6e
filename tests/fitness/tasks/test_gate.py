import numpy as np
import pytest

import fitness
from circuits.edit.lesion import lesion
from fitness.references import lesioned, reference
from tests.fitness.answers import raster, silence

TASK = fitness.task("gate")
TRIALS = TASK.trials(4, 300)


def routes(circuit):
    """The share of volleys treated right in trials of route A and of route B."""
    trial_scores = TASK.evaluate(circuit, TRIALS).trial_scores
    return trial_scores[TRIALS.labels == 0].mean(), trial_scores[TRIALS.labels == 1].mean()


def test_one_interneuron_under_control_closes_one_gate_and_opens_the_other():
    assert min(routes(reference("gate"))) > 0.95


def test_without_it_the_route_is_always_a():
    a, b = routes(lesioned(TASK))
    assert a > 0.95
    assert b < 0.05


def test_without_its_synapse_on_a_both_pass_under_control():
    a, b = routes(lesion(reference("gate"), connections=[("I", "A")]))
    assert a > 0.95
    assert 0.4 < b < 0.6


def test_without_disinhibition_nothing_passes_under_control():
    a, b = routes(lesion(reference("gate"), connections=[("I", "T")]))
    assert a > 0.95
    assert 0.4 < b < 0.6


def gate_answers(task, trials, answered):
    """A raster with a spike 5 ms after the start of every volley for which answered [trials, volleys] is true."""
    spikes = silence(task, trials)
    rows = np.rint((trials.facts["volley_ms"] + 5) / task.dt_ms).astype(int)
    for trial, volley in np.argwhere(answered):
        spikes[trial, rows[trial, volley], 0] = True
    return task.score(raster(task, spikes), trials).value


@pytest.mark.parametrize("volleys", [1, 3, 10])
def test_gate_rewards_answers_to_the_routed_channel_alone(volleys):
    task = fitness.task("gate", volleys=volleys)
    trials = task.trials(1, 128)
    routed = trials.facts["routed"]
    assert (routed.sum(axis=1) == volleys).all()
    assert gate_answers(task, trials, routed) == 1
    assert gate_answers(task, trials, ~routed) == 0
    assert gate_answers(task, trials, np.ones_like(routed)) == 0
    assert gate_answers(task, trials, routed & (np.arange(routed.shape[1]) >= 0) & (trials.labels == 1)[:, None]) == 0.5
    rng = np.random.default_rng(0)
    assert gate_answers(task, trials, rng.permuted(routed, axis=1)) < 0.1


def test_gate_without_the_control_input_cannot_be_solved():
    task = fitness.task("gate")
    trials = task.trials(1, 512)
    volleys = [trials.spikes[..., c] for c in (0, 1)]
    for answer in volleys:  # repeat one channel whatever the control says
        assert task.score(raster(task, answer[..., None]), trials).value < 0.1


def test_gate_control_fires_in_half_of_the_trials_and_says_nothing_about_the_volleys():
    trials = fitness.task("gate").trials(1, 512)
    fires = trials.spikes[..., 2].any(axis=1)
    np.testing.assert_array_equal(fires, trials.labels == 1)
    counts = trials.spikes[..., :2].sum(axis=1)
    np.testing.assert_allclose(counts[fires].mean(axis=0), counts[~fires].mean(axis=0), rtol=0.1)
