"""Random circuits in float64 have the spikes that NEST and Brian2 find, all of them and no other."""

from typing import NamedTuple

import numpy as np
import pytest

import circuits
from circuits.neurons.lif_psc_exp import DRIVE, P21_E, P21_I, P22, THRESHOLD
from tests.oracle.oracles import ask, differences, rasters, report
from tests.reference import random_circuit, random_input

pytestmark = pytest.mark.oracle
CIRCUITS, TRIALS, STEPS = 1500, 4, 400


class Drawn(NamedTuple):
    asked: list
    rasters: list


@pytest.fixture(scope="module")
def drawn():
    """The circuits with their inputs, and what we say they do in float64."""
    asked = []
    for seed in range(CIRCUITS):
        rng = np.random.default_rng(seed)
        circuit = random_circuit(rng, neurons=int(rng.integers(1, 65)))
        asked.append((circuit, random_input(rng, circuit, TRIALS, STEPS)))
    return Drawn(asked, [circuits.simulate(circuit, spikes).spikes() for circuit, spikes in asked])


def test_the_circuits_have_all_that_circuits_may_have(drawn):
    found = [circuit for circuit, _ in drawn.asked]
    neurons = [(n, c.dt_ms) for c in found for n in c.neurons]
    assert {len(c.neurons) for c in found} == set(range(1, 65))
    assert {c.dt_ms for c in found} == {1.0, 0.1, 0.05}
    assert {round(s.delay_ms / c.dt_ms) for c in found for s in c.synapses} == set(range(1, 51))
    assert {round(n.t_ref_ms / dt) for n, dt in neurons} == {0, 1, 20}
    assert {(n.tau_m_ms == n.tau_syn_e_ms, n.tau_m_ms == n.tau_syn_i_ms) for n, _ in neurons} == {
        (False, False),
        (False, True),
        (True, False),
        (True, True),
    }
    assert any(s.pre == s.post for c in found for s in c.synapses), "autapses"
    assert any(len({(s.pre, s.post) for s in c.synapses}) < len(c.synapses) for c in found), "multapses"
    rates = np.array([raster.mean() for raster in drawn.rasters])
    assert np.mean((rates > 0.005) & (rates < 0.4)) > 0.9, "most fire, few are saturated"


@pytest.mark.parametrize("oracle", ["nest", "brian2"])
def test_float64_equals_the_oracle_spike_for_spike(drawn, oracle):
    theirs = rasters(ask(oracle, drawn.asked), drawn.asked)
    different = differences(drawn.rasters, theirs)
    report(
        f"{oracle}: {len(different)} of {CIRCUITS} circuits differ, {sum(raster.sum() for raster in theirs)} spikes compared"
    )
    assert not different, "\n".join(different)


@pytest.fixture(scope="module")
def rounded(drawn):
    """What we say they do in float32."""
    return [circuits.simulate(circuit, spikes, dtype="float32").spikes() for circuit, spikes in drawn.asked]


def test_float32_seldom_differs_from_float64(drawn, rounded):
    pairs = list(zip(drawn.rasters, rounded, strict=True))
    counts = np.concatenate([(a.sum(1) == b.sum(1)).ravel() for a, b in pairs]).mean()
    same = np.concatenate([(a == b).all((1, 2)) for a, b in pairs]).mean()
    report(f"float32: {counts:.5f} of all spike counts and {same:.4f} of all rasters are those of float64")
    assert counts > 0.9995
    assert same > 0.98


def test_float32_differs_first_where_a_neuron_of_float64_is_at_its_threshold(drawn, rounded):
    """So it is rounding that decides there, and nothing else; what comes after follows from that spike."""
    margins = []
    for (circuit, spikes), a, b in zip(drawn.asked, drawn.rasters, rounded, strict=True):
        for trial in np.flatnonzero((a != b).any((1, 2))):
            row = np.flatnonzero((a[trial] != b[trial]).any(1))[0]
            differs = a[trial, row] != b[trial, row]
            margins.append(np.abs(over_threshold(circuit, spikes[[trial]], row)[differs]).max())
    report(f"float32: {len(margins)} trials differ, the first time where V is within {max(margins):.2g} mV of the threshold")
    assert margins
    assert max(margins) < 1e-3


def over_threshold(circuit, spikes, row):
    """How far V, if not held, is above threshold when row `row` of the first trial decides on a spike: mV [neurons]."""
    table = circuit.model.table(circuit.parameters, circuit.dt_ms)
    rest = circuit.parameters[:, circuit.model.names.index("v_rest_mv")]
    traces = circuits.simulate(circuit, spikes, record="all").traces
    before = [traces.v_mv[0, row - 1] - rest, traces.i_e_mv[0, row - 1], traces.i_i_mv[0, row - 1]] if row else [0.0] * 3
    v = sum(table[:, column] * state for column, state in zip((P22, P21_E, P21_I), before, strict=True)) + table[:, DRIVE]
    return v - table[:, THRESHOLD]
