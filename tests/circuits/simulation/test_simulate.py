import numpy as np
import pytest

import circuits
from circuits.errors import UserError
from tests.reference import random_circuit, random_input

CIRCUIT = circuits.Circuit(
    dt_ms=0.5,
    neurons=[{"id": "a", "sign": "E"}, {"id": "b", "sign": "I"}],
    inputs=[{"name": name, "synapses": [{"post": "a", "weight_mv": 500.0, "delay_ms": 1.0}]} for name in ("left", "right")],
    synapses=[{"pre": "a", "post": "b", "weight_mv": 500.0, "delay_ms": 2.0}],
    outputs=[{"name": "out", "neurons": ["a"]}],
)


def refusal(*args, **settings):
    with pytest.raises(UserError) as caught:
        circuits.simulate(CIRCUIT, *args, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_spike_times_and_a_bool_array_say_the_same():
    rng = np.random.default_rng(1)
    circuit = random_circuit(rng, dt_ms=0.1)
    dense = random_input(rng, circuit, 70, 300)
    times = [[(np.flatnonzero(dense[t, :, c]) + 1) * 0.1 for c in range(dense.shape[2])] for t in range(70)]
    ours = circuits.simulate(circuit, times, duration_ms=30)
    np.testing.assert_array_equal(ours.bits, circuits.simulate(circuit, dense).bits)
    assert ours.counts().any()


def test_the_raster_names_its_neurons_and_knows_its_shape():
    raster = circuits.simulate(CIRCUIT, [[[0.5], []], [[], [3.0, 4.0]], [[], []]], duration_ms=20)
    assert raster.names == ("a", "b")
    assert (raster.trials, raster.steps, raster.dt_ms, raster.duration_ms) == (3, 40, 0.5, 20)
    assert raster.counts()[2].sum() == 0
    assert raster.times(0)[0][0] == 0.5 + 1.0 + 0.5, "time of the input, its delay, one step"
    assert raster.times(0)[1][0] == 2.0 + 2.0 + 0.5
    assert raster.times(1)[0][0] == 4.5
    assert raster.outputs.names == ("a",)
    np.testing.assert_array_equal(raster.outputs.counts()[:, 0], raster.counts()[:, 0])


def test_the_first_and_the_last_time_of_a_trial_are_inside_it():
    assert circuits.simulate(CIRCUIT, [[[0.5, 10.0], []]], duration_ms=10).steps == 20


def test_a_circuit_without_input_channels_runs_by_itself():
    alone = circuits.Circuit(dt_ms=1, neurons=[{"id": 0, "sign": "E", "bias_mv": 20.0}])
    assert circuits.simulate(alone, [[], []], duration_ms=100).counts().tolist() == [[6], [6]]
    assert circuits.simulate(alone, np.zeros((2, 100, 0), bool)).counts().tolist() == [[6], [6]]


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("f4"), np.float64])
def test_precision_is_named_as_numpy_does(dtype):
    assert circuits.simulate(CIRCUIT, [[[], []]], duration_ms=5, dtype=dtype).steps == 10


@pytest.mark.parametrize("dtype", ["float16", "int32", "double precision", None])
def test_another_precision_is_refused(dtype):
    assert refusal([[[], []]], duration_ms=5, dtype=dtype) == f"dtype: float32 or float64, not {dtype}"


@pytest.mark.parametrize(
    ("spikes", "line"),
    [
        ([], "spikes: must be a list of at least one trial"),
        (7, "spikes: must be a list of at least one trial"),
        (None, "spikes: must be a list of at least one trial"),
        ([1.0], "spikes[0]: one list of times per input channel, 2 in all, not 1.0"),
        ([[[], []], [[]]], "spikes[1]: one list of times per input channel, 2 in all, not 1"),
        ([[[], []], [[], [], []]], "spikes[1]: one list of times per input channel, 2 in all, not 3"),
        ([[[], ["soon"]]], "spikes[0][1]: spike times must be numbers in ms"),
        ([[[], [1.0, [2.0]]]], "spikes[0][1]: spike times must be numbers in ms"),
        ([[[], []], [[], [1.0, np.nan]]], "spikes[1][1]: nan ms is no time"),
        ([[[np.inf], []]], "spikes[0][0]: inf ms is no time"),
        ([[[0.0], []]], "spikes[0][0]: 0 ms is outside the trial: 0.5 ms <= time <= 10 ms"),
        ([[[-1.0], []]], "spikes[0][0]: -1 ms is outside the trial: 0.5 ms <= time <= 10 ms"),
        ([[[10.5], []]], "spikes[0][0]: 10.5 ms is outside the trial: 0.5 ms <= time <= 10 ms"),
        ([[[1.0, 1.7], []]], 'spikes[0][0]: 1.7 ms is not on the grid of 0.5 ms; grid="nearest" or "up" rounds it'),
        ([[[2.0, 1.0], []]], "spikes[0][0]: 1 ms is not later than the spike before it"),
        ([[[2.0, 2.0], []]], "spikes[0][0]: 2 ms is not later than the spike before it"),
        ([[[], []], [[], [1.0, 3.0, 2.0]]], "spikes[1][1]: 2 ms is not later than the spike before it"),
        ([[[1.0, 2.0, 10.5], []]], "spikes[0][0]: 10.5 ms is outside the trial: 0.5 ms <= time <= 10 ms"),
        ([[[-np.inf], []]], "spikes[0][0]: -inf ms is no time"),
        ([[[None], []]], "spikes[0][0]: nan ms is no time"),
        ([[[1e300], []]], "spikes[0][0]: 1e+300 ms is outside the trial: 0.5 ms <= time <= 10 ms"),
        ([[[0.25], []]], "spikes[0][0]: 0.25 ms is outside the trial: 0.5 ms <= time <= 10 ms"),
        ([[[{}], []]], "spikes[0][0]: spike times must be numbers in ms"),
        ([None], "spikes[0]: one list of times per input channel, 2 in all, not None"),
        ("ab", "spikes: must be a list of at least one trial"),
        ({}, "spikes: must be a list of at least one trial"),
    ],
    ids=lambda value: None if isinstance(value, str) else repr(value),
)
def test_bad_spike_times_are_refused_naming_trial_and_channel(spikes, line):
    assert refusal(spikes, duration_ms=10) == line


def test_arrays_of_times_are_as_good_as_lists():
    times = [[[1.0, 2.5], [4.0]], [[], [0.5, 10.0]]]
    expected = circuits.simulate(CIRCUIT, times, 10)
    ragged = np.empty((2, 2), object)
    for t, c in np.ndindex(2, 2):
        ragged[t, c] = np.array(times[t][c])
    nested = tuple(tuple(np.array(channel) for channel in trial) for trial in times)
    for same in (ragged, nested, list(ragged)):
        np.testing.assert_array_equal(circuits.simulate(CIRCUIT, same, 10).bits, expected.bits)
    np.testing.assert_array_equal(expected.stimulus.counts(), [[2, 1], [0, 2]])
    assert expected.stimulus.names == ("left", "right")
    assert [t.tolist() for t in expected.stimulus.times(1)] == [[], [0.5, 10.0]]


@pytest.mark.parametrize(
    "spikes",
    [
        np.zeros((1, 10, 3), bool),
        np.zeros((10, 2), bool),
        np.zeros((1, 10, 2)),
        np.zeros((1, 10, 2), np.uint8),
        np.full((1, 10, 2), np.nan),
        np.zeros((1, 10, 1), bool),
        np.zeros((1, 10, 2, 1), bool),
        np.zeros((0, 10, 2), bool),
        np.zeros((1, 0, 2), bool),
    ],
    ids=["channels", "axes", "floats", "integers", "NaN", "too few channels", "too many axes", "no trial", "no step"],
)
def test_a_bad_array_is_refused_with_what_is_wanted(spikes):
    wanted = "spikes: an array must be bool [trials, steps, 2 channels], not "
    assert refusal(spikes) == f"{wanted}{spikes.dtype} {list(spikes.shape)}"


def test_spike_times_need_a_duration():
    assert refusal([[[1.0], []]]) == "duration_ms: is needed when spikes are given as times"


@pytest.mark.parametrize("duration", [0, -5, np.nan, np.inf, 0.25])
def test_a_trial_has_at_least_one_step(duration):
    assert refusal([[[], []]], duration_ms=duration) == f"duration_ms: at least one step of 0.5 ms, not {duration}"


def test_a_duration_is_a_whole_number_of_steps():
    assert refusal([[[], []]], duration_ms=10.3) == "duration_ms: 10.3 ms is no whole number of steps of 0.5 ms"


def test_a_duration_that_contradicts_the_array_is_refused():
    assert refusal(np.zeros((1, 10, 2), bool), duration_ms=6) == "duration_ms: 6 ms is not the array's 10 steps of 0.5 ms"
