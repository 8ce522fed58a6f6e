from math import atan, exp, sqrt

import numpy as np
import pytest

from circuits import Circuit
from circuits.neurons import MODELS
from circuits.simulation.simulate import simulate
from tests import reference

OTHERS = [name for name in MODELS if name != "lif_psc_exp"]  # test_kernel.py looks at lif_psc_exp


def alone(model, dt_ms, duration_ms, *neurons, **settings):
    """What neurons do that nothing but their bias drives: the raster of one trial."""
    cells = [{"id": n, "sign": "E"} | neuron for n, neuron in enumerate(neurons)]
    circuit = Circuit(dt_ms=dt_ms, neuron_model=model, neurons=cells)
    return simulate(circuit, np.zeros((1, round(duration_ms / dt_ms), 0), bool), **settings)


def driven(model, dt_ms, duration_ms, neuron, weights_mv, **settings):
    """Copies of a neuron that get one spike each: over an excitatory synapse, or an inhibitory one if the weight is below 0.

    The excitatory current jumps at 2 ms whatever dt is.
    """
    cells = [{"id": n, "sign": "E"} | neuron for n in range(len(weights_mv))]
    gate = {"id": "I", "sign": "I", "t_ref_ms": duration_ms}
    direct = [{"post": n, "weight_mv": w, "delay_ms": 1.0} for n, w in enumerate(weights_mv) if w >= 0]
    relayed = [{"pre": "I", "post": n, "weight_mv": -w, "delay_ms": 1.0} for n, w in enumerate(weights_mv) if w < 0]
    circuit = Circuit(
        dt_ms=dt_ms,
        neuron_model=model,
        neurons=[*cells, gate],
        inputs=[{"name": "in", "synapses": [*direct, {"post": "I", "weight_mv": 1e5, "delay_ms": 1.0}]}],
        synapses=relayed,
    )
    return simulate(circuit, [[[1.0]]], duration_ms, **settings)


def intervals(raster, neuron=0):
    return np.diff(raster.times(0)[neuron])


# All models


@pytest.mark.parametrize("seeds", [range(10), pytest.param(range(10, 30), marks=pytest.mark.slow)])
@pytest.mark.parametrize("model", OTHERS)
def test_float64_equals_the_reference_simulator_spike_for_spike(model, seeds):
    rates = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        circuit = reference.random_circuit(rng, neuron_model=model)
        spikes = reference.random_input(rng, circuit, 2, 400)
        ours = simulate(circuit, spikes).spikes()
        np.testing.assert_array_equal(ours, reference.simulate(circuit, spikes), err_msg=f"seed {seed}: {circuit}")
        rates.append(ours.mean())
    assert np.mean(np.array(rates) > 0.003) > 0.85, "most circuits fire"
    assert np.mean(np.array(rates) < 0.3) > 0.9, "few circuits are saturated"


@pytest.mark.parametrize("model", MODELS)
def test_a_neuron_left_alone_with_its_defaults_stays_silent_and_one_that_is_driven_fires_more_the_more(model):
    drives = np.linspace(0, 200, 21)
    counts = alone(model, 0.1, 200, *({"bias_mv": drive} for drive in drives)).counts()[0]
    assert counts[0] == 0
    assert counts[-1] > 10
    assert (np.diff(counts) >= 0).all()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("n_ref", [0, 1, 20])
def test_the_shortest_interval_of_every_model_is_n_ref_plus_one_steps(model, n_ref):
    frantic = {"bias_mv": 1000.0, "t_ref_ms": n_ref * 0.25}
    frantic |= {
        "izhikevich": {"a_per_ms": 0.0, "d_mv_per_ms": 0.0},
        "alif_psc_exp": {"theta_jump_mv": 0.0},
        "aeif_psc_exp": {"w_jump_mv": 0.0, "a": 0.0, "tau_m_ms": 0.5},
    }.get(model, {})
    if model.startswith(("lif", "alif")):
        frantic["tau_m_ms"] = 0.5
    assert set(np.rint(intervals(alone(model, 0.25, 50, frantic)) / 0.25)) == {n_ref + 1}


# Adaptation: alif_psc_exp


def test_without_jumps_an_adaptive_neuron_is_a_plain_one():
    fired = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        plain = reference.random_circuit(rng)
        spikes = reference.random_input(rng, plain, 10, 400)
        cells = [n.model_dump() | {"w_jump_mv": 0.0, "theta_jump_mv": 0.0, "tau_w_ms": 30.0} for n in plain.neurons]
        adaptive = Circuit.model_validate(plain.model_dump() | {"neuron_model": "alif_psc_exp", "neurons": cells})
        raster = simulate(plain, spikes)
        np.testing.assert_array_equal(simulate(adaptive, spikes).bits, raster.bits)
        fired += raster.counts().sum()
    assert fired > 1000


@pytest.mark.parametrize("jump", ["w_jump_mv", "theta_jump_mv"])
def test_an_adaptive_neuron_fires_at_growing_intervals_that_settle(jump):
    found = intervals(alone("alif_psc_exp", 0.1, 1500, {"bias_mv": 40.0, "theta_jump_mv": 0.0} | {jump: 3.0}))
    assert len(found) > 30
    assert (np.diff(found) > -0.15).all(), "but for the grid they grow"
    assert found[-1] > 2 * found[0]
    assert np.ptp(found[-5:]) < 0.15


@pytest.mark.parametrize("tau_theta", [20.0, 100.0])
def test_a_rising_threshold_settles_where_the_closed_form_has_it(tau_theta):
    dt, tau_m, bias, jump, t_ref = 0.05, 10.0, 40.0, 4.0, 2.0
    neuron = {"tau_m_ms": tau_m, "bias_mv": bias, "theta_jump_mv": jump, "tau_theta_ms": tau_theta, "t_ref_ms": t_ref}
    interval = intervals(alone("alif_psc_exp", dt, 3000, neuron))[-10:].mean()

    def above(t):  # V - v_th - theta, t after a spike, for spikes t apart
        theta = jump * exp(-t / tau_theta) / (1 - exp(-t / tau_theta))
        return bias * (1 - exp(-(t - t_ref) / tau_m)) - 15 - theta

    assert above(interval + 1e-6) >= 0 > above(interval - 2 * dt)


# Conductances: lif_cond_exp


def test_without_synapses_a_conductance_neuron_is_a_plain_one():
    cells = [{"bias_mv": bias, "tau_m_ms": 7.0, "v_reset_mv": -64.0} for bias in np.linspace(10, 60, 30).tolist()]
    plain, ours = (alone(model, 0.1, 300, *cells) for model in ("lif_psc_exp", "lif_cond_exp"))
    assert plain.counts().any()
    np.testing.assert_array_equal(ours.bits, plain.bits)


def test_a_weight_is_the_current_at_threshold():
    neuron = {"tau_syn_e_ms": 10_000.0, "tau_m_ms": 1.0, "e_exc_mv": -20.0}
    counts = driven("lif_cond_exp", 0.1, 40, neuron, [14.8, 15.2]).counts()[0]
    assert counts[0] == 0 < counts[1], "it has to make up for 15 mV of leak"


def test_inhibition_that_reverses_at_rest_does_nothing_there_and_divides_what_is_above():
    shunted = {"tau_syn_i_ms": 10_000.0, "e_inh_mv": -70.0, "v_rest_mv": -70.0, "v_th_mv": -55.0, "tau_m_ms": 2.0}
    at_rest = driven("lif_cond_exp", 0.1, 60, shunted, [-30.0], record=[0]).traces.v_mv[0, :, 0]
    assert (at_rest == -70.0).all()
    for weight in (-15.0, -45.0):
        above = driven("lif_cond_exp", 0.1, 60, shunted | {"bias_mv": 12.0}, [weight], record=[0]).traces
        conductance = above.i_i_mv[0, -1, 0] / (-70.0 + 55.0)
        assert above.v_mv[0, -1, 0] == pytest.approx(-70 + 12 / (1 + conductance), abs=0.01)
        assert above.v_mv[0, :, 0].max() < -55


# Izhikevich's neuron


def published(name, **more):
    a, b, c, d = reference.PUBLISHED[name]
    return {"a_per_ms": a, "b_per_ms": b, "v_reset_mv": c, "d_mv_per_ms": d} | more


@pytest.fixture(scope="module")
def firing():
    """Intervals of the kinds of the 2003 paper under its drive of 10, in one second."""
    raster = alone("izhikevich", 0.1, 1000, *(published(name, bias_mv=10.0) for name in reference.PUBLISHED))
    return {name: intervals(raster, n) for n, name in enumerate(reference.PUBLISHED)}


def test_regular_spiking_begins_with_a_short_interval_and_goes_on_slowly(firing):
    found = firing["regular spiking"]
    assert 15 < len(found) < 30
    assert found[0] < 0.5 * found[1]
    assert np.ptp(found[1:]) < 0.05 * found[-1]


def test_fast_spiking_fires_many_times_as_often_and_hardly_adapts(firing):
    found = firing["fast spiking"]
    assert len(found) > 4 * len(firing["regular spiking"])
    assert found[-1] < 2.5 * found[0]


def test_intrinsic_bursting_is_one_burst_and_then_single_spikes(firing):
    found = firing["intrinsically bursting"]
    assert (found[:2] < 6).all()
    assert (found[2:] > 25).all()


def test_chattering_is_bursts_without_end(firing):
    found = firing["chattering"]
    assert set(np.searchsorted([8, 40], found)) == {0, 2}, "short or long and nothing between"
    assert 5 < (found > 40).sum() < 30
    assert (found < 8).sum() > 4 * (found > 40).sum()


def test_low_threshold_spiking_slows_down_smoothly(firing):
    found = firing["low-threshold spiking"]
    assert (np.diff(found[:6]) > 0).all()
    assert 3 * found[0] < found[-1] < 6 * found[0]


def test_the_default_rest_is_at_rest():
    traces = alone("izhikevich", 0.25, 500, {}, record="all").traces
    assert np.abs(traces.v_mv + 70).max() < 1e-9
    assert np.abs(traces.further["u"]).max() < 1e-9


def test_without_recovery_the_interval_is_that_of_the_quadratic_neuron_to_first_order():
    constant = 140 + 0.2 * 70 + 10  # u stays at b v_rest
    root = sqrt(0.16 * constant - 25)
    exact = 2 / root * (atan((0.08 * 30 + 5) / root) - atan((0.08 * -65 + 5) / root))
    errors = []
    for dt in (0.1, 0.05, 0.025, 0.0125):
        neuron = {"a_per_ms": 0.0, "d_mv_per_ms": 0.0, "bias_mv": 10.0}
        errors.append(intervals(alone("izhikevich", dt, 100, neuron)).mean() - exact)
        assert 0 < errors[-1] < 3 * dt
    assert errors[-1] < 0.2 * errors[0]


# The adaptive exponential neuron: aeif_psc_exp


BRETTE_2005 = {  # the paper's neuron, and its variants in the examples of Brian2
    "regular": {"v_reset_mv": -70.6},
    "fast": {"v_reset_mv": -70.6, "a": 0.13, "w_jump_mv": 0.0},
    "bursting": {"v_reset_mv": -45.4, "w_jump_mv": 16.67, "tau_w_ms": 20.0},
}


@pytest.fixture(scope="module")
def adex():
    """Intervals under a drive of 1 nA times the membrane resistance, in half a second."""
    drive = {"bias_mv": 33.3, "t_ref_ms": 0.0}
    raster = alone("aeif_psc_exp", 0.05, 500, *(neuron | drive for neuron in BRETTE_2005.values()))
    return {name: intervals(raster, n) for n, name in enumerate(BRETTE_2005)}


def test_an_adex_neuron_adapts(adex):
    found = adex["regular"]
    assert (np.diff(found) > -0.2).all()
    assert found[-1] > 2 * found[0]


def test_without_jumps_an_adex_neuron_fires_fast_and_steadily(adex):
    assert len(adex["fast"]) > 2 * len(adex["regular"])
    assert adex["fast"][-1] < 1.2 * adex["fast"][0]


def test_an_adex_neuron_reset_above_its_upswing_bursts(adex):
    found = adex["bursting"][2:]
    assert len(found) > 10
    assert (found[::2] > 30).all() or (found[1::2] > 30).all()
    assert (found < 2).sum() >= len(found) // 2


def test_the_least_drive_that_makes_an_adex_neuron_fire_is_that_of_the_closed_form():
    least = -50.4 + 70.6 - 2.0  # v_th - v_rest - delta_t
    cells = ({"bias_mv": least + more, "a": 0.0, "w_jump_mv": 0.0} for more in (-5.0, -0.002, 0.002, 5.0))
    counts = alone("aeif_psc_exp", 0.25, 3000, *cells).counts()[0]
    assert counts[:2].tolist() == [0, 0]
    assert 0 < counts[2] < 5 < counts[3]


@pytest.mark.slow  # a kernel of its own, compiled for seconds
def test_drives_however_strong_and_upswings_however_steep_leave_finite_states():
    """In float32 already 89 times delta_t above v_th is too much for the exponential function."""
    cells = [{"delta_t_mv": d, "bias_mv": b, "v_peak_mv": 1000.0} for d in (0.1, 100.0) for b in (-1000.0, 100.0, 1000.0)]
    raster = alone("aeif_psc_exp", 0.25, 50, *cells, record="all", dtype="float32")
    assert raster.counts()[0, [1, 2, 4, 5]].all()
    assert np.isfinite(raster.traces.v_mv).all()
    assert np.isfinite(raster.traces.further["w"]).all()


# The order of what is integrated approximately, without spikes


@pytest.mark.parametrize(
    ("model", "neuron", "weight"),
    [
        ("lif_cond_exp", {"v_th_mv": 0.0, "e_exc_mv": 20.0, "tau_m_ms": 5.0}, 40.0),
        ("aeif_psc_exp", {"a": 2.0, "tau_w_ms": 5.0, "tau_m_ms": 5.0}, 40.0),
    ],
)
def test_half_the_step_leaves_a_quarter_of_the_error(model, neuron, weight):
    neuron = neuron | {"tau_syn_e_ms": 3.0}
    finest, *others = (
        driven(model, dt, 10, neuron, [weight], record=[0]).traces.v_mv[0, -1, 0] for dt in (0.001, 0.125, 0.25, 0.5)
    )
    errors = np.abs(np.array(others) - finest)
    assert errors[0] > 1e-9
    assert ((errors[1:] / errors[:-1] > 3.3) & (errors[1:] / errors[:-1] < 4.9)).all()
