"""The models without a solution in closed form: between spikes V goes to NEST's with the square of the step.

NEST integrates both adaptively, to errors far below ours. Its iaf_cond_exp fires on the grid as ours does, so that most
spikes are equal; its aeif_psc_exp resets V and w inside a step, where ours waits for the step's end.
"""

import numpy as np
import pytest

from circuits import Circuit
from circuits.simulation.simulate import simulate
from tests.oracle import drawing
from tests.oracle.oracles import ask, potentials, rasters, report
from tests.oracle.test_convergence import coupled

pytestmark = pytest.mark.oracle
STEPS_MS = (1.0, 0.5, 0.2, 0.1, 0.05)
DRIVEN, DURATION_MS = 60, 200


def driven(model, dt_ms):
    """Neurons that input and, those of lif_cond_exp, an inhibitory neuron drive and that stay below threshold; all times are
    whole ms."""
    rng = np.random.default_rng(1)

    def synapse(post, low, high):
        return {"post": post, "weight_mv": rng.uniform(low, high), "delay_ms": float(rng.integers(1, 4))}

    def neuron(name):
        rest = rng.uniform(-75, -60)
        taus = {"tau_m_ms": rng.uniform(5, 20), "tau_syn_e_ms": rng.uniform(1, 12), "tau_syn_i_ms": rng.uniform(1, 12)}
        found = {
            "id": name,
            "sign": "E",
            "v_rest_mv": rest,
            "v_th_mv": rest + 20,
            "v_reset_mv": rest,
            "bias_mv": rng.uniform(-5, 5),
        }
        if model == "lif_cond_exp":
            return found | taus | {"e_exc_mv": 0.0, "e_inh_mv": rest - rng.choice([0, 10])}
        adaptation = {"a": rng.uniform(-0.3, 1), "tau_w_ms": rng.uniform(10, 200), "delta_t_mv": rng.uniform(1, 4)}
        return found | taus | adaptation

    neurons = [neuron(n) for n in range(DRIVEN)]
    inputs = [{"name": c, "synapses": [synapse(n, 3, 15) for n in range(DRIVEN)]} for c in "ab"]
    synapses = []
    if model == "lif_cond_exp":
        neurons.append({"id": "I", "sign": "I", "t_ref_ms": 3})
        inputs.append({"name": "to I", "synapses": [{"post": "I", "weight_mv": 1000, "delay_ms": 1}]})
        synapses = [synapse(n, 3, 30) | {"pre": "I"} for n in range(DRIVEN)]
    stamps_ms = [rng.choice(np.arange(5, DURATION_MS - 20), 12, replace=False) for _ in inputs]
    spikes = np.zeros((1, round(DURATION_MS / dt_ms), len(inputs)), bool)
    for channel, stamps in enumerate(stamps_ms):
        spikes[0, np.rint(stamps / dt_ms).astype(int) - 1, channel] = True
    return Circuit(dt_ms=dt_ms, neuron_model=model, neurons=neurons, inputs=inputs, synapses=synapses), spikes


@pytest.mark.parametrize("model", ["lif_cond_exp", "aeif_psc_exp"])
def test_potentials_between_spikes_converge_to_those_of_nest_with_second_order(model):
    off, silent = [], []
    for dt_ms in STEPS_MS:
        asked = [driven(model, dt_ms)]
        ours = simulate(*asked[0], record="all")
        theirs = ask("nest", asked, "--record")
        fired = ours.spikes()[0], rasters(theirs, asked)[0][0]
        np.testing.assert_array_equal(*[raster[:, DRIVEN:] for raster in fired], "the inhibitory neuron fires alike")
        silent.append(~(fired[0] | fired[1]).any(0)[:DRIVEN])
        v_mv = potentials(theirs, asked)[0][0]
        delivered = ~np.isnan(v_mv).any(1)
        assert delivered.mean() > 0.95
        off.append(np.abs(ours.traces.v_mv[0] - v_mv)[delivered, :DRIVEN])
    compared = np.all(silent, axis=0)
    assert compared.sum() > 30
    errors = [error[:, compared].max() for error in off]
    for dt_ms, error, most in zip(STEPS_MS, off, errors, strict=True):
        report(f"{model}, dt {dt_ms:g} ms: V is off by {most:.2g} mV at most, {error[:, compared].mean():.2g} mV on average")
    order = np.polyfit(np.log(STEPS_MS), np.log(errors), 1)[0]
    report(f"{model}: order of convergence of V: {order:.3f}, {compared.sum()} neurons")
    assert 1.8 < order < 2.3
    assert errors[STEPS_MS.index(0.1)] < 5e-3


def test_most_spikes_of_lif_cond_exp_are_those_of_nest():
    """Random circuits at dt 0.1 ms. V is compared up to the first spike that differs; synapses are strong and fast here."""
    asked = drawing.asked(150, drawing.lif_cond_exp, dt_ms=0.1)
    theirs = ask("nest", asked, "--record")
    ours = [simulate(circuit, spikes, record="all", record_trials=range(len(spikes))) for circuit, spikes in asked]
    both, either, alike, off = 0, 0, [], []
    for raster, b, v_mv in zip(ours, rasters(theirs, asked), potentials(theirs, asked), strict=True):
        a = raster.spikes()
        both, either = both + (a & b).sum(), either + (a | b).sum()
        for trial, differs in enumerate((a != b).any(2)):
            alike.append(not differs.any())
            same = ~np.maximum.accumulate(differs)
            error = np.abs(raster.traces.v_mv - v_mv)[trial, same]
            off.append(error[~np.isnan(error)])
    off = np.concatenate(off)
    report(
        f"lif_cond_exp, dt 0.1 ms: {both / either:.4f} of {either} spikes and {np.mean(alike):.3f} of {len(alike)} rasters are "
        f"NEST's; V is off by {off.max():.2g} mV at most, {np.sqrt(np.mean(off**2)):.2g} mV rms"
    )
    assert both / either > 0.95
    assert np.mean(alike) > 0.7
    assert off.max() < 0.2
    assert np.sqrt(np.mean(off**2)) < 3e-3


# Of Naud, Marcille, Clopath and Gerstner (Biol. Cybern. 99, 2008), in our units: FIELDS.
FIRING = {
    "tonic": (20.0, -70.0, -58.0, 0.2, 30.0, 0.0, 50.0),
    "adapting": (16.67, -70.0, -58.0, 0.1667, 300.0, 5.0, 41.67),
    "initial burst": (7.222, -58.0, -50.0, 0.2222, 150.0, 6.667, 22.22),
    "regular bursting": (20.0, -58.0, -46.0, 0.2, 120.0, 10.0, 21.0),
    "delayed": (16.67, -70.0, -58.0, -0.8333, 300.0, 0.0, 25.0),
}
FIELDS = ("tau_m_ms", "v_rest_mv", "v_reset_mv", "a", "tau_w_ms", "w_jump_mv", "bias_mv")


def patterns(dt_ms, t_ref_ms):
    shared = {"sign": "E", "t_ref_ms": t_ref_ms, "v_th_mv": -50.0, "delta_t_mv": 2.0, "v_peak_mv": 0.0}
    neurons = [shared | {"id": name} | dict(zip(FIELDS, row, strict=True)) for name, row in FIRING.items()]
    circuit = Circuit(dt_ms=dt_ms, neuron_model="aeif_psc_exp", neurons=neurons)
    return circuit, np.zeros((1, round(400 / dt_ms), 0), bool)


@pytest.mark.parametrize("t_ref_ms", [0.0, 2.0])
def test_each_spike_of_an_aeif_psc_exp_neuron_makes_the_next_at_most_one_step_later(t_ref_ms):
    """Half a step is the wait for the grid, which NEST has too where there is a refractory period."""
    exact = rasters(ask("nest", [patterns(0.01, t_ref_ms)]), [patterns(0.01, t_ref_ms)])[0][0]
    for dt_ms in (0.25, 0.1, 0.05):
        found = []
        for column, (name, times) in enumerate(zip(FIRING, simulate(*patterns(dt_ms, t_ref_ms)).times(0), strict=True)):
            theirs = (np.flatnonzero(exact[:, column]) + 1) * 0.01
            common = min(len(times), len(theirs))
            assert common > 5
            assert abs(len(times) - len(theirs)) <= 2
            late = (times[:common] - theirs[:common]) / dt_ms
            assert -0.1 < late[0] < 1
            assert 0 < late[-1] / common < 1
            found.append(f"{name} {late[-1] / common:.2f}")
        report(f"aeif_psc_exp, t_ref {t_ref_ms:g} ms, dt {dt_ms:g} ms, steps later per spike: {', '.join(found)}")


def adaptive(seed, dt_ms):
    """`coupled` neurons as adaptive exponential ones."""
    circuit, spikes = coupled(seed, dt_ms)
    rng = np.random.default_rng(seed)
    motif = circuit.model_dump() | {"neuron_model": "aeif_psc_exp"}
    for neuron in motif["neurons"]:
        adaptation = {"a": rng.uniform(0, 0.5), "w_jump_mv": rng.uniform(0, 5), "tau_w_ms": rng.uniform(20, 150)}
        neuron |= adaptation | {"delta_t_mv": rng.uniform(1, 3), "v_peak_mv": 0.0, "v_reset_mv": -65.0}
        neuron["bias_mv"] *= rng.uniform(1, 1.5)
    return Circuit.model_validate(motif), spikes


def test_spike_times_of_coupled_aeif_psc_exp_neurons_converge_to_those_of_nest_with_first_order():
    steps_ms, spikes = (0.5, 0.25, 0.125, 0.0625), 8
    asked = [adaptive(seed, 0.01) for seed in range(30)]
    exact = [[(np.flatnonzero(column) + 1) * 0.01 for column in raster[0].T] for raster in rasters(ask("nest", asked), asked)]
    lively = [seed for seed, times in enumerate(exact) if min(map(len, times)) >= spikes + 2]
    assert len(lively) > 20
    theirs = np.array([[times[:spikes] for times in exact[seed]] for seed in lively])
    errors = []
    for dt_ms in steps_ms:
        found = [simulate(*adaptive(seed, dt_ms)).times(0) for seed in lively]
        error = np.array([[times[:spikes] for times in circuit] for circuit in found]) - theirs
        errors.append(np.abs(error).mean())
        each = (error / np.arange(1, spikes + 1)).mean() / dt_ms
        report(f"aeif_psc_exp, dt {dt_ms:g} ms: spikes are off by {errors[-1]:.3g} ms on average, {each:.2f} dt later each")
        assert abs(each) < 1
    order = np.polyfit(np.log(steps_ms), np.log(errors), 1)[0]
    report(f"aeif_psc_exp: order of convergence of spike times: {order:.3f}, {len(lively)} circuits")
    assert 0.8 < order < 1.3
