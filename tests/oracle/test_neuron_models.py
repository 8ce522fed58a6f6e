"""The models whose step is a formula: random circuits of each have the spikes that Brian2 or NEST find, all and no other."""

import numpy as np
import pytest

from circuits import Circuit
from circuits.simulation.simulate import simulate
from tests.oracle import drawing
from tests.oracle.oracles import ask, differences, rasters, report

pytestmark = pytest.mark.oracle
CIRCUITS = 200


def check(oracle, asked):
    ours = [simulate(circuit, spikes).spikes() for circuit, spikes in asked]
    different = differences(ours, rasters(ask(oracle, asked), asked))
    spikes = sum(raster.sum() for raster in ours)
    report(f"{asked[0][0].neuron_model}, {oracle}: {len(different)} of {len(asked)} circuits differ, {spikes} spikes")
    assert not different, "\n".join(different)
    return ours


def test_alif_psc_exp_equals_brian2_spike_for_spike():
    asked = drawing.asked(CIRCUITS, drawing.alif_psc_exp)
    neurons = [neuron for circuit, _ in asked for neuron in circuit.neurons]
    adapts = {(n.w_jump_mv > 0, n.theta_jump_mv > 0, n.tau_w_ms == n.tau_m_ms) for n in neurons}
    assert len(adapts) == 8, "by a current, of the threshold, both or neither; with a current as slow as the membrane or not"
    check("brian2", asked)


def test_izhikevich_circuits_equal_brian2_spike_for_spike():
    """For 800 steps: these circuits are chaotic, and in 1,200 steps of 0.25 ms a last bit has grown to a spike."""
    asked = []
    for dt_ms in (0.05, 0.1, 0.25):
        asked += drawing.asked(CIRCUITS // 3, drawing.izhikevich, steps=800, dt_ms=dt_ms)
    fired = [raster.any(1).mean() for raster in check("brian2", asked)]
    assert np.mean(fired) > 0.8, "most neurons fire in a trial"


@pytest.mark.parametrize("dt_ms", [0.1, 0.25])
def test_izhikevich_neurons_of_every_kind_equal_those_of_nest(dt_ms):
    """With a bias alone, for 200 ms: from 270 ms on rounding decides how some of the bursts go on."""
    neurons = [
        {
            "id": f"{kind} {bias:g}",
            "sign": "E",
            "a_per_ms": a,
            "b_per_ms": b,
            "v_reset_mv": c,
            "d_mv_per_ms": d,
            "bias_mv": bias,
        }
        for kind, (a, b, c, d) in drawing.IZHIKEVICH.items()
        for bias in np.linspace(0, 70, 71)
    ]
    circuit = Circuit(dt_ms=dt_ms, neuron_model="izhikevich", neurons=neurons)
    (raster,) = check("nest", [(circuit, np.zeros((1, round(200 / dt_ms), 0), bool))])
    counts = raster.sum((0, 1)).reshape(len(drawing.IZHIKEVICH), -1)
    assert (counts.max(1) > 15).all()
