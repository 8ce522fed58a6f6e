"""Trials that follow one another in time."""

import numpy as np
import pytest

from circuits import Circuit
from circuits.errors import UserError
from circuits.neurons import LIF_PSC_EXP
from circuits.simulation.packed import from_circuit, from_matrices
from circuits.simulation.population import simulate_population
from circuits.simulation.raster import pack, unpack
from circuits.simulation.simulate import simulate
from circuits.synapses import MODELS
from tests import reference

STEPS = 300


def drawn(seed, plastic, trials, noise_mv=0.0, **settings):
    """A random circuit and its input."""
    rng = np.random.default_rng(seed)
    circuit = reference.random_circuit(rng, plastic=plastic, **settings).model_copy(update={"noise_mv": noise_mv})
    return circuit, reference.random_input(rng, circuit, trials, STEPS)


@pytest.mark.long
@pytest.mark.parametrize("sequence", [2, 3, 6])
def test_a_sequence_is_the_reference_simulator_trial_after_trial_with_the_weights_kept(sequence):
    changed = 0
    for seed in range(5):
        circuit, spikes = drawn(seed, "both", trials=6)
        ours, theirs = simulate(circuit, spikes, sequence=sequence), reference.run(circuit, spikes, sequence=sequence)
        np.testing.assert_array_equal(ours.spikes(), theirs.spikes)
        np.testing.assert_allclose(ours.weights_mv, theirs.weights_mv, rtol=1e-9, atol=1e-9)
        changed += not np.array_equal(ours.bits, simulate(circuit, spikes).bits)
    assert changed > 1, "it matters what was learnt before"


def test_what_is_learnt_is_carried_on_in_a_sequence_and_only_there():
    """Each trial has one pair, and each pair adds the same."""
    stdp = {"a_plus": 0.1, "a_minus": 0.0}
    synapses = [{"post": 0, "weight_mv": 0.01, "delay_ms": 1.0, "stdp": stdp}]
    strong = [{"post": 0, "weight_mv": 1e5, "delay_ms": 1.0}]
    silent = [synapses[0] | {"stdp": None, "short_term": {}}]  # for the kernel of the tests above
    inputs = [{"name": name, "synapses": s} for name, s in (("learns", synapses), ("drives", strong), ("silent", silent))]
    circuit = Circuit(dt_ms=1.0, neurons=[{"id": 0, "sign": "E", "tau_syn_e_ms": 0.02}], inputs=inputs)
    spikes = [[[10.0], [20.0], []]] * 6
    gain = simulate(circuit, spikes, 60).weights_mv[0, 0] - 0.01
    assert gain > 0
    for sequence in (1, 2, 3, 6):
        found = simulate(circuit, spikes, 60, sequence=sequence).weights_mv[:, 0]
        np.testing.assert_allclose(found, 0.01 + gain * (np.arange(6) % sequence + 1), rtol=1e-12)


@pytest.mark.parametrize("plastic", [None, "short_term"])
def test_without_learning_a_sequence_is_as_many_single_trials(plastic):
    circuit, spikes = drawn(4, plastic, trials=6)
    np.testing.assert_array_equal(simulate(circuit, spikes, sequence=3).bits, simulate(circuit, spikes).bits)


@pytest.mark.parametrize("sequence", [0, -1, 4, 7, 1.0, None])
def test_trials_that_are_no_whole_number_of_sequences_are_refused(sequence):
    circuit, spikes = drawn(4, "stdp", trials=6)
    with pytest.raises(UserError, match=f"sequence: 6 trials are no whole number of sequences of {sequence}"):
        simulate(circuit, spikes, sequence=sequence)


def in_blocks(spikes, sequence):
    """Trials in sequences as a population reads them: the p-th trials of 64 sequences are one block."""
    places = [pack(spikes[p::sequence]) for p in range(sequence)]
    return np.stack(places, axis=1).reshape(-1, *places[0].shape[1:])


def from_blocks(bits, sequence, trials):
    """The inverse of `in_blocks`, for words of any columns."""
    places = bits.reshape(-1, sequence, *bits.shape[1:])
    found = np.stack([unpack(places[:, p], trials // sequence) for p in range(sequence)], axis=1)
    return found.reshape(trials, *found.shape[2:])


@pytest.mark.parametrize("sequences", [64, 128])
def test_a_population_in_sequence_is_simulate_in_sequence(sequences):
    circuit, spikes = drawn(1, "stdp", trials=3 * sequences, neurons=8)
    raster = simulate(circuit, spikes, sequence=3, dtype="float32")
    tables = from_circuit(circuit, np.float32)
    activity = simulate_population(tables, in_blocks(spikes, 3), 3 * sequences, sequence=3)
    columns = raster.spikes()[..., list(raster.readout)]
    assert columns.any()
    assert not np.array_equal(raster.bits, simulate(circuit, spikes, dtype="float32").bits)
    np.testing.assert_array_equal(from_blocks(activity.outputs[0], 3, 3 * sequences), columns)
    assert activity.spikes[0] == raster.counts().sum()


def learners(count, rng, real=np.float32):
    """Circuits of a channel and two neurons in which what is learnt shows in the spikes, as arguments of `from_matrices`."""
    own = np.broadcast_to(LIF_PSC_EXP.defaults, (count, 2, 8))
    section = np.array([list(reference.random_section(rng, "stdp").values()) for _ in range(2 * count)])
    section = section.reshape(count, 2, -1)
    weight = np.zeros((count, 3, 2), real)
    weight[:, 0, 0] = 400.0
    weight[:, 1, 1] = rng.uniform(40, 90, count)
    delay = np.full((count, 3, 2), 2, "u2")
    matrices = np.ones((count, 2), "i1"), np.concatenate([own, section], axis=2), weight, delay, np.ones((count, 1), "i8")
    return lambda some: from_matrices(LIF_PSC_EXP, *(m[some] for m in matrices), 1.0, real, MODELS["stdp"])


@pytest.mark.parametrize("threads", [1, 3])
def test_circuits_that_learn_in_sequence_learn_the_same_in_any_company(threads):
    rng = np.random.default_rng(0)
    tables_of = learners(7, rng)
    spikes = pack(rng.random((3 * 64, 100, 1)) < 0.1)
    alone = [simulate_population(tables_of([b]), spikes, 3 * 64, sequence=3) for b in range(7)]
    single = simulate_population(tables_of(range(7)), spikes, 3 * 64)
    together = simulate_population(tables_of(range(7)), spikes, 3 * 64, sequence=3, threads=threads)
    assert len({int(a.spikes[0]) for a in alone}) == 7, "they differ"
    assert (single.spikes != [a.spikes[0] for a in alone]).any(), "it matters what was learnt before"
    for b, one in enumerate(alone):
        for name in ("outputs", "spikes", "events", "steps"):
            np.testing.assert_array_equal(getattr(together, name)[b], getattr(one, name)[0], err_msg=f"{name} of {b}")


@pytest.mark.parametrize("sequences", [5, 70])
def test_the_noise_of_a_trial_in_a_sequence_does_not_depend_on_how_many_sequences_there_are(sequences):
    circuit, spikes = drawn(2, None, 3 * 70, noise_mv=4.0)
    whole = simulate(circuit, spikes, seed=9, sequence=3).spikes()
    some = simulate(circuit, spikes[: 3 * sequences], seed=9, sequence=3).spikes()
    np.testing.assert_array_equal(some, whole[: 3 * sequences])


def test_every_trial_of_a_sequence_has_noise_of_its_own():
    circuit, spikes = drawn(0, None, 1, noise_mv=4.0)
    raster = simulate(circuit, np.repeat(spikes, 3 * 70, axis=0), sequence=3).spikes()
    assert len({trial.tobytes() for trial in raster}) > 190


def test_a_noisy_population_in_sequence_is_simulate_in_sequence():
    circuit, spikes = drawn(2, None, 3 * 128, noise_mv=4.0)
    raster = simulate(circuit, spikes, seed=9, sequence=3, dtype="float32")
    tables = from_circuit(circuit, np.float32)
    activity = simulate_population(tables, in_blocks(spikes, 3), 3 * 128, seed=9, sequence=3)
    found = from_blocks(activity.outputs[0], 3, 3 * 128)
    assert found.any()
    np.testing.assert_array_equal(found, raster.outputs.spikes())
