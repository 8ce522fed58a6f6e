"""The models without a solution in closed form: between spikes V goes to NEST's with the square of the step."""

import numpy as np
import pytest

from circuits import Circuit, simulate
from tests.oracle import drawing
from tests.oracle.oracles import ask, differences, potentials, rasters, report
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
    errors = []
    for dt_ms in STEPS_MS:
        asked = [driven(model, dt_ms)]
        ours = simulate(*asked[0], record="all")
        theirs = ask("nest", asked, "--record")
        assert not differences([ours.spikes()], rasters(theirs, asked))
        v_mv = potentials(theirs, asked)[0][0]
        rows = np.flatnonzero(~np.isnan(v_mv).any(1))
        assert len(rows) * dt_ms > DURATION_MS - 10
        error = np.abs(ours.traces.v_mv[0] - v_mv)[rows, :DRIVEN]
        assert not ours.spikes()[..., :DRIVEN].any()
        assert np.ptp(v_mv[rows, :DRIVEN], axis=0).mean() > 3
        errors.append(error.max())
        report(f"{model}, dt {dt_ms:g} ms: V is off by {error.max():.2g} mV at most, {error.mean():.2g} mV on average")
    order = np.polyfit(np.log(STEPS_MS), np.log(errors), 1)[0]
    report(f"{model}: order of convergence of V: {order:.3f}")
    assert 1.8 < order < 2.3
    assert errors[STEPS_MS.index(0.1)] < 5e-3
