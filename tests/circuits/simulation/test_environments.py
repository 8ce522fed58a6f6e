import hashlib
from typing import NamedTuple

import numpy as np
import pytest

from circuits import Circuit
from circuits.errors import UserError
from circuits.numerics.simd import at_least, get, like, load, put, select, store
from circuits.simulation.environments import TwoEars, replay
from circuits.simulation.environments.model import moves, senses
from circuits.simulation.noise import Noise
from circuits.simulation.packed import from_circuit
from circuits.simulation.population import Stop, simulate_population
from circuits.simulation.raster import Raster, pack
from circuits.simulation.simulate import simulate
from tests import reference
from tests.bench.bench_kernel import copies
from tests.circuits.simulation.test_noise import threefry
from tests.products import few_of

STEPS = 120

pytestmark = pytest.mark.long


def environment_of(trials, seed=0, **changes):
    """Bodies at distances of 0.2 to 1 in all directions; some reach the source within `STEPS`."""
    rng = np.random.default_rng(seed)
    place, heading = rng.uniform(0, 2 * np.pi, (2, trials))
    distance = rng.uniform(0.2, 1, trials)
    start = np.stack([distance * np.cos(place), distance * np.sin(place), np.cos(heading), np.sin(heading)], axis=-1)
    usual = {"turn_deg": 15, "stride": 0.01, "reach": 0.15, "loud": 0.5, "near": 0.7, "contrast": 0.8, "hum": 0.02}
    return TwoEars.of(start, seed, **usual | changes)


def walker(seed, neurons=6, noise_mv=0.0, **settings):
    """A random circuit with two channels, whose first two excitatory neurons are the motors and fire at rates of their own."""
    for offset in range(100):
        rng = np.random.default_rng(1000 * seed + offset)
        circuit = reference.random_circuit(rng, neurons=neurons, dt_ms=1.0, **settings)
        excitatory = [n.id for n in circuit.neurons if n.sign == "E"]
        if len(circuit.inputs) == 2 and len(excitatory) >= 2:
            motors = [{"name": f"motor{n}", "neurons": [excitatory[n]]} for n in range(2)]
            circuit = Circuit(**circuit.model_dump() | {"outputs": motors, "noise_mv": noise_mv})
            rates = simulate(circuit, rng.random((8, 100, 2)) < 0.3).outputs.counts().mean(axis=0)
            if rates.min() > 2 and rates.max() < 40 and abs(rates[0] - rates[1]) > 1:
                return circuit
    raise AssertionError("no such circuit")


def silence(trials, steps=STEPS):
    return np.zeros((trials, steps, 2), bool)


def walked(environment, motors, steps):
    """The environment in plain floats, one trial after the other, no code shared with the compiled one.

    Returns the ears' spikes bool [trials, steps, 2] and the states after each step [trials, steps, 4] that the motor spikes
    bool [trials, steps, 2] brought about.
    """
    heard, course = silence(len(motors), steps), np.zeros((len(motors), steps, 4))
    for trial, (x, y, ahead_x, ahead_y) in enumerate(environment.start.astype("f8").tolist()):
        for k in range(steps):
            distance = np.hypot(x, y)
            bearing = np.arctan2(-y, -x) - np.arctan2(ahead_y, ahead_x)  # of the source, to the left
            loud = environment.loud / (1 + distance / environment.near)
            words = threefry((environment.low, environment.high), (trial, k))
            for ear, side in enumerate((1, -1)):
                chance = environment.hum + loud * (1 + side * environment.contrast * np.sin(bearing))
                heard[trial, k, ear] = (words[ear] >> 8) / 2**24 < chance
            turn = np.arctan2(environment.turn_sin, environment.turn_cos) * (
                int(motors[trial, k, 1]) - int(motors[trial, k, 0])
            )
            heading = np.arctan2(ahead_y, ahead_x) + turn
            ahead_x, ahead_y = np.cos(heading), np.sin(heading)
            if distance >= environment.reach:
                x, y = x + environment.stride * ahead_x, y + environment.stride * ahead_y
            course[trial, k] = x, y, ahead_x, ahead_y
    return heard, course


@pytest.mark.parametrize(("plastic", "seed"), few_of([None, "both"], range(3), few=[(None, 0), (None, 1)]))
def test_a_closed_loop_is_circuit_and_environment_in_turns(plastic, seed):
    """What the circuit does is what it would do on those inputs, and the inputs are what the environment makes of what it does;
    as neither looks ahead, the two went step by step."""
    environment, circuit = environment_of(70, seed), walker(seed, plastic=plastic)
    raster = simulate(circuit, silence(70), environment=environment)
    heard, course = walked(environment, raster.outputs.spikes(), STEPS)
    assert raster.outputs.counts().any(axis=0).all()
    np.testing.assert_array_equal(raster.stimulus.spikes(), heard)
    np.testing.assert_array_equal(raster.spikes(), reference.simulate(circuit, heard))
    np.testing.assert_allclose(replay(environment, raster.outputs, course=True), course, rtol=0, atol=2e-4)


def test_who_reaches_the_source_stays_there():
    environment = environment_of(70, reach=0.3)
    course = replay(environment, simulate(walker(1), silence(70), environment=environment).outputs, course=True)
    distance = np.hypot(course[..., 0], course[..., 1])
    there = distance < 0.3
    assert 3 < there[:, -1].sum() < 60
    for trial in np.flatnonzero(there[:, -1]):
        first = there[trial].argmax()
        assert (course[trial, first:, :2] == course[trial, first, :2]).all()


def test_the_left_motor_turns_right_and_both_go_straight_on():
    start = np.array([[-1, 0, 1, 0]] * 3)
    environment = TwoEars.of(start, 0, turn_deg=90, stride=0.1, reach=0.1, loud=0.5, near=1.0, contrast=1.0, hum=0.0)
    motors = np.zeros((3, 1, 2), bool)
    motors[0, 0, 0] = motors[1, 0, 1] = motors[2, 0] = True
    ends = replay(environment, Raster(pack(motors), 3, 1.0))
    np.testing.assert_allclose(ends, [[-1, -0.1, 0, -1], [-1, 0.1, 0, 1], [-0.9, 0, 1, 0]], atol=1e-6)


def test_the_ears_hear_the_side_the_distance_and_the_hum():
    start = [[0, -1, 1, 0], [0, 1, 1, 0], [-1, 0, 1, 0], [-3, 0, 1, 0], [-1e6, 0, 1, 0]]  # left, right, ahead, far, nothing
    environment = TwoEars.of(
        np.repeat(start, 200, axis=0), 5, turn_deg=0, stride=0, reach=0.1, loud=0.8, near=1.0, contrast=0.5, hum=0.1
    )
    heard = (
        simulate(walker(0), silence(1000), environment=environment).stimulus.counts().reshape(5, 200, 2).mean(axis=1) / STEPS
    )
    np.testing.assert_allclose(heard, [[0.7, 0.3], [0.3, 0.7], [0.5, 0.5], [0.3, 0.3], [0.1, 0.1]], atol=0.01)


def test_a_replay_with_a_course_ends_where_one_without_does_and_many_circuits_are_each_alone():
    environment = environment_of(130)
    motors = np.random.default_rng(0).random((3, 130, STEPS, 2)) < 0.3
    many = Raster(np.stack([pack(m) for m in motors]), 130, 1.0)
    ends = replay(environment, many)
    assert ends.shape == (3, 130, 4)
    np.testing.assert_array_equal(replay(environment, many, course=True)[:, :, -1], ends)
    for one, bits in zip(ends, many.bits, strict=True):
        np.testing.assert_array_equal(replay(environment, Raster(bits, 130, 1.0)), one)


REALS, PLASTIC, NOISE_MV = ["float32", "float64"], [None, "short_term", "stdp"], [0.0, 2.0]


@pytest.mark.parametrize(("real", "plastic", "noise_mv"), few_of(REALS, PLASTIC, NOISE_MV, few=[("float32", None, 0.0)]))
def test_a_population_in_an_environment_is_its_circuits_each_alone_whatever_the_threads_and_looks(real, plastic, noise_mv):
    environment, circuit = environment_of(150), walker(2, plastic=plastic, noise_mv=noise_mv)
    raster = simulate(circuit, silence(150), dtype=real, environment=environment, seed=4)
    tables = copies(from_circuit(circuit, np.dtype(real)), 5)
    tables.table[2] = tables.table[2] * real_like(0.9, tables)  # another circuit in between
    for threads, stop in ((1, Stop()), (3, Stop()), (1, Stop(7, 1000, 1e9))):
        found = simulate_population(
            tables, pack(silence(150)), 150, seed=4, environment=environment, threads=threads, stop=stop
        )
        for b in (0, 1, 3, 4):
            np.testing.assert_array_equal(found.outputs[b], raster.outputs.bits)
            assert found.spikes[b] == raster.counts().sum()
        assert (found.outputs[2] != found.outputs[0]).any()


def real_like(value, tables):
    return tables.table.dtype.type(value)


def test_events_in_a_closed_loop_count_the_inputs_that_came_about():
    environment, circuit = environment_of(70), walker(3)
    raster = simulate(circuit, silence(70), environment=environment, dtype="float32")
    tables = from_circuit(circuit, np.float32)
    found = simulate_population(tables, pack(silence(70)), 70, environment=environment)
    spikes = np.concatenate([raster.stimulus.counts().sum(axis=0), raster.counts().sum(axis=0)])
    assert found.events[0] == (spikes * tables.fan_out[0]).sum()


@pytest.mark.parametrize("trials", [1, 63, 64, 65])
def test_a_trial_is_what_it_is_among_fewer_trials_and_steps(trials):
    environment, circuit = environment_of(130), walker(1)
    everything = simulate(circuit, silence(130), environment=environment, threads=2)
    some = simulate(circuit, silence(trials, 50), environment=environment._replace(start=environment.start[:trials]))
    np.testing.assert_array_equal(some.spikes(), everything.spikes()[:trials, :50])
    np.testing.assert_array_equal(some.stimulus.spikes(), everything.stimulus.spikes()[:trials, :50])


def test_every_trial_of_a_sequence_has_an_environment_of_its_own():
    """Without learning a sequence is trials like any others, but for the chance in the ears."""
    environment, circuit = environment_of(3 * 70, hum=1.0), walker(1)
    environment = environment._replace(loud=0.0)  # the ears always fire
    sequence = simulate(circuit, silence(3 * 70), environment=environment, sequence=3)
    np.testing.assert_array_equal(sequence.bits, simulate(circuit, silence(3 * 70), environment=environment).bits)
    environment = environment_of(3 * 70)
    sequence = simulate(circuit, silence(3 * 70), environment=environment, sequence=3)
    course = replay(environment, sequence.outputs, course=True)
    heard = sequence.stimulus.counts()
    near = np.hypot(course[..., 0], course[..., 1]).mean(axis=1)
    assert np.corrcoef(heard.sum(axis=1), near)[0, 1] < -0.8, "each hears its own distance"


def test_a_silent_circuit_is_given_up_at_the_end_of_its_first_block():
    circuit = walker(0)
    mute = circuit.model_copy(update={"inputs": tuple(c.model_copy(update={"synapses": ()}) for c in circuit.inputs)})
    still = tuple(n.model_copy(update={"bias_mv": 0.0}) for n in circuit.neurons)
    tables = from_circuit(mute.model_copy(update={"neurons": still}), np.float32)
    found = simulate_population(tables, pack(silence(130)), 130, environment=environment_of(130), stop=Stop(10, 0))
    assert found.steps.tolist() == [STEPS]


@pytest.mark.parametrize("seed", range(3))
def test_the_seed_of_the_environment_alone_decides_on_the_chance_in_the_ears(seed):
    environment, circuit = environment_of(64), walker(1)
    one = simulate(circuit, silence(64), environment=environment, seed=seed)
    np.testing.assert_array_equal(one.bits, simulate(circuit, silence(64), environment=environment).bits)
    key = Noise.of((seed + 100, 1))
    other = simulate(circuit, silence(64), environment=environment._replace(low=key.low, high=key.high))
    assert (one.stimulus.bits != other.stimulus.bits).any()


def test_an_environment_that_does_not_fit_is_refused():
    circuit, environment = walker(0), environment_of(10)
    with pytest.raises(UserError, match=r"start must be float32 \[11 trials, states\], not float32 \[10, 4\]"):
        simulate(circuit, silence(11), environment=environment)
    with pytest.raises(UserError, match=r"not float64 \[10, 4\]"):
        simulate(circuit, silence(10), environment=environment._replace(start=environment.start.astype("f8")))
    deaf = circuit.model_copy(update={"outputs": circuit.outputs[:1]})
    with pytest.raises(UserError, match="2 input channels and 1 output neurons, a TwoEars wants 2 and 2"):
        simulate(deaf, silence(10), environment=environment)
    with pytest.raises(UserError, match="TwoEars wants 2 and 2"):
        replay(environment, Raster(pack(np.zeros((10, 5, 3), bool)), 10, 1.0))


# -- an environment of one's own


class Echo(NamedTuple):
    """The left ear hears a motor's spike in the next step, the right one never."""

    start: np.ndarray
    channels: int = 2
    ports: int = 2


@moves(Echo)
def _move(environment, state, words):
    fired = load(state, 0)
    store(state, 0, select(get(words, 0), like(fired, 1.0), like(fired, 0.0)))


@senses(Echo)
def _sense(environment, state, trial, step, flat, at):
    fired = load(state, 0)
    put(flat, at, at_least(fired, like(fired, 1.0)))
    put(flat, at + 1, np.uint64(0))


def test_an_environment_of_ones_own_is_two_functions():
    circuit = walker(5)
    first = Echo(np.ones((70, 1), "f4"))
    raster = simulate(circuit, silence(70), environment=first)
    echo = raster.stimulus.spikes()
    assert echo[:, 0, 0].all()
    assert not echo[..., 1].any()
    np.testing.assert_array_equal(echo[:, 1:, 0], raster.outputs.spikes()[:, :-1, 0])
    assert raster.outputs.bits.any()


# -- other processors


def digest_of_walks():
    digest = hashlib.sha256()
    for seed in range(2):
        raster = simulate(walker(seed), silence(64), dtype="float32", environment=environment_of(64, seed))
        assert raster.stimulus.bits.any()
        digest.update(raster.bits.tobytes() + raster.stimulus.bits.tobytes())
        digest.update(replay(environment_of(64, seed), raster.outputs).tobytes())
    return digest.hexdigest()
