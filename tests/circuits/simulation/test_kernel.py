import hashlib
import os
import subprocess
import sys
from math import exp, log

import numpy as np
import pytest

from circuits import Circuit
from circuits.neurons import LIF_PSC_EXP, MODELS
from circuits.simulation import kernel, packed
from circuits.simulation.packed import from_circuit, from_matrices
from circuits.simulation.population import simulate_population
from circuits.simulation.raster import pack, unpack
from circuits.simulation.simulate import simulate
from tests import reference
from tests.bench.yardstick import FLAGS, Job, Yardstick, reason, widths
from tests.bench.yardstick_job import kernel_call

STEPS = 400


def drawn(seed, trials=3, **settings):
    """A random circuit and its input."""
    rng = np.random.default_rng(seed)
    circuit = reference.random_circuit(rng, **settings)
    return circuit, reference.random_input(rng, circuit, trials, STEPS)


def pair(delay, pre_fires_by="input", dt=0.1, weight=1000.0):
    """A channel on neuron `a`, which fires once, and `a` on `b`; the synapse that is looked at has `delay` steps."""
    to_a = {"post": "a", "weight_mv": 1e5, "delay_ms": dt if pre_fires_by == "input" else delay * dt}
    neurons = [{"id": n, "sign": "E", "t_ref_ms": 500 * dt, "tau_syn_e_ms": 2.0} for n in "ab"]
    synapses = [{"pre": "a", "post": "b", "weight_mv": weight, "delay_ms": delay * dt}]
    return Circuit(dt_ms=dt, neurons=neurons, inputs=[{"name": "in", "synapses": [to_a]}], synapses=synapses)


def final_state(circuit, spikes, steps, real=np.float64):
    """V relative to rest, I_e and I_i of trial 0 after `steps` steps: [neurons, 3], and the raster [steps, neurons]."""
    tables = from_circuit(circuit, real)
    neurons = len(circuit.neurons)
    scratch = kernel.scratch(tables, steps)
    scratch.raster[tables.history :, : tables.channels] = pack(spikes)[0, :steps]
    run_kernel(tables, scratch)
    fired = unpack(scratch.raster[None, tables.history :, tables.channels :], 1)[0]
    return scratch.state.reshape(neurons, 3, 64)[:, :, 0], fired


def run_kernel(tables, scratch):
    kernel.run(tables, 0, scratch, tables.history, len(scratch.raster), False, None, None, None, None, 0, None, None)


def as_matrices(circuits, slots, channels, rng, readouts=2, real=np.float32):
    """Circuits (one dt, at most one synapse per pair) as arguments of `from_matrices`, their neurons spread over the slots.

    The order of a circuit's neurons is kept; empty slots lie between them. Every output slot reads one of the neurons.
    """
    batch, dt = len(circuits), circuits[0].dt_ms
    sign = np.zeros((batch, slots), "i1")
    parameters = np.ones((batch, slots, 8))
    weight = np.zeros((batch, channels + slots, slots), real)
    delay = np.ones((batch, channels + slots, slots), "u2")
    readout = np.zeros((batch, readouts), "i8")
    for b, circuit in enumerate(circuits):
        slot = np.sort(rng.choice(slots, len(circuit.neurons), replace=False))
        place = {neuron.id: slot[n] for n, neuron in enumerate(circuit.neurons)}
        sign[b, slot] = np.where(circuit.excitatory, 1, -1)
        parameters[b, slot] = circuit.parameters
        rows = [(c, s) for c, channel in enumerate(circuit.inputs) for s in channel.synapses]
        for row, s in rows + [(channels + place[s.pre], s) for s in circuit.synapses]:
            weight[b, row, place[s.post]] = s.weight_mv
            delay[b, row, place[s.post]] = round(s.delay_ms / dt)
        readout[b] = slot[rng.integers(len(slot), size=readouts)]
    return sign, parameters, weight, delay, readout, dt


@pytest.mark.parametrize("seeds", [range(30), pytest.param(range(150), marks=pytest.mark.slow)])
def test_float64_equals_the_reference_simulator_spike_for_spike(seeds):
    rates = []
    for seed in seeds:
        circuit, spikes = drawn(seed)
        ours = simulate(circuit, spikes).spikes()
        np.testing.assert_array_equal(ours, reference.simulate(circuit, spikes), err_msg=f"seed {seed}: {circuit}")
        rates.append(ours.mean())
    assert np.mean(np.array(rates) > 0.005) > 0.9, "most circuits fire"
    assert np.mean(np.array(rates) < 0.2) > 0.9, "few circuits are saturated"


def test_random_circuits_have_all_that_circuits_may_have():
    circuits = [drawn(seed)[0] for seed in range(150)]
    pairs = [[(s.pre, s.post) for s in c.synapses] for c in circuits]
    neurons = [(n, c.dt_ms) for c in circuits for n in c.neurons]
    assert {c.dt_ms for c in circuits} == {1.0, 0.1, 0.05}
    assert {round(n.t_ref_ms / dt) for n, dt in neurons} == {0, 1, 20}
    assert {round(s.delay_ms / c.dt_ms) for c in circuits for s in c.synapses} == set(range(1, 51))
    assert {len(c.neurons) for c in circuits} == set(range(1, 25))
    assert any(pre == post for found in pairs for pre, post in found), "autapses"
    assert any(len(set(found)) < len(found) for found in pairs), "multapses"
    assert any(n.tau_m_ms == n.tau_syn_e_ms for n, _ in neurons)
    assert any(n.bias_mv > n.v_th_mv - n.v_rest_mv for n, _ in neurons)
    assert {n.sign for n, _ in neurons} == {"E", "I"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("trials", [1, 63, 64, 65, 200])
def test_a_trial_is_the_same_in_any_lane_and_among_any_number_of_trials(dtype, trials):
    circuit, spikes = drawn(5, trials=200)
    everything = simulate(circuit, spikes, dtype=dtype).spikes()
    assert everything.any()
    np.testing.assert_array_equal(simulate(circuit, spikes[:trials], dtype=dtype).spikes(), everything[:trials])
    order = np.random.default_rng(trials).permutation(200)[:trials]
    np.testing.assert_array_equal(simulate(circuit, spikes[order], dtype=dtype).spikes(), everything[order])


@pytest.mark.parametrize("real", [np.float32, pytest.param(np.float64, marks=pytest.mark.slow)])
def test_a_circuit_gives_the_same_bits_in_any_batch_and_any_form(real):
    rng = np.random.default_rng(8)
    circuits = [reference.random_circuit(rng, dt_ms=0.1, multapses=False) for _ in range(20)]
    channels, slots, trials = 4, 30, 100
    spikes = rng.random((trials, STEPS, channels)) < 8 / STEPS
    matrices = as_matrices(circuits, slots, channels, rng, real=real)
    together = simulate_population(from_matrices(LIF_PSC_EXP, *matrices, real), pack(spikes), trials)
    assert np.median(together.spikes) > trials, "the circuits fire"
    for b, circuit in enumerate(circuits):
        one = [m[b : b + 1] for m in matrices[:-1]]
        alone = simulate_population(from_matrices(LIF_PSC_EXP, *one, 0.1, real), pack(spikes), trials)
        for name in ("outputs", "spikes", "events", "steps"):
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[b], err_msg=f"{name} of {b}")

        slot_of = np.cumsum(matrices[0][b] != 0) - 1
        read = [circuit.neurons[n].id for n in slot_of[matrices[4][b]]]
        raster = simulate(circuit, spikes[:, :, : len(circuit.inputs)], dtype=np.dtype(real).name)
        columns = [raster.names.index(name) for name in read]
        np.testing.assert_array_equal(raster.bits[..., columns], together.outputs[b], err_msg=f"outputs of {b}")
        assert raster.counts().sum() == together.spikes[b]


@pytest.mark.parametrize(
    "turned", [np.asfortranarray, pytest.param(lambda x: np.repeat(x, 2, axis=-1)[..., ::2], marks=pytest.mark.slow)]
)
def test_matrices_may_lie_in_memory_in_any_way(turned):
    rng = np.random.default_rng(9)
    circuits = [reference.random_circuit(rng, dt_ms=0.1, multapses=False) for _ in range(3)]
    *matrices, dt = as_matrices(circuits, 26, 4, rng)
    plain, compiled = from_matrices(LIF_PSC_EXP, *matrices, dt), set(packed._lists.signatures)
    other = from_matrices(LIF_PSC_EXP, *map(turned, matrices), dt)
    assert set(packed._lists.signatures) == compiled
    assert len(plain.weight) > 20
    for name in ("bounds", "weight", "offset", "table", "n_ref", "fan_out", "readout"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(other, name), err_msg=name)


def test_the_order_of_summation_does_not_depend_on_the_order_in_which_synapses_are_listed():
    for seed in range(20):
        circuit, _ = drawn(seed)
        order = np.random.default_rng(seed).permutation(len(circuit.synapses))
        shuffled = circuit.model_copy(update={"synapses": tuple(circuit.synapses[k] for k in order)})
        for one, other in zip(from_circuit(circuit), from_circuit(shuffled), strict=True):
            np.testing.assert_array_equal(one, other)


def test_tables_of_a_circuit_and_of_its_matrices_are_the_same_and_read_the_same_output_bits():
    circuit, spikes = drawn(21, trials=70, multapses=False)
    ports = [neuron for port in circuit.outputs for neuron in port.neurons]
    assert len(ports) > 1
    ids = [n.id for n in circuit.neurons]
    *arrays, _, dt = as_matrices([circuit], len(ids), len(circuit.inputs), np.random.default_rng(0))
    matrices = from_matrices(LIF_PSC_EXP, *arrays, np.array([[ids.index(name) for name in ports]]), dt, np.float32)
    tables = from_circuit(circuit, np.float32)
    for name in ("neurons", "bounds", "weight", "offset", "table", "n_ref", "fan_out", "readout"):
        np.testing.assert_array_equal(getattr(tables, name), getattr(matrices, name), err_msg=name)
    one = simulate_population(tables, pack(spikes), 70)
    other = simulate_population(matrices, pack(spikes), 70)
    assert one.outputs.any()
    for name in ("outputs", "spikes", "events", "steps"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_spikes_and_events_of_a_population_are_what_the_rasters_say():
    circuit, spikes = drawn(3, trials=70)
    raster = simulate(circuit, spikes, dtype="float32").spikes()
    activity = simulate_population(from_circuit(circuit, np.float32), pack(spikes), 70)
    leaving = {n.id: sum(s.pre == n.id for s in circuit.synapses) for n in circuit.neurons}
    events = sum(raster[..., n].sum() * leaving[neuron.id] for n, neuron in enumerate(circuit.neurons))
    events += sum(spikes[..., c].sum() * len(channel.synapses) for c, channel in enumerate(circuit.inputs))
    assert activity.spikes[0] == raster.sum() > 0
    assert activity.events[0] == events > 0


def test_what_was_in_the_scratch_before_does_not_matter():
    circuit, spikes = drawn(11, trials=64)
    tables = from_circuit(circuit, np.float32)
    found = []
    for garbage in (0, 0xFF):
        scratch = kernel.scratch(tables, STEPS)
        scratch.raster[tables.history :] = np.uint64(garbage * 0x0101_0101_0101_0101)
        scratch.raster[tables.history :, : tables.channels] = pack(spikes)[0]
        scratch.state.view("u1")[:] = garbage
        scratch.refractory.view("u1")[:] = garbage
        run_kernel(tables, scratch)
        found.append(scratch.raster)
    assert found[0].any()
    np.testing.assert_array_equal(found[0], found[1])


def test_a_search_a_simulation_and_its_record_have_the_same_machine_code():
    circuit, spikes = drawn(11)
    before = set(kernel.run.signatures)
    simulate_population(from_circuit(circuit, np.float32), pack(spikes), len(spikes))
    simulate(circuit, spikes, dtype="float32")
    simulate(circuit, spikes, dtype="float32", record="all")
    assert len(set(kernel.run.signatures) - before) <= 1
    assert not any("omitted" in str(kind) for signature in kernel.run.signatures for kind in signature)


@pytest.mark.long
def test_float32_and_float64_give_equal_counts_on_nearly_all_circuits():
    same, trials = [], []
    for seed in range(150):
        circuit, spikes = drawn(seed, trials=64)
        equal = simulate(circuit, spikes).counts() == simulate(circuit, spikes, dtype="float32").counts()
        same.append(equal.all())
        trials.append(equal.mean())
    assert np.mean(same) > 0.9, "circuits in which all neurons have equal counts in all of 64 trials"
    assert np.mean(trials) > 0.999, "counts of a neuron in a trial"


@pytest.mark.parametrize("delay", [1, 2, 3, 15, 49, 50])
@pytest.mark.parametrize("source", ["input", "neuron"])
def test_a_spike_with_delay_d_arrives_in_step_s_plus_d_minus_1(delay, source):
    circuit = pair(delay, pre_fires_by="neuron" if source == "input" else "input")
    spikes = np.zeros((1, 120, 1), bool)
    spikes[0, 4] = True
    target = 0 if source == "input" else 1
    stamp = 5
    if source == "neuron":
        fired = final_state(circuit, spikes, 120)[1]
        assert fired[:, 0].sum() == 1
        stamp = int(np.argmax(fired[:, 0])) + 1
    arrival = stamp + delay - 1
    assert final_state(circuit, spikes, arrival)[0][target, 1] == 0, "nothing before step s + d - 1"
    weight = circuit.inputs[0].synapses[0].weight_mv if source == "input" else circuit.synapses[0].weight_mv
    assert final_state(circuit, spikes, arrival + 1)[0][target, 1] == weight, "all of it in step s + d - 1"


@pytest.mark.parametrize("delay", range(1, 51))
def test_a_strong_synapse_makes_its_target_fire_delay_plus_one_steps_later(delay):
    spikes = np.zeros((1, 120, 1), bool)
    spikes[0, 4] = True
    first = np.rint(simulate(pair(delay, weight=1e5), spikes).first_spikes()[0] / 0.1)
    assert first.tolist() == [5 + 1 + 1, 5 + 1 + 1 + delay + 1]


def test_the_weight_is_the_peak_of_the_current_and_the_potential_follows_the_closed_form():
    dt, tau_m, tau_syn, weight, arrival = 0.1, 10.0, 2.0, 5.0, 3
    neuron = {"id": 0, "sign": "E", "tau_m_ms": tau_m, "tau_syn_e_ms": tau_syn}
    synapse = {"post": 0, "weight_mv": weight, "delay_ms": dt}
    circuit = Circuit(dt_ms=dt, neurons=[neuron], inputs=[{"name": "in", "synapses": [synapse]}])
    spikes = np.zeros((1, 200, 1), bool)
    spikes[0, arrival - 1] = True
    v, i_e = np.array([final_state(circuit, spikes, k)[0][0, :2] for k in range(1, 200)]).T
    since = np.arange(1, 200) * dt - (arrival + 1) * dt
    after = since > -dt / 2
    assert i_e.max() == weight
    assert not i_e[~after].any()
    np.testing.assert_allclose(i_e[after], weight * np.exp(-since[after] / tau_syn), rtol=1e-12)
    closed_form = weight * tau_syn / (tau_m - tau_syn) * (np.exp(-since / tau_m) - np.exp(-since / tau_syn))
    np.testing.assert_allclose(v[after], closed_form[after], rtol=1e-11, atol=1e-14)
    peak = log(tau_m / tau_syn) * tau_m * tau_syn / (tau_m - tau_syn)
    assert abs(since[np.argmax(v)] - peak) <= dt / 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_potential_exactly_at_threshold_is_a_spike(dtype):
    neuron = {"id": 0, "sign": "E", "v_rest_mv": -70.0, "v_th_mv": -70.0, "v_reset_mv": -80.0}
    raster = simulate(Circuit(dt_ms=1.0, neurons=[neuron]), np.zeros((1, 50, 0), bool), dtype=dtype)
    assert raster.times(0)[0].tolist() == [1.0]


def test_inhibition_pulls_the_potential_down():
    neurons = [{"id": "i", "sign": "I", "bias_mv": 30.0}, {"id": "e", "sign": "E", "bias_mv": 14.0}]
    synapses = [{"pre": "i", "post": "e", "weight_mv": 5.0, "delay_ms": 1.0}]
    circuit = Circuit(dt_ms=1.0, neurons=neurons, synapses=synapses)
    state, fired = final_state(circuit, np.zeros((1, 100, 0), bool), 100)
    assert fired[:, 0].any()
    assert not fired[:, 1].any()
    assert state[1, 1] == 0 > state[1, 2], "the current is the inhibitory one and negative"
    assert state[1, 0] < 13


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_ref", [0, 1, 2, 20, 70])
def test_the_shortest_interval_is_n_ref_plus_one_steps(n_ref, dtype):
    neuron = {"id": 0, "sign": "E", "bias_mv": 1000.0, "tau_m_ms": 0.1, "t_ref_ms": float(n_ref)}
    raster = simulate(Circuit(dt_ms=1.0, neurons=[neuron]), np.zeros((1, 300, 0), bool), dtype=dtype)
    times = raster.times(0)[0]
    assert times[0] == 1
    assert set(np.diff(times)) == {n_ref + 1}


@pytest.mark.parametrize("bias", [15.01, 16.0, 20.0, 40.0, 200.0])
@pytest.mark.parametrize("dt", [1.0, 0.1, 0.05])
def test_a_constant_bias_gives_the_closed_form_interval_within_one_step(bias, dt):
    tau_m, depth, reset, t_ref = 12.0, 15.0, -3.0, 2.0
    neuron = {"id": 0, "sign": "E", "tau_m_ms": tau_m, "t_ref_ms": t_ref, "bias_mv": bias, "v_reset_mv": -70.0 + reset}
    raster = simulate(Circuit(dt_ms=dt, neurons=[neuron]), np.zeros((1, round(400 / dt), 0), bool))
    times = raster.times(0)[0]
    interval = t_ref + tau_m * log((bias - reset) / (bias - depth))
    assert len(times) > 3
    assert 0 <= times[0] - tau_m * log(bias / (bias - depth)) < dt
    assert ((np.diff(times) - interval > -1e-9) & (np.diff(times) - interval < dt)).all()


def test_a_bias_below_threshold_settles_and_stays_silent():
    neuron = {"id": 0, "sign": "E", "tau_m_ms": 10.0, "bias_mv": 14.9}
    state, fired = final_state(Circuit(dt_ms=1.0, neurons=[neuron]), np.zeros((1, 50, 0), bool), 50)
    assert not fired.any()
    assert state[0, 0] == pytest.approx(14.9 * (1 - exp(-5)), rel=1e-13)


PLAIN = ("lif_psc_exp", None, 0.0)  # neuron model, plastic synapses, noise
NOISY_ADEX = ("aeif_psc_exp", None, 3.0)
THE_REST = [
    *((model, None, 0.0) for model in ("alif_psc_exp", "lif_cond_exp", "izhikevich", "aeif_psc_exp")),
    *(("lif_psc_exp", plastic, 0.0) for plastic in ("short_term", "stdp")),
    ("lif_psc_exp", None, 3.0),
]


def digest_of_spikes(jobs):
    """Of 20 random circuits of each job, in float32."""
    digest = hashlib.sha256()
    for model, plastic, noise_mv in jobs:
        for seed in range(20):
            circuit, spikes = drawn(seed, trials=64, neuron_model=model, plastic=plastic)
            raster = simulate(circuit.model_copy(update={"noise_mv": noise_mv}), spikes, dtype="float32")
            assert seed != 3 or raster.bits.any()
            digest.update(raster.bits.tobytes())
    return digest.hexdigest()


def digest_of_constants():
    """Of the tables of random circuits of all models, in float64."""
    digest = hashlib.sha256()
    for model in MODELS:
        for seed in range(20):
            circuit = reference.random_circuit(np.random.default_rng(seed), neuron_model=model, plastic="both")
            tables = from_circuit(circuit.model_copy(update={"noise_mv": 1.0}))
            for table in (tables.table, tables.weight, *(tables.short_term or ()), *(tables.stdp or ())):
                digest.update(table.tobytes())
    return digest.hexdigest()


def elsewhere(expressions, tmp_path, pytestconfig, **settings):
    """What the expressions give in a process that finds another processor, and whether its kernel has 512-bit registers."""
    script = (
        "from circuits.simulation import kernel; from tests.circuits.simulation.test_kernel import *;"
        "from tests.circuits.simulation.test_environments import digest_of_walks;"
        f"print({', '.join(expressions)}, any('zmm' in code for code in kernel.run.inspect_asm().values()))"
    )
    settings |= {"NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"}
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)} | settings,
        cwd=pytestconfig.rootpath,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.split()


SSE2, AVX2 = ("generic", ""), ("haswell", "+avx,+avx2,+fma,+bmi,+bmi2,+popcnt,+sse4.2")


def same_bits_with_narrower_vectors(jobs, name, features, tmp_path, pytestconfig, walks=False):
    """The spikes of the jobs, and of circuits in a closed loop if wanted. The constants too: numpy takes functions such as exp
    from one library or another, by processor, and those differ in the last bit."""
    from tests.circuits.simulation.test_environments import digest_of_walks

    if name == "haswell" and not _host_has("avx2", "fma"):
        pytest.skip("this processor has no AVX2")
    settings = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
    expressions = [f"digest_of_spikes({jobs})", "digest_of_constants()", *(["digest_of_walks()"] if walks else [])]
    *theirs, wide = elsewhere(expressions, tmp_path, pytestconfig, **settings)
    assert wide == "False", "the kernel there was compiled without 512-bit registers"
    names = globals() | {"digest_of_walks": digest_of_walks}
    assert theirs == [eval(expression, names) for expression in expressions]


@pytest.mark.slow  # in `make test` tests/reach/test_digests.py compares the spikes with those of other processors
@pytest.mark.parametrize("processor", [SSE2, AVX2], ids=["sse2", "avx2"])
def test_all_models_give_the_same_bits_on_a_processor_with_narrower_vectors(tmp_path, processor, pytestconfig):
    same_bits_with_narrower_vectors([PLAIN, NOISY_ADEX, *THE_REST], *processor, tmp_path, pytestconfig, walks=True)


@pytest.mark.long
def test_a_large_sparse_circuit_equals_the_reference_simulator():
    rng = np.random.default_rng(0)
    circuit = reference.random_circuit(rng, neurons=1024, dt_ms=1.0, in_degree=8)
    assert circuit.synapse_count > 10_000
    spikes = reference.random_input(rng, circuit, 1, 60)
    ours = simulate(circuit, spikes).spikes()
    assert ours.any(axis=(0, 1)).mean() > 0.5
    np.testing.assert_array_equal(ours, reference.simulate(circuit, spikes))


def _host_has(*features):
    from llvmlite.binding import get_host_cpu_features

    host = get_host_cpu_features()
    return all(host.get(feature) for feature in features)


@pytest.mark.parametrize("width", FLAGS)
@pytest.mark.parametrize("settings", [{"neurons": 8}, {}, {"dt": 0.1, "steps": 2000}, {"neurons": 64}], ids=str)
def test_the_raster_equals_that_of_a_c_kernel_written_by_hand(settings, width):
    if reason() or width not in widths():
        pytest.skip(reason() or f"this processor has no {width}")
    for seed in range(3):
        job = Job(seed=seed, **settings)
        theirs = Yardstick(job, width).run()
        call, ours = kernel_call(job)
        call()
        assert theirs.any()
        np.testing.assert_array_equal(ours, theirs)
