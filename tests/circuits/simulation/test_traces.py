from math import exp

import numpy as np
import pytest

from circuits import Circuit
from circuits.errors import UserError
from circuits.neurons import MODELS
from circuits.neurons.model import current_to_potential
from circuits.simulation.simulate import simulate
from tests import reference
from tests.products import some_of

CIRCUIT = Circuit(
    dt_ms=0.5,
    neurons=[{"id": "a", "sign": "E"}, {"id": 7, "sign": "I"}, {"id": "c", "sign": "E", "v_rest_mv": -60.0}],
    inputs=[{"name": "in", "synapses": [{"post": "a", "weight_mv": 300.0, "delay_ms": 1.0}]}],
    synapses=[
        {"pre": "a", "post": 7, "weight_mv": 300.0, "delay_ms": 2.0},
        {"pre": 7, "post": "c", "weight_mv": 4.0, "delay_ms": 1.0},
    ],
)


def drawn(seed, trials=3, steps=300, **settings):
    rng = np.random.default_rng(seed)
    circuit = reference.random_circuit(rng, **settings)
    return circuit, reference.random_input(rng, circuit, trials, steps)


def test_the_potential_after_one_input_spike_is_the_closed_form():
    dt, tau_m, tau_syn, weight = 0.1, 12.0, 3.0, 5.0
    synapse = {"post": 0, "weight_mv": weight, "delay_ms": 1.5}
    neuron = {"id": 0, "sign": "E", "tau_m_ms": tau_m, "tau_syn_e_ms": tau_syn}
    circuit = Circuit(dt_ms=dt, neurons=[neuron], inputs=[{"name": "in", "synapses": [synapse]}])
    traces = simulate(circuit, [[[2.0]]], 50, record="all").traces
    since = np.maximum(traces.times_ms - 3.5, 0)
    there = traces.times_ms > 3.5 - dt / 2
    np.testing.assert_allclose(traces.i_e_mv[0, :, 0], there * weight * np.exp(-since / tau_syn), rtol=1e-12)
    v = weight * tau_syn / (tau_m - tau_syn) * (np.exp(-since / tau_m) - np.exp(-since / tau_syn))
    np.testing.assert_allclose(traces.v_mv[0, :, 0], -70 + v, rtol=1e-12)
    assert not traces.i_i_mv.any()


def test_every_step_follows_from_the_one_before():
    """V and the currents of a random circuit, by the propagators, but where it spikes or is held."""
    for seed in range(3):
        circuit, spikes = drawn(seed, neurons=8)
        raster = simulate(circuit, spikes, record="all", record_trials=(2,))
        fired = raster.spikes()[2]
        for n, p in enumerate(circuit.neurons):
            dt, t = circuit.dt_ms, raster.traces
            v, i_e, i_i = (x[0, :, n] for x in (t.v_mv, t.i_e_mv, t.i_i_mv))
            decay = exp(-dt / p.tau_m_ms)
            e, i = (current_to_potential(dt, p.tau_m_ms, tau) for tau in (p.tau_syn_e_ms, p.tau_syn_i_ms))
            forth = p.v_rest_mv + decay * (v[:-1] - p.v_rest_mv) + (1 - decay) * p.bias_mv + e * i_e[:-1] + i * i_i[:-1]
            n_ref = round(p.t_ref_ms / dt)
            held = np.convolve(fired[:, n], np.ones(n_ref + 1), "full")[: len(v)] > 0
            assert (v[held] == p.v_reset_mv).all()
            np.testing.assert_allclose(v[1:][~held[1:]], forth[~held[1:]], rtol=1e-11)
            assert (forth[fired[1:, n]] >= p.v_th_mv).all()
            assert (v[~held] < p.v_th_mv).all()
            assert (i_e[1:] >= i_e[:-1] * exp(-dt / p.tau_syn_e_ms) - 1e-12).all()
            assert (i_i[1:] <= i_i[:-1] * exp(-dt / p.tau_syn_i_ms) + 1e-12).all()


def test_a_current_is_the_sum_of_what_arrived_with_its_decay():
    raster = simulate(CIRCUIT, [[[1.0, 8.0]]], 30, record=[7, "c"])
    onto_7, onto_c = raster.times(0)[0], raster.times(0)[1]
    t = raster.traces
    assert len(onto_7) > 0 < len(onto_c)
    for column, trace, arrivals, weight, tau in ((0, t.i_e_mv, onto_7 + 2, 300.0, 2.0), (1, t.i_i_mv, onto_c + 1, -4.0, 5.0)):
        since = t.times_ms[:, None] - arrivals
        expected = weight * np.where(since > -0.1, np.exp(-since / tau), 0).sum(axis=1)
        np.testing.assert_allclose(trace[0, :, column], expected, rtol=1e-12, atol=1e-15)


def test_a_potential_is_at_reset_in_the_row_of_its_spike_and_after_the_refractory_period_no_more():
    neuron = {"id": 0, "sign": "E", "bias_mv": 40.0, "v_reset_mv": -64.0, "t_ref_ms": 1.5}
    raster = simulate(Circuit(dt_ms=0.5, neurons=[neuron]), np.zeros((1, 200, 0), bool), record="all")
    v = raster.traces.v_mv[0, :, 0]
    rows = np.rint(raster.times(0)[0] / 0.5).astype(int) - 1
    assert len(rows) > 5
    for row in rows[:-1]:
        assert (v[row : row + 4] == -64.0).all()
        assert v[row + 4] > -64.0


@pytest.mark.parametrize("model", some_of(MODELS, few=["lif_psc_exp", "alif_psc_exp", "aeif_psc_exp"]))
def test_recording_changes_no_spike_and_records_what_the_model_has(model):
    circuit, spikes = drawn(1, neurons=6, neuron_model=model)
    raster = simulate(circuit, spikes, record="all")
    np.testing.assert_array_equal(raster.bits, simulate(circuit, spikes).bits)
    traces = raster.traces
    assert tuple(traces.further) == MODELS[model].states[3:]
    for x in (traces.v_mv, traces.i_e_mv, traces.i_i_mv, *traces.further.values()):
        assert x.shape == (1, 300, 6)
        assert x.dtype == np.float64
    resets = np.array([n.v_reset_mv for n in circuit.neurons])
    fired = raster.spikes()[0]
    assert fired.any()
    np.testing.assert_allclose(traces.v_mv[0][fired], np.broadcast_to(resets, fired.shape)[fired], rtol=1e-13)


@pytest.mark.parametrize(("model", "state"), [("alif_psc_exp", "w"), ("alif_psc_exp", "theta"), ("aeif_psc_exp", "w")])
def test_adaptation_jumps_at_each_spike_and_decays_in_between(model, state):
    jump = {"w": "w_jump_mv", "theta": "theta_jump_mv"}[state]
    neuron = {"id": 0, "sign": "E", "bias_mv": 60.0, jump: 4.0, f"tau_{state}_ms": 30.0}
    neuron |= {"a": 0.0} if model == "aeif_psc_exp" else {}
    raster = simulate(Circuit(dt_ms=0.1, neuron_model=model, neurons=[neuron]), np.zeros((1, 2000, 0), bool), record="all")
    fired = raster.spikes()[0, :, 0]
    x = raster.traces.further[state][0, :, 0]
    assert fired.sum() > 5
    np.testing.assert_allclose(x[1:], x[:-1] * exp(-0.1 / 30) + 4.0 * fired[1:], rtol=1e-6, atol=1e-12)


def test_traces_name_their_neurons_trials_and_times():
    spikes = [[[1.0]], [[]], [[2.0, 9.0]]]
    traces = simulate(CIRCUIT, spikes, 20, record=["c", "a"], record_trials=(2, 0)).traces
    everything = simulate(CIRCUIT, spikes, 20, record="all", record_trials=range(3)).traces
    assert traces.names == ("c", "a")
    assert traces.trials == (2, 0)
    assert everything.names == ("a", 7, "c")
    assert everything.trials == (0, 1, 2)
    np.testing.assert_array_equal(traces.times_ms, np.arange(1, 41) * 0.5)
    for ours, whole in zip(
        (traces.v_mv, traces.i_e_mv, traces.i_i_mv), (everything.v_mv, everything.i_e_mv, everything.i_i_mv), strict=True
    ):
        assert ours.shape == (2, 40, 2)
        np.testing.assert_array_equal(ours, whole[[2, 0]][:, :, [2, 0]])
    assert (everything.v_mv[1] == [-70, -70, -60]).all(), "nothing happens in trial 1"


def test_trials_of_further_blocks_and_of_sequences_are_recorded_as_they_are():
    circuit, spikes = drawn(3, trials=140, steps=100)
    wanted = (0, 63, 64, 139)
    together = simulate(circuit, spikes, record="all", record_trials=wanted, threads=2).traces
    in_sequence = simulate(circuit, spikes, record="all", record_trials=wanted, sequence=2).traces
    for k, trial in enumerate(wanted):
        alone = simulate(circuit, spikes[[trial]], record="all").traces
        np.testing.assert_array_equal(together.v_mv[k], alone.v_mv[0])
        np.testing.assert_array_equal(in_sequence.v_mv[k], alone.v_mv[0])


def test_nothing_is_recorded_unless_asked_for():
    assert simulate(CIRCUIT, [[[1.0]]], 20).traces is None


@pytest.mark.parametrize(
    ("record", "trials", "line"),
    [
        (["a", "b"], (0,), "record: there is no neuron 'b'; there are 'a', 7, 'c'"),
        (["7"], (0,), "record: there is no neuron '7'; there are 'a', 7, 'c'"),
        ("all", (0, 2), "record_trials: there is no trial 2; there are 0 to 1"),
        ("all", (-1,), "record_trials: there is no trial -1; there are 0 to 1"),
        (["a"], (0.5,), "record_trials: there is no trial 0.5; there are 0 to 1"),
        (["a"], ("0",), "record_trials: there is no trial '0'; there are 0 to 1"),
    ],
)
def test_what_cannot_be_recorded_is_refused(record, trials, line):
    with pytest.raises(UserError) as caught:
        simulate(CIRCUIT, [[[1.0]], [[]]], 20, record=record, record_trials=trials)
    assert str(caught.value) == line
