import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits import Circuit
from circuits.errors import UserError
from circuits.neurons import LIF_PSC_EXP
from circuits.simulation.packed import from_circuit, from_matrices
from circuits.simulation.population import Stop, default_threads, in_threads, simulate_population, spans
from circuits.simulation.raster import pack
from circuits.simulation.simulate import simulate
from tests import reference
from tests.circuits.simulation.test_kernel import as_matrices

STEPS = 100
FIELDS = ("outputs", "spikes", "events", "steps")


def one_neuron(weight_mv=0.0, **neuron):
    """A neuron with an autapse too weak to matter and a channel, dt 1 ms; the tables have 3 rows of history."""
    synapse = {"post": 0, "weight_mv": weight_mv, "delay_ms": 1.0}
    circuit = Circuit(
        dt_ms=1.0,
        neurons=[{"id": 0, "sign": "E"} | neuron],
        inputs=[{"name": "in", "synapses": [synapse]}],
        synapses=[synapse | {"pre": 0, "weight_mv": 1e-6, "delay_ms": 3.0}],
        outputs=[{"name": "out", "neurons": [0]}],
    )
    tables = from_circuit(circuit, np.float32)
    assert tables.history == 3
    return tables


def input_in(*steps, blocks=1):
    """One channel that fires in these steps, in all lanes."""
    found = np.zeros((blocks, STEPS, 1), "u8")
    found[:, list(steps)] = ~np.uint64(0)
    return found


FRANTIC = {"bias_mv": 1000.0, "t_ref_ms": 0.0}  # fires in every step


# Silence


@pytest.mark.parametrize(("quiet", "steps"), [(0, 10), (4, 10), (5, 20), (24, 30), (25, 40), (94, 100), (500, 100)])
def test_a_silent_circuit_is_left_at_the_first_look_after_the_last_input_and_the_quiet(quiet, steps):
    """The last input is over after 6 steps; looks are at 10, 20 and so on."""
    found = simulate_population(one_neuron(1.0), input_in(1, 5), 64, stop=Stop(10, quiet))
    assert found.steps.tolist() == [steps]
    assert not found.outputs.any()
    assert found.spikes.tolist() == [0]
    assert abs(found.events[0] - 128 * STEPS / steps) < 1, "two spikes of the channel in 64 trials, as if they went on"


@pytest.mark.parametrize(("quiet", "steps"), [(5, 20), (500, STEPS)])
def test_further_blocks_of_a_silent_circuit_are_not_simulated(quiet, steps):
    found = simulate_population(one_neuron(1.0), input_in(5, blocks=4), 256, stop=Stop(10, quiet))
    assert found.steps.tolist() == [steps]


@pytest.mark.parametrize("silent", [0, 1, 2])
def test_a_circuit_that_is_silent_from_the_start_is_given_up_and_one_that_has_been_heard_is_not(silent):
    inputs = input_in(5, blocks=3)
    inputs[silent] = 0
    found = simulate_population(one_neuron(500.0), inputs, 192, stop=Stop(10, 5))
    assert found.steps.tolist() == [10 if silent == 0 else 3 * STEPS]
    assert found.outputs.any(axis=(2, 3)).tolist() == [[silent > 0 and block != silent for block in range(3)]]


def test_only_spikes_of_output_neurons_break_the_silence():
    """Neuron 0 fires in every step, neuron 1 never; the port reads one of them."""
    neurons = [{"id": 0, "sign": "E"} | FRANTIC, {"id": 1, "sign": "E"}]
    for read, steps in ((0, STEPS), (1, 10)):
        ports = [{"name": "out", "neurons": [read]}]
        circuit = Circuit(dt_ms=1.0, neurons=neurons, inputs=[{"name": "in"}], outputs=ports)
        found = simulate_population(from_circuit(circuit, np.float32), input_in(), 64, stop=Stop(10, 0))
        assert found.steps.tolist() == [steps]
        assert found.spikes.tolist() == [64 * STEPS]


@pytest.mark.parametrize(("quiet", "steps"), [(40, 40), (65, 70), (75, STEPS), (90, STEPS)])
def test_a_circuit_that_fires_late_but_within_the_quiet_is_not_given_up(quiet, steps):
    """Bias alone makes it fire after 73 ms."""
    tables, inputs = one_neuron(bias_mv=15.01), input_in()
    without = simulate_population(tables, inputs, 64)
    assert without.outputs.any(axis=(0, 1, 3)).argmax() == 73
    found = simulate_population(tables, inputs, 64, stop=Stop(10, quiet))
    assert found.steps.tolist() == [steps]
    assert found.outputs.any() == (steps == STEPS)
    if steps == STEPS:
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(found, name), getattr(without, name))


def test_a_spike_in_a_lane_without_a_trial_breaks_no_silence():
    inputs = input_in(5)
    inputs[0, 5] = np.uint64(1) << np.uint64(40)
    tables = one_neuron(500.0)
    assert simulate_population(tables, inputs, 41, stop=Stop(10, 5)).steps.tolist() == [STEPS]
    assert simulate_population(tables, inputs, 40, stop=Stop(10, 5)).steps.tolist() == [20]


# Runaway


def test_a_runaway_circuit_is_silent_everywhere_and_its_spikes_are_as_if_it_had_gone_on():
    found = simulate_population(one_neuron(**FRANTIC), input_in(), 64, stop=Stop(10, 0, 0.5))
    assert found.steps.tolist() == [10]
    assert not found.outputs.any()
    assert found.spikes.tolist() == [64 * STEPS]
    assert found.events.tolist() == [64 * STEPS], "over its autapse"


def test_further_blocks_of_a_runaway_circuit_are_not_simulated_but_counted():
    found = simulate_population(one_neuron(**FRANTIC), input_in(blocks=3), 192, stop=Stop(25, 0, 0.5))
    assert found.steps.tolist() == [25]
    assert found.spikes.tolist() == [192 * STEPS]


def test_a_runaway_circuit_counts_the_trials_that_there_are():
    for trials in (1, 40, 65, 130):
        inputs = input_in(blocks=-(-trials // 64))
        found = simulate_population(one_neuron(**FRANTIC), inputs, trials, stop=Stop(10, 0, 0.5))
        assert found.steps.tolist() == [10]
        assert found.spikes.tolist() == [trials * STEPS]


def test_what_a_circuit_did_before_it_ran_away_is_forgotten():
    """It fires once in the first block, and in the second one its input makes it run."""
    inputs = input_in(5, blocks=2)
    inputs[1, 20:60] = ~np.uint64(0)
    tables = one_neuron(500.0, t_ref_ms=0.0)
    without = simulate_population(tables, inputs, 128)
    assert without.outputs[0, 0].any()
    found = simulate_population(tables, inputs, 128, stop=Stop(10, 1000, 0.9))
    assert found.steps.tolist() == [STEPS + 40]
    assert not found.outputs.any()
    seen = np.bitwise_count(without.outputs[0, 0]).sum() + np.bitwise_count(without.outputs[0, 1, :40]).sum()
    assert abs(found.spikes[0] - seen * 200 / 140) < 1


@pytest.mark.parametrize(("ceiling", "steps"), [(0.49, 10), (0.5, STEPS), (0.51, STEPS), (np.inf, STEPS)])
def test_a_rate_at_the_ceiling_is_not_above_it(ceiling, steps):
    tables = one_neuron(bias_mv=1000.0, t_ref_ms=1.0)  # fires in every other step
    assert simulate_population(tables, input_in(), 64, stop=Stop(10, 0, ceiling)).steps.tolist() == [steps]


@pytest.mark.parametrize(("check", "steps"), [(30, STEPS), (60, 60), (99, 99), (100, STEPS), (250, STEPS)])
def test_the_rate_is_that_since_the_last_look_however_long_ago_that_was(check, steps):
    """It fires in every step but runs in the last stretch only, or from the start."""
    inputs = input_in(*range(90, STEPS)) if check == 30 else input_in(*range(STEPS))
    tables = one_neuron(1e4, t_ref_ms=0.0)
    found = simulate_population(tables, inputs, 64, stop=Stop(check, 1000, 0.75))
    assert found.steps.tolist() == [steps]
    assert not found.outputs.any()


def test_nothing_is_given_up_unless_it_is_looked_at():
    for tables in (one_neuron(), one_neuron(**FRANTIC)):
        found, without = (
            simulate_population(tables, input_in(), 64, stop=stop) for stop in (Stop(0, 0, 0.0), Stop())
        )  # fmt: skip
        assert found.steps.tolist() == [STEPS]
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(found, name), getattr(without, name))


def test_steps_between_looks_change_nothing_else():
    circuit, spikes = drawn(3, 70)
    tables = from_circuit(circuit, np.float32)
    without = simulate_population(tables, pack(spikes), 70)
    assert without.outputs.any()
    for check in (1, 7, 64, 399):
        found = simulate_population(tables, pack(spikes), 70, stop=Stop(check, 10_000))
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(found, name), getattr(without, name))


# Batches and threads


def drawn(seed, trials, steps=400, **settings):
    rng = np.random.default_rng(seed)
    circuit = reference.random_circuit(rng, **settings)
    return circuit, reference.random_input(rng, circuit, trials, steps)


@pytest.fixture(scope="module")
def mixed():
    """30 circuits, a third of them too weak to fire and a third that fire too much, as tables of some of them; inputs."""
    rng = np.random.default_rng(3)
    circuits = [reference.random_circuit(rng, neurons=n, dt_ms=1.0, multapses=False) for n in rng.integers(2, 9, 30)]
    sign, parameters, weight, *others, dt = as_matrices(circuits, 12, 4, rng)
    bias = LIF_PSC_EXP.names.index("bias_mv")
    weight[:10] *= 1e-3
    parameters[:10, :, bias] = 0
    parameters[20:, :, bias] = 100.0
    matrices = sign, parameters, weight, *others
    spikes = rng.random((150, 200, 4)) < 0.04

    def tables_of(some):
        return from_matrices(LIF_PSC_EXP, *(m[some] for m in matrices), dt, np.float32)

    return tables_of, pack(spikes), 150


STOP = Stop(20, 50, 0.15)


def test_stopping_leaves_what_is_not_given_up_as_it_is(mixed):
    tables_of, inputs, trials = mixed
    everything = tables_of(range(30))
    with_stop, without = (simulate_population(everything, inputs, trials, stop=stop) for stop in (STOP, Stop()))
    full = inputs.shape[0] * inputs.shape[1]
    given_up = with_stop.steps < full
    assert (without.steps == full).all()
    assert 10 <= given_up.sum() < 30
    assert given_up[without.spikes == 0].sum() > 5, "silent ones"
    assert given_up[without.spikes > 0].sum() > 5, "runaway ones"
    for b in range(30):
        if given_up[b]:
            assert not with_stop.outputs[b].any()
        else:
            for name in FIELDS:
                np.testing.assert_array_equal(getattr(with_stop, name)[b], getattr(without, name)[b])


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_what_is_given_up_and_when_does_not_depend_on_the_company_or_the_threads(mixed, threads):
    tables_of, inputs, trials = mixed
    together = simulate_population(tables_of(range(30)), inputs, trials, stop=STOP, threads=threads)
    order = np.random.default_rng(threads).permutation(30)[:17]
    some = simulate_population(tables_of(order), inputs, trials, stop=STOP, threads=threads)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(some, name), getattr(together, name)[order], err_msg=name)
    for b in (0, 12, 25):
        alone = simulate_population(tables_of([b]), inputs, trials, stop=STOP)
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[b], err_msg=f"{name} of {b}")


def test_trials_with_other_input_channels_are_refused(mixed):
    tables_of, inputs, trials = mixed
    for other in (inputs[..., :1], np.concatenate([inputs, inputs], axis=-1)):
        with pytest.raises(UserError, match=rf"4 input channels, the trials {other.shape[-1]}$"):
            simulate_population(tables_of([0]), other, trials)


def test_the_threads_do_not_show(mixed):
    tables_of, inputs, trials = mixed
    tables = tables_of(range(30))
    first, *others = (simulate_population(tables, inputs, trials, threads=threads) for threads in (1, 2, 5))
    circuit, spikes = drawn(3, 400)
    one, *many = (simulate(circuit, spikes, threads=threads, record="all", record_trials=(0, 399)) for threads in (1, 2, 5))
    for other, raster in zip(others, many, strict=True):
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(other, name), getattr(first, name), err_msg=name)
        np.testing.assert_array_equal(raster.bits, one.bits)
        np.testing.assert_array_equal(raster.traces.v_mv, one.traces.v_mv)


@pytest.mark.parametrize(("given", "threads"), [("3", 3), ("1", 1), ("0", 1), ("", None), ("many", None), ("-2", None)])
def test_the_surroundings_say_how_many_threads_to_use(monkeypatch, given, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert default_threads() == (len(os.sched_getaffinity(0)) if threads is None else threads)


def test_without_word_from_the_surroundings_every_processor_has_a_thread(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert default_threads() == len(os.sched_getaffinity(0))


@given(st.integers(1, 1000), st.integers(1, 40))
def test_work_is_cut_into_parts_that_follow_one_another(count, threads):
    parts = spans(count, threads)
    assert [b for first, last in parts for b in range(first, last)] == list(range(count))
    assert len(parts) <= 16 * threads
    assert all(last > first for first, last in parts)


@pytest.mark.parametrize("threads", [1, 3])
def test_what_goes_wrong_in_a_thread_is_raised(threads):
    done = []

    def work(item):
        if item == 5:
            raise ValueError("five")
        done.append(item)

    with pytest.raises(ValueError, match="five"):
        in_threads(work, range(8), threads)
    assert done[:5] == [0, 1, 2, 3, 4] or threads > 1
