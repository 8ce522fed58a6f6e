"""Spike times become steps by rules that have names."""

import re
import warnings

import numpy as np
import pytest

import circuits
from circuits.errors import UserError

DT = 0.5


def stamps(times, grid, dt=DT, duration_ms=10.0):
    """The stamps that these times of one channel get, in steps."""
    return (np.flatnonzero(circuits.on_grid([[times]], dt, duration_ms, grid=grid)[0, :, 0]) + 1).tolist()


RULES = [
    # time in ms, nearest, up: in steps of 0.5 ms
    (0.0, 1, 1),  # before the first step there is none
    (0.1, 1, 1),
    (0.25, 1, 1),
    (0.5, 1, 1),
    (0.74, 1, 2),
    (0.75, 2, 2),  # halfway: the later one
    (1.25, 3, 3),  # and not the even one
    (0.76, 2, 2),
    (1.0 + 1e-9, 2, 2),  # on the grid but for the last bits
    (1.0 - 1e-9, 2, 2),
    (9.9, 20, 20),
    (9.6, 19, 20),
    (10.0, 20, 20),
]


@pytest.mark.parametrize(("time", "nearest", "up"), RULES)
def test_a_time_goes_to_the_step_that_the_rule_says(time, nearest, up):
    assert stamps([time], "nearest") == [nearest]
    assert stamps([time], "up") == [up]


@pytest.mark.parametrize("dt", [0.1, 0.05, 1 / 3, 1.0])
@pytest.mark.parametrize("grid", ["exact", "nearest", "up"])
@pytest.mark.parametrize("kind", ["f8", "f4"])
def test_times_on_the_grid_stay_where_they_are_by_every_rule(dt, grid, kind):
    steps = np.unique(np.random.default_rng(0).integers(1, 3_001, 500))
    times = (steps * dt).astype(kind)
    times = np.minimum(times, np.nextafter(np.array(3000 * dt, kind), np.array(0, kind))) if kind == "f4" else times
    assert stamps(times, grid, dt, 3_000 * dt) == steps.tolist()


@pytest.mark.parametrize("dt", [0.1, 0.025, 0.7])
def test_halfway_is_later_whatever_the_floats_say(dt):
    steps = np.arange(1, 400)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert stamps([(k + 0.5) * dt for k in steps], "nearest", dt, 400 * dt) == (steps + 1).tolist()


def test_up_never_comes_early_and_nearest_is_never_further_than_half_a_step():
    times = np.sort(np.random.default_rng(1).uniform(DT, 1_000, 300))
    with warnings.catch_warnings(record=True):
        for grid, low, high in (("up", -1e-6, DT), ("nearest", -DT / 2, DT / 2)):
            for time in times[::7]:
                (stamp,) = stamps([time], grid, duration_ms=1_000.0)
                assert low - 1e-6 <= stamp * DT - time <= high + 1e-6


def test_spikes_in_one_step_are_one_and_that_is_said():
    with pytest.warns(UserWarning, match=re.escape('grid="nearest": 2 of 4 spikes fell into a step of 0.5 ms')) as told:
        assert stamps([1.0, 1.1, 1.2, 2.0], "nearest") == [2, 4]
    assert told[0].filename == __file__
    with pytest.warns(UserWarning, match="1 of 2 spikes"):
        assert stamps([0.0, 0.5], "up") == [1]


WRONG = [
    ([0.7], "exact", 'spikes[0][0]: 0.7 ms is not on the grid of 0.5 ms; grid="nearest" or "up" rounds it'),
    ([1.0, 1.0], "exact", "spikes[0][0]: 1 ms is not later than the spike before it"),
    ([0.0], "exact", "spikes[0][0]: 0 ms is outside the trial: 0.5 ms <= time <= 10 ms"),
    ([-0.1], "nearest", "spikes[0][0]: -0.1 ms is outside the trial: 0 <= time <= 10 ms"),
    ([-0.1], "up", "spikes[0][0]: -0.1 ms is outside the trial"),
    ([10.1], "nearest", "spikes[0][0]: 10.1 ms is outside the trial"),
    ([3.3, 1.2], "up", "spikes[0][0]: 1.2 ms is not in order with the spike before it"),
    ([float("nan")], "nearest", "spikes[0][0]: nan ms is no time"),
    (["a"], "nearest", "spikes[0][0]: spike times must be numbers in ms"),
    ([1.0], "round", "grid: one of exact, nearest, up, not 'round'"),
]


@pytest.mark.parametrize(("times", "grid", "says"), WRONG)
def test_what_no_rule_can_take_is_refused_in_one_line(times, grid, says):
    with pytest.raises(UserError, match=f"^{re.escape(says)}"):
        stamps(times, grid)


def test_a_second_of_far_off_times_is_not_on_the_grid_by_tolerance():
    with pytest.raises(UserError, match="is not on the grid"):
        circuits.on_grid([[[200_000.04]]], 0.1, 300_000.0)


def test_simulate_rounds_as_on_grid_does():
    circuit = circuits.Circuit(
        dt_ms=DT,
        neurons=[{"id": 0, "sign": "E"}],
        inputs=[{"name": name, "synapses": [{"post": 0, "weight_mv": 90.0, "delay_ms": 1.0}]} for name in "ab"],
    )
    recorded = [[[0.1, 3.26, 7.9], []], [[4.75], [5.01, 9.99]]]
    for grid in ("nearest", "up"):
        spikes = circuits.on_grid(recorded, DT, 20.0, grid=grid)
        ours = circuits.simulate(circuit, recorded, duration_ms=20, grid=grid)
        np.testing.assert_array_equal(ours.bits, circuits.simulate(circuit, spikes).bits)
        np.testing.assert_array_equal(ours.stimulus.spikes(), spikes)
    with pytest.raises(UserError, match="is not on the grid"):
        circuits.simulate(circuit, recorded[1:], duration_ms=20)
    with pytest.raises(UserError, match="grid: one of"):
        circuits.simulate(circuit, spikes, grid="floor")
