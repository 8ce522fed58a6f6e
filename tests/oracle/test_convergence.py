"""With the step our spike times go to the exact ones, which NEST's iaf_psc_exp_ps finds between grid points: first order."""

import numpy as np
import pytest

from circuits import Circuit
from circuits.simulation.simulate import simulate
from tests.oracle.oracles import ask, report

pytestmark = pytest.mark.oracle
STEPS_MS = (1.0, 0.5, 0.25, 0.125, 0.0625)
CIRCUITS, SPIKES, DURATION_MS = 30, 8, 300
INPUT_MS = (10, 15, 35, 60, 77, 100, 120)


def coupled(seed, dt_ms):
    """Three neurons that fire by themselves and shift one another's spikes, and their input; all times are whole ms."""
    rng = np.random.default_rng(seed)
    ids = ("E0", "E1", "I0")

    def neuron(name):
        taus = {"tau_m_ms": rng.uniform(8, 20), "tau_syn_e_ms": rng.uniform(2, 6), "tau_syn_i_ms": rng.uniform(2, 6)}
        return {"id": name, "sign": name[0], "t_ref_ms": float(rng.integers(1, 4)), "bias_mv": rng.uniform(20, 40)} | taus

    def synapse(post):
        return {"post": post, "weight_mv": rng.uniform(2, 8), "delay_ms": float(rng.integers(1, 6))}

    neurons = [neuron(name) for name in ids]
    synapses = [{"pre": pre} | synapse(post) for pre in ids for post in ids]
    inputs = [{"name": "in", "synapses": [synapse(post) for post in ids]}]
    spikes = np.zeros((1, round(DURATION_MS / dt_ms), 1), bool)
    spikes[0, [round(time / dt_ms) - 1 for time in INPUT_MS]] = True
    return Circuit(dt_ms=dt_ms, neurons=neurons, inputs=inputs, synapses=synapses), spikes


def exact_times():
    """The first spikes of every neuron: float64 [circuits, neurons, spikes]."""
    asked = [coupled(seed, 0.125) for seed in range(CIRCUITS)]
    found = ask("nest", asked, "--precise")
    order = np.lexsort((found["time_ms"], found["neuron"], found["circuit"]))
    ends = np.searchsorted(3 * found["circuit"][order] + found["neuron"][order], np.arange(1, 3 * CIRCUITS))
    times = [found["time_ms"][own][:SPIKES] for own in np.split(order, ends)]
    return np.array(times).reshape(CIRCUITS, 3, SPIKES)


def test_spike_times_converge_to_the_exact_ones_with_first_order():
    exact, errors = exact_times(), []
    for dt_ms in STEPS_MS:
        found = [simulate(*coupled(seed, dt_ms)).times(0) for seed in range(CIRCUITS)]
        ours = np.array([[times[:SPIKES] for times in circuit] for circuit in found])
        longer = np.diff(ours) / np.diff(exact) - 1
        assert np.abs(longer).max() < 0.5, "no spike comes or goes with the step"
        error = np.abs(ours - exact)
        errors.append(error.mean())
        report(f"dt {dt_ms:g} ms: spikes are off by {error.mean():.3g} ms on average, {error.max():.3g} ms at most")
    order = np.polyfit(np.log(STEPS_MS), np.log(errors), 1)[0]
    report(f"order of convergence: {order:.3f}")
    assert 0.8 < order < 1.3
