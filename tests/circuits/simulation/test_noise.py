from math import erf, pi, sqrt

import numpy as np
import pytest
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from circuits import Circuit
from circuits.numerics.simd import LANES, store
from circuits.simulation import kernel
from circuits.simulation.noise import Noise, _spread, _threefry, gaussian_pair
from circuits.simulation.packed import from_circuit
from circuits.simulation.population import simulate_population
from circuits.simulation.raster import pack
from circuits.simulation.simulate import simulate
from tests import reference
from tests.products import some_of

STEPS = 400
MASK = 0xFFFFFFFF


# The numbers themselves


@njit
def _fill(low, high, trial, pair, steps, out):
    for k in range(steps):
        even, odd = gaussian_pair(low, high, trial, pair, k)
        store(out, k * 2 * LANES, even)
        store(out, k * 2 * LANES + LANES, odd)


def gaussians(noise, pair=0, steps=1, trial=0):
    """The numbers of a pair of neurons in 64 trials: float32 [steps, 2, lanes]."""
    out = kernel.aligned(steps * 2 * LANES, np.float32)
    _fill(noise.low, noise.high, trial, pair, steps, out)
    return out.reshape(steps, 2, LANES).copy()


def kicks(seed, trials, neurons, steps):
    """The noise of a circuit in units of its standard deviation: [trials, neurons, steps]."""
    found = np.empty((-(-trials // LANES) * LANES, neurons + 1, steps))
    for first in range(0, trials, LANES):
        for pair in range((neurons + 1) // 2):
            both = gaussians(Noise.of(seed), pair, steps, first)
            found[first : first + LANES, 2 * pair : 2 * pair + 2] = both.transpose(2, 1, 0)
    return found[:trials, :neurons]


@intrinsic
def _hash(typingctx, key0, key1, counter0, counter1):
    """The two words that Threefry makes, as one number of 64 bits."""

    def emit(context, builder, signature, args):
        vectors = [_spread(builder, builder.trunc(a, ir.IntType(32))) for a in args]
        words = _threefry(builder, vectors[:2], vectors[2:])
        first, second = (
            builder.zext(builder.extract_element(word, ir.Constant(ir.IntType(32), 63)), ir.IntType(64)) for word in words
        )
        return builder.or_(builder.shl(first, ir.Constant(ir.IntType(64), 32)), second)

    return types.uint64(key0, key1, counter0, counter1), emit


@njit
def _hashed(key0, key1, counter0, counter1):
    return _hash(key0, key1, counter0, counter1)


def threefry(key, counter):
    """Threefry-2x32 with 20 rounds as its paper has it, on whole numbers."""
    keys = (*key, key[0] ^ key[1] ^ 0x1BD11BDA)
    a, b = (counter[0] + keys[0]) & MASK, (counter[1] + keys[1]) & MASK
    for turn in range(20):
        a = (a + b) & MASK
        r = (13, 15, 26, 6, 17, 29, 16, 24)[turn % 8]
        b = ((b << r) & MASK | b >> 32 - r) ^ a
        if turn % 4 == 3:
            injected = turn // 4 + 1
            a = (a + keys[injected % 3]) & MASK
            b = (b + keys[(injected + 1) % 3] + injected) & MASK
    return a, b


KNOWN_ANSWERS = [  # the vectors of the Random123 library
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((MASK, MASK), (MASK, MASK), (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
]


@pytest.mark.parametrize(("key", "counter", "answer"), KNOWN_ANSWERS, ids=["zeros", "ones", "pi"])
def test_the_hash_gives_the_published_answers(key, counter, answer):
    assert threefry(key, counter) == answer
    assert divmod(int(_hashed(*key, *counter)), 2**32) == answer


def test_the_numbers_are_box_and_mullers_of_the_hash_of_seed_neuron_trial_and_step():
    rng = np.random.default_rng(0)
    places = [(0, 0), (64, 0), (0, 1), (2**32 - 64, 3), (640, 511)]
    for trial, pair in places:
        low, high = (int(word) for word in rng.integers(2**32, size=2))
        found = gaussians(Noise(low, high), pair, 20, trial)
        expected = np.empty_like(found, dtype="f8")
        for step, lane in np.ndindex(20, LANES):
            first, second = threefry((low, high ^ pair), (trial + lane & MASK, step))
            radius = sqrt(-2 * np.log(((first >> 9) + 0.5) / 2**23))
            turn = 2 * pi * second / 2**32
            expected[step, :, lane] = radius * np.sin(turn), radius * np.cos(turn)
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


@pytest.fixture(scope="module")
def sample():
    """float64 [pairs, steps, 2, lanes]."""
    return np.stack([gaussians(Noise.of(1), pair, 2000) for pair in range(4)]).astype("f8")


def test_the_numbers_are_normal(sample):
    x = np.sort(sample.ravel())
    n = len(x)
    assert abs(x.mean()) < 4 / sqrt(n)
    assert abs(x.var() - 1) < 4 * sqrt(2 / n)
    assert abs((x**3).mean()) < 4 * sqrt(15 / n)
    assert abs((x**4).mean() - 3) < 4 * sqrt(96 / n)
    few = x[:: n // 20_000]
    distance = np.abs(np.array([(1 + erf(a / sqrt(2))) / 2 for a in few]) - np.arange(0, n, n // 20_000) / n).max()
    assert distance < 1.95 / sqrt(n), "Kolmogorov and Smirnov's, at 0.1 %"
    assert 4.4 < np.abs(x).max() < 5.78


def test_the_tails_have_the_weight_they_should(sample):
    x = sample.ravel()
    for limit in (1.0, 2.0, 3.0, 4.0):
        p = 1 - erf(limit / sqrt(2))
        assert abs((np.abs(x) > limit).mean() - p) < 4 * sqrt(p / len(x))


def correlations(rows):
    """Of all pairs of rows, in units of what chance gives; also of their squares."""
    found = []
    for values in (rows, rows**2):
        r = np.corrcoef(values)[np.triu_indices(len(rows), 1)]
        found.append(np.abs(r) * sqrt(rows.shape[1]))
    return np.concatenate(found)


def test_lanes_neurons_and_steps_are_not_correlated(sample):
    pairs, steps, _, lanes = sample.shape
    by_lane = sample.transpose(3, 0, 2, 1).reshape(lanes, -1)
    by_neuron = sample.transpose(0, 2, 1, 3).reshape(2 * pairs, -1)
    by_step = sample.transpose(1, 0, 2, 3).reshape(steps, -1)[:60]
    for rows in (by_lane, by_neuron, by_step):
        assert correlations(rows).max() < 5
    for lag in (1, 2, 3):
        r = (by_lane[:, lag:] * by_lane[:, :-lag]).mean() * sqrt(by_lane[:, lag:].size)
        assert abs(r) < 4


def test_seeds_are_not_correlated():
    rows = np.stack([gaussians(Noise.of(seed), steps=300).ravel() for seed in range(40)])
    assert correlations(rows.astype("f8")).max() < 5


def test_blocks_of_trials_follow_on_from_one_another():
    """Trial 70 of blocks that begin at 64 is what it is in those that begin at 7."""
    noise = Noise.of(5)
    one, other = gaussians(noise, 1, 10, 64), gaussians(noise, 1, 10, 7)
    np.testing.assert_array_equal(one[..., 6], other[..., 63])


# Noisy circuits


def drawn(seed, trials, noise_mv=4.0, **settings):
    rng = np.random.default_rng(seed)
    circuit = reference.random_circuit(rng, **settings).model_copy(update={"noise_mv": noise_mv})
    return circuit, reference.random_input(rng, circuit, trials, STEPS)


def test_there_is_no_noise_unless_asked_for():
    circuit, spikes = drawn(0, 10, noise_mv=0.0)
    assert Circuit(dt_ms=1, neurons=[{"id": 0, "sign": "E"}]).noise_mv == 0
    assert not from_circuit(circuit).noisy
    raster = simulate(circuit, spikes)
    np.testing.assert_array_equal(simulate(circuit, spikes, seed=7).bits, raster.bits)
    np.testing.assert_array_equal(raster.spikes(), reference.simulate(circuit, spikes))


def test_noise_is_the_same_for_the_same_seed_and_another_for_another():
    circuit, spikes = drawn(0, 10)
    raster = simulate(circuit, spikes, seed=3)
    np.testing.assert_array_equal(simulate(circuit, spikes, seed=3).bits, raster.bits)
    assert not np.array_equal(simulate(circuit, spikes, seed=4).bits, raster.bits)
    assert not np.array_equal(simulate(circuit, spikes).bits, raster.bits)
    silent = drawn(0, 10, noise_mv=0.0)[0]
    assert not np.array_equal(simulate(silent, spikes).bits, raster.bits)


@pytest.mark.parametrize("model", some_of(["lif_psc_exp", "aeif_psc_exp", "izhikevich"], few=["lif_psc_exp"]))
def test_a_noisy_circuit_equals_the_reference_simulator_with_the_same_numbers(model):
    """Noise moves V, and a V that is held stands still: nothing follows the noise then."""
    fired = 0
    for seed in range(15):
        circuit, spikes = drawn(seed, 3, neuron_model=model)
        ours = simulate(circuit, spikes, seed=seed).spikes()
        theirs = reference.simulate(circuit, spikes, kicks=kicks(seed, 3, len(circuit.neurons), STEPS))
        np.testing.assert_array_equal(ours, theirs, err_msg=f"seed {seed}: {circuit}")
        fired += ours.sum()
    assert fired > 1000


@pytest.mark.parametrize(("dt", "tau_m"), [(5.0, 2.0), (1.0, 10.0), (0.25, 10.0), (0.05, 1.0)])
def test_a_free_membrane_has_the_standard_deviation_of_the_noise_at_any_dt(dt, tau_m):
    cells = [{"id": n, "sign": "E", "tau_m_ms": tau_m, "v_th_mv": 1000.0, "bias_mv": 3.0, "t_ref_ms": 0.0} for n in range(20)]
    circuit = Circuit(dt_ms=dt, neurons=cells, noise_mv=2.5)
    apart = max(1, round(3 * tau_m / dt))  # steps between potentials that are all but independent
    spikes = np.zeros((64, 9 * apart + 1, 0), bool)
    raster = simulate(circuit, spikes, record="all", record_trials=range(64))
    v = raster.traces.v_mv[:, 3 * apart :: apart] + 70
    assert not raster.counts().any()
    assert v.std() == pytest.approx(2.5, rel=0.02)
    assert v.mean() == pytest.approx(3.0, abs=0.12)
    following = raster.traces.v_mv[:, 3 * apart :] + 70 - 3
    if apart > 1:
        remembered = (following[:, 1:] * following[:, :-1]).mean() / following.var()
        assert remembered == pytest.approx(np.exp(-dt / tau_m), abs=0.02)


@pytest.mark.parametrize(("dt", "tau_m"), [(1.0, 0.01), (1.0, 0.05), (0.1, 10_000.0)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_is_finite_in_the_fastest_and_the_slowest_membrane(dt, tau_m, dtype):
    neuron = {"id": 0, "sign": "E", "tau_m_ms": tau_m, "v_th_mv": 1000.0}
    circuit = Circuit(dt_ms=dt, neurons=[neuron], noise_mv=1.0)
    raster = simulate(circuit, np.zeros((64, 100, 0), bool), record="all", record_trials=range(64), dtype=dtype)
    assert not raster.counts().any()
    v = raster.traces.v_mv + 70
    assert np.isfinite(v).all()
    if tau_m < dt:
        assert v.std() == pytest.approx(1.0, rel=0.03)


def test_a_neuron_is_held_at_its_reset_whatever_the_noise():
    neuron = {"id": 0, "sign": "E", "t_ref_ms": 5.0, "bias_mv": 20.0, "v_reset_mv": -63.0}
    circuit = Circuit(dt_ms=0.5, neurons=[neuron], noise_mv=3.0)
    raster = simulate(circuit, np.zeros((1, 400, 0), bool), record="all")
    rows = np.rint(raster.times(0)[0] / 0.5).astype(int) - 1
    assert len(rows) > 5
    for row in rows[:-1]:
        assert (raster.traces.v_mv[0, row : row + 11, 0] == -63.0).all()
        assert raster.traces.v_mv[0, row + 11, 0] != -63.0


@pytest.mark.slow  # a kernel of its own, compiled for seconds
def test_the_adaptation_of_an_adex_neuron_follows_the_reset_potential_while_it_is_held():
    """Noise moves V alone, and V stands still then."""
    neuron = {"id": 0, "sign": "E", "t_ref_ms": 10.0, "bias_mv": 60.0, "a": 1.0, "tau_w_ms": 10.0, "v_reset_mv": -60.0}
    raster = simulate(
        Circuit(dt_ms=0.25, neuron_model="aeif_psc_exp", neurons=[neuron], noise_mv=3.0),
        np.zeros((1, 400, 0), bool),
        record="all",
        dtype="float32",
    )
    first = round(raster.times(0)[0][0] / 0.25) - 1
    w = raster.traces.further["w"][0, first : first + 41, 0]
    settled, h = -60.0 + 70.6, 0.25 / 10.0
    expected = settled + (w[0] - settled) * (1 - h + h**2 / 2) ** np.arange(41)
    np.testing.assert_allclose(w, expected, rtol=1e-5)


def test_the_noise_of_a_trial_does_not_depend_on_how_many_trials_there_are_or_on_the_threads():
    circuit, spikes = drawn(2, 200)
    whole = simulate(circuit, spikes, seed=9, threads=1)
    assert whole.counts().any()
    for trials, threads in ((1, None), (63, 2), (65, 1), (130, 3)):
        part = simulate(circuit, spikes[:trials], seed=9, threads=threads)
        np.testing.assert_array_equal(part.spikes(), whole.spikes()[:trials])


def test_lanes_differ_though_their_input_is_the_same():
    circuit, spikes = drawn(0, 1)
    raster = simulate(circuit, np.repeat(spikes, 130, axis=0)).spikes()
    assert len({trial.tobytes() for trial in raster}) > 120


def test_a_population_has_the_noise_that_simulate_has():
    circuit, spikes = drawn(2, 130)
    raster = simulate(circuit, spikes, seed=9, dtype="float32")
    activity = simulate_population(from_circuit(circuit, np.float32), pack(spikes), 130, seed=9, threads=2)
    assert raster.outputs.counts().any()
    np.testing.assert_array_equal(activity.outputs[0], raster.outputs.bits)
    assert activity.spikes[0] == raster.counts().sum()


def test_float32_and_float64_have_the_same_noise():
    neuron = {"id": 0, "sign": "E", "v_th_mv": 1000.0, "v_rest_mv": 0.0}
    circuit = Circuit(dt_ms=0.5, neurons=[neuron, neuron | {"id": 1}], noise_mv=2.0)
    silence = np.zeros((3, 200, 0), bool)
    single, double = (
        simulate(circuit, silence, record="all", record_trials=range(3), dtype=t).traces for t in ("float32", "float64")
    )
    np.testing.assert_allclose(single.v_mv, double.v_mv, rtol=0, atol=2e-5)
