from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits import Circuit
from circuits.neurons import LIF_PSC_EXP
from circuits.simulation.packed import from_circuit, from_matrices
from circuits.simulation.simulate import simulate
from circuits.synapses import MODELS
from tests import reference

STEPS = 300


def drawn(seed, plastic, trials=4, **settings):
    """A random circuit with plastic synapses and its input."""
    rng = np.random.default_rng(seed)
    circuit = reference.random_circuit(rng, plastic=plastic, **settings)
    return circuit, reference.random_input(rng, circuit, trials, STEPS)


def with_synapses(circuit, change):
    """The circuit with change(synapse) in place of each of its synapses."""
    inputs = [c.model_copy(update={"synapses": tuple(map(change, c.synapses))}) for c in circuit.inputs]
    return circuit.model_copy(update={"inputs": tuple(inputs), "synapses": tuple(map(change, circuit.synapses))})


def all_synapses(circuit):
    return [s for c in circuit.inputs for s in c.synapses] + list(circuit.synapses)


def one_synapse(dt=1.0, **sections):
    """Neurons `pre` and `post`, which their channels make fire at once; a weak synapse of 3 steps between them."""
    strong = {"weight_mv": 1e5, "delay_ms": dt}
    neurons = [{"id": n, "sign": "E", "t_ref_ms": 0.0, "tau_syn_e_ms": 0.02} for n in ("pre", "post")]
    synapse = {"pre": "pre", "post": "post", "weight_mv": 0.01, "delay_ms": 3 * dt}
    return Circuit(
        dt_ms=dt,
        neurons=neurons,
        inputs=[{"name": n["id"], "synapses": [strong | {"post": n["id"]}]} for n in neurons],
        synapses=[synapse | sections],
    )


# All plastic synapses


@pytest.mark.parametrize("plastic", ["short_term", pytest.param("stdp", marks=pytest.mark.slow), "both"])
def test_float64_equals_the_reference_simulator_spike_for_spike_and_in_what_is_learnt(plastic):
    rates, moved = [], []
    for seed in range(15):
        circuit, spikes = drawn(seed, plastic)
        ours, theirs = simulate(circuit, spikes), reference.run(circuit, spikes)
        np.testing.assert_array_equal(ours.spikes(), theirs.spikes, err_msg=f"seed {seed}: {circuit}")
        rates.append(ours.spikes().mean())
        if any(s.stdp for s in all_synapses(circuit)):
            np.testing.assert_allclose(ours.weights_mv, theirs.weights_mv, rtol=1e-9, atol=1e-9)
            moved.append(np.ptp(ours.weights_mv, axis=0).any())
        else:
            assert ours.weights_mv is None
    assert np.mean(np.array(rates) > 0.003) > 0.85, "most circuits fire"
    assert plastic == "short_term" or np.mean(moved) > 0.85, "most circuits learn"


def test_random_circuits_have_both_kinds_of_plastic_synapses_and_static_ones_of_either_sign():
    found = set()
    for seed in range(15):
        circuit = drawn(seed, "both")[0]
        sign = {n.id: n.sign for n in circuit.neurons}
        found |= {(bool(s.short_term), bool(s.stdp), sign[s.pre]) for s in circuit.synapses}
        found |= {(bool(s.short_term), bool(s.stdp), "input") for c in circuit.inputs for s in c.synapses}
    kinds = [(False, False), (True, False), (False, True)]
    assert found == {(*kind, source) for kind in kinds for source in ("E", "I", "input")}


@pytest.mark.parametrize("plastic", ["short_term", "stdp"])
def test_a_plastic_circuit_gives_the_same_bits_in_any_lane_and_among_any_number_of_trials(plastic):
    circuit, spikes = drawn(3, plastic, trials=150)
    whole = simulate(circuit, spikes)
    assert whole.counts().any()
    order = np.random.default_rng(0).permutation(150)[:70]
    part = simulate(circuit, spikes[order])
    np.testing.assert_array_equal(part.spikes(), whole.spikes()[order])
    if plastic == "stdp":
        np.testing.assert_array_equal(part.weights_mv, whole.weights_mv[order])


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("real", [np.float32, pytest.param(np.float64, marks=pytest.mark.slow)])
def test_tables_of_a_plastic_circuit_and_of_its_matrices_are_the_same(kind, real):
    """In matrices the synapses of a neuron share their parameters, and those from channels are static."""
    rng = np.random.default_rng(5)
    model = MODELS[kind]
    circuit = reference.random_circuit(rng, neurons=9, dt_ms=0.1, multapses=False)
    sections = {n.id: model.section(**reference.random_section(rng, kind)) for n in circuit.neurons}
    synapses = tuple(s.model_copy(update={kind: sections[s.pre]}) for s in circuit.synapses)
    circuit = circuit.model_copy(update={"synapses": synapses})
    theirs = np.array([list(sections[n.id].model_dump().values()) for n in circuit.neurons])
    assert tuple(next(iter(sections.values())).model_dump()) == tuple(model.parameters)

    place = {n.id: k for k, n in enumerate(circuit.neurons)}
    channels = len(circuit.inputs)
    weight, delay = np.zeros((1, channels + 9, 9), real), np.ones((1, channels + 9, 9), "u2")
    rows = [(c, s) for c, channel in enumerate(circuit.inputs) for s in channel.synapses]
    for row, s in rows + [(channels + place[s.pre], s) for s in circuit.synapses]:
        weight[0, row, place[s.post]], delay[0, row, place[s.post]] = s.weight_mv, round(s.delay_ms / 0.1)
    readout = np.array([[place[name] for port in circuit.outputs for name in port.neurons]])
    sign = np.where(circuit.excitatory, 1, -1)[None].astype("i1")
    parameters = np.concatenate([circuit.parameters, theirs], axis=1)[None]
    ours = from_matrices(LIF_PSC_EXP, sign, parameters, weight, delay, readout, 0.1, real, model)
    tables = from_circuit(circuit, real)
    for name in ("bounds", "weight", "offset", "fan_out", "table"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(tables, name), err_msg=name)
    for name, expected in getattr(tables, kind)._asdict().items():
        np.testing.assert_array_equal(getattr(getattr(ours, kind), name), expected, err_msg=name)
    assert {name: getattr(ours, name) is None for name in MODELS} == {name: name != kind for name in MODELS}


# Short-term plasticity


def test_a_synapse_that_releases_everything_and_recovers_at_once_is_a_static_one():
    fired = 0
    for seed in range(10):
        static, spikes = drawn(seed, None, dt_ms=1.0)
        # In a step of 1 ms all is back but exp(-100) of it, which is nothing beside 1.
        ours = with_synapses(static, lambda s: s.model_copy(update={"short_term": MODELS["short_term"].section(**INSTANT)}))
        raster = simulate(static, spikes)
        np.testing.assert_array_equal(simulate(ours, spikes).bits, raster.bits)
        fired += raster.counts().sum()
    assert fired > 1000


INSTANT = {"use": 1.0, "tau_rec_ms": 0.01, "tau_fac_ms": 0.0}


def arrivals(short_term, interval, spikes=30, dt=1.0):
    """What each spike of a regular train brings, in units of the weight."""
    circuit = one_synapse(dt, short_term=short_term)
    times = np.arange(1, spikes + 1) * interval
    raster = simulate(circuit, [[times, []]], times[-1] + 10, record=["post"])
    current = raster.traces.i_e_mv[0, :, 0] / 0.01
    rows = np.rint(raster.times(0)[0] / dt).astype(int) + 3 - 1
    assert len(rows) == spikes
    return current[rows]


@pytest.mark.parametrize("use", [0.1, 0.5, 1.0])
def test_depression_goes_from_use_to_the_steady_state_of_the_closed_form(use):
    found = arrivals({"use": use, "tau_rec_ms": 100.0}, interval=20.0, spikes=60)
    recovered = exp(-20 / 100)
    steady = (1 - recovered) / (1 - (1 - use) * recovered)
    assert found[0] == pytest.approx(use, rel=1e-12)
    assert (np.diff(found) < 1e-12).all()
    assert found[-1] == pytest.approx(use * steady, rel=1e-4)


def test_facilitation_grows_to_the_steady_state_of_the_closed_form():
    found = arrivals({"use": 0.1, "tau_rec_ms": 0.01, "tau_fac_ms": 200.0}, interval=20.0, spikes=60)
    assert found[0] == pytest.approx(0.1, rel=1e-12)
    assert (np.diff(found) > -1e-12).all()
    assert found[-1] == pytest.approx(0.1 / (1 - 0.9 * exp(-20 / 200)), rel=1e-4)


def test_a_synapse_that_rested_long_is_as_new():
    found = arrivals({"use": 0.6, "tau_rec_ms": 5.0, "tau_fac_ms": 5.0}, interval=400.0, spikes=3)
    np.testing.assert_allclose(found, 0.6, rtol=1e-12)


def test_a_synapse_never_releases_more_than_there_is():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        section = reference.random_section(rng, "short_term")
        found = arrivals(section, interval=float(rng.integers(1, 20)), spikes=50)
        assert ((found >= 0) & (found <= 1)).all()


# Spike-timing-dependent plasticity


def learnt(stdp, pre, post, steps=150, dt=1.0):
    """The synapse's last weight in units of its first; pre and post: stamps of input spikes, one list per trial."""
    circuit = one_synapse(dt, stdp=stdp)
    spikes = np.zeros((len(pre), steps, 2), bool)
    for trial, (before, after) in enumerate(zip(pre, post, strict=True)):
        spikes[trial, np.array(before, int) - 1, 0] = True
        spikes[trial, np.array(after, int) - 1, 1] = True
    raster = simulate(circuit, spikes)
    assert raster.counts().tolist() == [[len(before), len(after)] for before, after in zip(pre, post, strict=True)]
    return raster.weights_mv[:, 0] / 0.01


@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_a_pair_changes_the_weight_by_the_window_of_the_rule(dt):
    """The presynaptic spike counts when it arrives, 3 steps after it was fired; in the step of the other it is no pair."""
    stdp = {"a_plus": 0.2, "a_minus": 0.3, "tau_plus_ms": 10.0, "tau_minus_ms": 25.0}
    lags = np.arange(-30, 31)
    found = learnt(stdp, [[50]] * len(lags), [[50 + 3 + lag] for lag in lags], dt=dt)
    grown = 1 + 0.2 * np.exp(-lags * dt / 10)
    shrunk = 1 - 0.3 * np.exp(lags * dt / 25)
    expected = np.where(lags > 0, grown, np.where(lags < 0, shrunk, 1.0))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert found[lags == 0] == 1.0


def test_pre_before_post_grows_post_before_pre_shrinks_unless_the_rule_is_anti_hebbian():
    hebbian = {"a_plus": 0.1, "a_minus": 0.1}
    anti = {"a_plus": -0.1, "a_minus": -0.1}
    pre, post = [[10, 30, 50], [20, 40, 60]], [[20, 40, 60], [10, 30, 50]]
    grows, shrinks = learnt(hebbian, [pre[0], [10]], [post[0], [5]])
    assert shrinks < 1 < grows
    shrinks, grows = learnt(anti, [pre[0], [10]], [post[0], [5]])
    assert shrinks < 1 < grows


def test_one_side_alone_teaches_nothing():
    assert learnt({"a_plus": 0.5, "a_minus": 0.5}, [[10, 20, 30], []], [[], [10, 20, 30]]).tolist() == [1.0, 1.0]


def test_every_pair_counts():
    stdp = {"a_plus": 0.1, "a_minus": 0.0, "tau_plus_ms": 10.0, "bound": 100.0}
    pre, post = [10, 14, 30], [20, 36]
    pairs = [p - (q + 3) for q in pre for p in post if p > q + 3]
    assert len(pairs) == 5
    assert learnt(stdp, [pre], [post])[0] == pytest.approx(1 + 0.1 * sum(exp(-lag / 10) for lag in pairs), rel=1e-12)


stamps = st.sets(st.integers(1, 140), max_size=25).map(sorted)
sections = st.fixed_dictionaries(
    {
        "a_plus": st.floats(-1, 1),
        "a_minus": st.floats(-1, 1),
        "tau_plus_ms": st.floats(0.01, 10_000),
        "tau_minus_ms": st.floats(0.01, 10_000),
        "bound": st.floats(1, 100),
    }
)


@given(sections, st.lists(st.tuples(stamps, stamps), min_size=1, max_size=5))
def test_a_weight_stays_between_0_and_its_bound_whatever_the_spikes(section, trials):
    found = learnt(section, *zip(*trials, strict=True))
    assert ((found >= 0) & (found <= section["bound"] * (1 + 1e-15))).all()


def test_both_bounds_are_reached_and_left_again():
    stdp = {"a_plus": 1.0, "a_minus": 1.0, "tau_plus_ms": 5.0, "tau_minus_ms": 5.0, "bound": 1.5}
    pre = [20, 40, 60]
    grows, shrinks = [q + 3 + 1 for q in pre], [q + 3 - 1 for q in pre]
    assert learnt(stdp, [pre, pre], [grows, shrinks]).tolist() == [1.5, 0.0]
    left = learnt(stdp, [[*pre, 100], [*pre, 100]], [[*grows, 102], [*shrinks, 104]])
    assert ((left > 0.5) & (left < 1.0)).all()


@given(st.integers(0, 2**32 - 1), st.floats(-1, 1), st.floats(-1, 1))
def test_dales_law_holds_whatever_is_learnt(seed, a_plus, a_minus):
    """Excitatory currents never fall below 0, inhibitory ones never rise above it, and no weight changes its sign."""
    circuit, spikes = drawn(seed, "stdp", trials=2, neurons=5)
    section = MODELS["stdp"].section(a_plus=a_plus, a_minus=a_minus, bound=5.0)
    raster = simulate(with_synapses(circuit, lambda s: s.model_copy(update={"stdp": section})), spikes, record="all")
    assert (raster.traces.i_e_mv >= 0).all()
    assert (raster.traces.i_i_mv <= 0).all()
    assert (raster.weights_mv >= 0).all()


def test_learnt_weights_are_in_the_documented_order():
    circuit, spikes = drawn(2, "stdp", neurons=8)
    sign = {n.id: n.sign for n in circuit.neurons}
    place = {n.id: k for k, n in enumerate(circuit.neurons)}
    learns = [(place[s.post], False, c, s.weight_mv) for c, i in enumerate(circuit.inputs) for s in i.synapses if s.stdp]
    learns += [
        (place[s.post], sign[s.pre] == "I", len(circuit.inputs) + place[s.pre], s.weight_mv) for s in circuit.synapses if s.stdp
    ]
    silent = simulate(circuit, np.zeros_like(spikes)[:, :1])  # one step teaches nothing
    found = silent.weights_mv
    assert found.shape == (4, len(learns))
    ends = [key[:3] for key in sorted(learns)]
    assert sorted(zip(ends, found[0], strict=True)) == [(key[:3], key[3]) for key in sorted(learns)]
