import numpy as np
import pytest

import circuits
import fitness
from circuits import Circuit
from circuits.simulation.environments import replay
from circuits.simulation.packed import from_circuit
from circuits.simulation.raster import Raster, pack
from fitness.evaluation.evaluate import evaluate
from tests.bench.bench_kernel import copies

TASK = fitness.task("phonotaxis")


def steady(left, right, trials, task=TASK, seed=0):
    """Both motors at probabilities per step of their own, whatever the ears hear: the raster of the outputs."""
    fired = np.random.default_rng(seed).random((len(trials), task.steps, 2)) < [left, right]
    return Raster(pack(fired), len(trials), task.dt_ms, task.outputs)


def steered(trials, towards=1):
    """The motors of somebody who sees: the raster that turns the body to the source (or from it) whenever it is off."""
    motors = np.zeros((len(trials), TASK.steps, 2), bool)
    states = trials.facts["start"].copy()
    environment, turn = TASK.environment(trials), np.radians(TASK.turn_deg)
    for k in range(TASK.steps):
        x, y, ahead_x, ahead_y = states.T
        off = np.arctan2(towards * (ahead_y * x - ahead_x * y), -towards * (ahead_x * x + ahead_y * y))  # above 0: to the left
        motors[:, k, 1], motors[:, k, 0] = off > 0.1, off < -0.1
        heading = np.arctan2(ahead_y, ahead_x) + turn * (motors[:, k, 1].astype(int) - motors[:, k, 0])
        states[:, 2:] = np.stack([np.cos(heading), np.sin(heading)], axis=-1)
        states[:, :2] += np.where(np.hypot(x, y) >= environment.reach, environment.stride, 0)[:, None] * states[:, 2:]
    return Raster(pack(motors), len(trials), TASK.dt_ms, TASK.outputs)


def wired(left_to, right_to, weight_mv=300.0) -> Circuit:
    """Each ear to one of two motor neurons."""
    motors = ("left", "right")
    cells = [{"id": n, "sign": "E", "tau_m_ms": 3.0, "t_ref_ms": 1.0} for n in motors]
    ears = [("left ear", left_to), ("right ear", right_to)]
    return Circuit(
        dt_ms=1.0,
        neurons=cells,
        inputs=[{"name": n, "synapses": [{"post": to, "weight_mv": weight_mv, "delay_ms": 1.0}]} for n, to in ears],
        synapses=[],
        outputs=[{"name": f"{n} motor", "neurons": [n]} for n in motors],
    )


def test_bodies_start_within_the_distances_turned_away_to_the_side_that_the_label_names():
    trials = TASK.trials(1, 1000)
    x, y, ahead_x, ahead_y = trials.facts["start"].T
    distance = np.hypot(x, y)
    assert distance.min() >= 0.5
    assert distance.max() <= 1.0
    np.testing.assert_allclose(np.hypot(ahead_x, ahead_y), 1, rtol=1e-3)
    ahead = -(ahead_x * x + ahead_y * y) / distance
    assert ahead.max() <= np.cos(np.radians(60)) + 1e-9
    left = (ahead_y * x - ahead_x * y) > 0
    np.testing.assert_array_equal(left, trials.labels == 0)
    assert abs(np.arctan2(y, x).mean()) < 0.2


def test_the_ears_of_the_loop_hear_at_first_what_the_trial_says_they_would():
    trials = TASK.trials(2, 2000)
    deaf = wired("left", "right", 1e-3)
    still = TASK.environment(trials)._replace(stride=0.0)
    heard = circuits.simulate(deaf, trials.spikes, environment=still).stimulus.counts()
    told = trials.spikes.sum(axis=1)
    for label in (0, 1):
        here = trials.labels == label
        np.testing.assert_allclose(heard[here].mean(axis=0), told[here].mean(axis=0), rtol=0.03)
        assert heard[here].mean(axis=0).argmax() == label
    spread = (heard - told).std() / np.sqrt(2 * told.mean())
    assert 0.8 < spread < 1.1, "trial by trial they differ by chance alone"


def test_who_sees_the_source_arrives_and_who_flees_it_does_not():
    trials = TASK.trials(3, 256)
    score = TASK.score(steered(trials), trials)
    assert score.value == 1
    assert (score.trial_scores == 1).all()
    assert TASK.score(steered(trials, -1), trials).value == 0


@pytest.mark.parametrize("turn_deg", [2.0, 10.0, 30.0])
def test_no_steady_turning_gets_anywhere(turn_deg):
    task = fitness.task("phonotaxis", turn_deg=turn_deg)
    trials = task.trials(4, 256)
    for left in (0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0):
        for right in (0.0, 0.01, 0.1, 1.0):
            assert task.score(steady(left, right, trials, task), trials).value < 0.02


def test_crossed_wires_turn_to_the_source_and_straight_ones_from_it():
    trials = TASK.trials(5, 256)
    assert TASK.evaluate(wired("right", "left"), trials).value > 0.5
    assert TASK.evaluate(wired("left", "right"), trials).value == 0
    assert TASK.evaluate(wired("right", "right"), trials).value < 0.05
    assert TASK.evaluate(wired("right", "left", 1e-3), trials).value == 0


def test_motor_spikes_made_for_other_starts_lead_nowhere():
    trials = TASK.trials(6, 256)
    order = np.random.default_rng(0).permutation(256)
    others = steered(trials.take(order))
    assert TASK.score(others, trials).value < 0.1


def test_the_population_walks_as_each_circuit_alone():
    trials = TASK.trials(7, 100)
    circuit = wired("right", "left")
    found = evaluate(TASK, trials, copies(from_circuit(circuit, np.float32), 3))
    alone = TASK.evaluate(circuit, trials, dtype="float32")
    np.testing.assert_array_equal(found.score, np.full(3, alone.value))
    np.testing.assert_array_equal(found.case_scores, np.tile(alone.case_scores.astype("f4"), (3, 1)))


def test_the_score_follows_from_the_output_raster_alone():
    trials, circuit = TASK.trials(8, 100), fitness.reference("phonotaxis").circuit
    environment = TASK.environment(trials)
    raster = circuits.simulate(circuit, trials.spikes, environment=environment)
    assert TASK.score(raster.outputs, trials).value == TASK.evaluate(circuit, trials).value
    ends = replay(environment, raster.outputs)
    assert (np.hypot(ends[:, 0], ends[:, 1]) < 0.11).mean() > 0.8


@pytest.mark.parametrize("harder", [{"contrast": 0.1}, {"hum_hz": 200.0}, {"loud_hz": 50.0}])
def test_harder_settings_are_harder(harder):
    circuit, task = fitness.reference("phonotaxis").circuit, fitness.task("phonotaxis", **harder)
    assert task.evaluate(circuit, task.trials(9, 256)).value < TASK.evaluate(circuit, TASK.trials(9, 256)).value - 0.1
