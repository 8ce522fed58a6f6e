"""In float64 a cell spikes as the simulator does, by either engine, and however the sequence is cut."""

import numpy as np
import pytest
import torch

import circuits
from circuits.torch import MotifCell, MotifLayer, assemble
from tests.circuits.torch.motifs import random_circuit, small_motif, spikes

CIRCUITS, AT_ONCE, FEW = 500, 25, 50


def problem(seed):
    rng = np.random.default_rng(seed)
    circuit = random_circuit(rng)
    return circuit, rng.random((8, 80, len(circuit.inputs))) < rng.uniform(0.02, 0.3)


@pytest.mark.parametrize(
    "first", [pytest.param(k, marks=[pytest.mark.slow] if k >= FEW else []) for k in range(0, CIRCUITS, AT_ONCE)]
)
def test_in_float64_the_spikes_are_those_of_the_simulator(first):
    counts = []
    for seed in range(first, first + AT_ONCE):
        circuit, trials = problem(seed)
        expected = circuits.simulate(circuit, trials, dtype="float64")
        counts.append(expected.counts().sum())
        for engine in ("fused", "eager"):
            cell = MotifCell(circuit, dtype=torch.float64, batch_first=True, engine=engine).eval()
            with torch.no_grad():
                everything, _ = cell.run(torch.from_numpy(trials))
            assert np.array_equal(everything.numpy() == 1, expected.spikes()), (seed, engine)
            assert everything.unique().tolist() in ([], [0.0], [1.0], [0.0, 1.0])
    assert np.median(counts) > 100


@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_the_output_is_the_ports_of_the_simulator(engine):
    circuit, trials = problem(3)
    cell = MotifCell(circuit, dtype=torch.float64, batch_first=True, engine=engine).eval()
    out, _ = cell(torch.from_numpy(trials))
    assert out.any()
    assert np.array_equal(out.detach().numpy() == 1, circuits.simulate(circuit, trials).outputs.spikes())


@pytest.mark.parametrize("trials", [1, 64, 65, 130])
def test_any_batch_is_as_good(trials):
    circuit = random_circuit(np.random.default_rng(2), neurons=6, channels=3)
    x = spikes(trials, 70, 3)
    out, state = MotifCell(circuit, dtype=torch.float64, batch_first=True).run(x)
    assert out.shape == (trials, 70, 6)
    assert state.v.shape == (trials, 6)
    assert np.array_equal(out.detach().numpy() == 1, circuits.simulate(circuit, x.numpy()).spikes())


@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_a_neuron_driven_exactly_to_threshold_by_its_bias_does_as_in_the_simulator(engine):
    neurons = [{"id": k, "sign": "E", "tau_m_ms": tau, "bias_mv": 15.0} for k, tau in enumerate((0.5, 1.0, 2.0, 3.0, 7.0))]
    circuit = circuits.Circuit(dt_ms=1.0, neurons=neurons, outputs=[{"name": "out", "neurons": list(range(5))}])
    silence = np.zeros((1, 600, 0), bool)
    out, _ = MotifCell(circuit, dtype=torch.float64, batch_first=True, engine=engine)(torch.from_numpy(silence))
    expected = circuits.simulate(circuit, silence).spikes()
    assert expected.any()
    assert np.array_equal(out.detach().numpy() == 1, expected)


@pytest.mark.parametrize("seed", range(4))
def test_what_may_learn_changes_no_spike_until_it_does(seed):
    circuit, trials = problem(seed)
    expected = circuits.simulate(circuit, trials).spikes()
    everything = ("weights", "bias", "time_constants", "thresholds", "delays")
    for engine in ("fused", "eager"):
        cell = MotifCell(circuit, trainable=everything, dtype=torch.float64, batch_first=True, engine=engine)
        for mode in (cell.train(), cell.eval()):
            assert np.array_equal(mode.run(torch.from_numpy(trials))[0].detach().numpy() == 1, expected)


@pytest.mark.parametrize("engine", ["fused", "eager", "auto"])
@pytest.mark.parametrize("seed", range(4))
def test_step_by_step_is_the_same_as_a_sequence_cut_anywhere(seed, engine):
    rng = np.random.default_rng(seed)
    cell = MotifCell(random_circuit(rng, neurons=10, channels=3), dtype=torch.float64, engine=engine)
    x = spikes(60, 4, 3)
    whole, last = cell(x)
    state, one_by_one = None, []
    for row in x:
        out, state = cell(row, state)
        one_by_one.append(out)
    assert whole.any()
    assert torch.equal(torch.stack(one_by_one), whole)
    first, half = cell(x[:23])
    second, end = cell(x[23:], half.detach())
    assert torch.equal(torch.cat([first, second]), whole)
    for mine, theirs, other in zip(state, last, end, strict=True):
        if theirs is None:  # what a static LIF neuron has not
            assert mine is None
            assert other is None
            continue
        assert torch.allclose(mine.double(), theirs.double(), atol=1e-9)
        assert torch.allclose(other.double(), theirs.double(), atol=1e-9)


def test_engines_take_over_from_one_another():
    circuit = random_circuit(np.random.default_rng(1), neurons=10, channels=3)
    fused, eager = (MotifCell(circuit, dtype=torch.float64, engine=engine) for engine in ("fused", "eager"))
    x = spikes(60, 4, 3, rate=0.4)
    whole, _ = eager(x)
    assert whole.any()
    for one, other in ((fused, eager), (eager, fused)):
        first, state = one(x[:31])
        assert state.refractory.any()
        assert torch.equal(torch.cat([first, other(x[31:], state)[0]]), whole)


def test_an_empty_sequence_changes_nothing():
    cell = MotifCell(small_motif())
    _, state = cell(spikes(10, 2, 2))
    out, after = cell(spikes(0, 2, 2), state)
    assert out.shape == (0, 2, 2)
    assert all(a is b is None or torch.equal(a, b) for a, b in zip(state, after, strict=True))


@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_real_valued_input_is_delayed_and_scaled_like_spikes(engine):
    cell = MotifCell(small_motif(), dtype=torch.float64, engine=engine)
    x = torch.zeros(6, 1, 2, dtype=torch.float64)
    x[0, 0] = torch.tensor([0.5, 0.25])
    _, after_two = cell(x[:2])
    assert after_two.i_e[0].tolist() == [4.0, 0.0, 1.5]  # stamped in row 0 with a delay of 1: there at the end of row 1
    _, after_four = cell(x[:4])
    assert after_four.i_e[0, 1] == 2.0


def test_an_assembled_layer_is_a_circuit_that_the_simulator_runs():
    motif = small_motif(weights=(60.0, 50.0, 30.0, 20.0))
    layer = MotifLayer(motif, copies=3, in_features=6, lateral=circuits.torch.Lateral(weight_mv=25.0), dtype=torch.float64)
    layer.set_projection(torch.eye(6))
    x = spikes(4, 50, 6, rate=0.3)
    whole = assemble(motif, 3, circuits.torch.Lateral(weight_mv=25.0))
    everything, _ = layer.run(x.transpose(0, 1))
    expected = circuits.simulate(whole, x.numpy())
    assert np.array_equal(everything.transpose(0, 1).detach().numpy() == 1, expected.spikes())
    assert (expected.counts() > 0).any(0).all()
    assert layer.cell.to_motif() == whole
