"""Time constants, thresholds and delays learn, and go back to the simulator."""

import numpy as np
import pytest
import torch

import circuits
from circuits.errors import UserError
from circuits.neurons import LIF_PSC_EXP
from circuits.torch import MotifCell
from circuits.torch.lif import LifNeurons, _table
from tests.circuits.torch.motifs import random_circuit, small_motif, spikes

STRONG = (60.0, 50.0, 30.0, 9.0)


@pytest.mark.parametrize("kind", ["time_constants", "thresholds", "bias", "delays"])
def test_each_kind_learns_alone(kind):
    cell = MotifCell(small_motif(weights=STRONG), trainable=(kind,))
    learns = {name for name, parameter in cell.named_parameters() if parameter.requires_grad}
    assert (
        learns
        == {
            "time_constants": {"lif.log_tau_m", "lif.log_tau_syn_e", "lif.log_tau_syn_i"},
            "thresholds": {"lif.log_gap"},
            "bias": {"lif.bias_mv"},
            "delays": {"input.free_delay", "excitatory.free_delay", "inhibitory.free_delay"},
        }[kind]
    )
    x, optimizer = spikes(60, 32, 2), torch.optim.Adam(cell.parameters(), lr=0.05)
    wanted, losses = torch.tensor([3.0, 4.0]), []
    target = torch.zeros(60, 32, 2)
    target[1:] = cell(x)[0].detach()[:-1]  # its own spikes, one step later
    for _ in range(40):
        optimizer.zero_grad()
        out, _ = cell(x)
        smooth = torch.nn.functional.avg_pool1d((out - target).permute(1, 2, 0), 9, 1)
        loss = smooth.square().mean() if kind == "delays" else (out.sum(0).mean(0) - wanted).square().sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses) < 0.7 * losses[0]


@pytest.mark.parametrize("seed", range(6))
def test_a_cell_that_has_learnt_everything_is_a_motif_with_the_same_spikes(seed):
    rng = np.random.default_rng(seed)
    circuit = random_circuit(rng, channels=2)
    everything = ("weights", "bias", "time_constants", "thresholds", "delays")
    cell = MotifCell(circuit, trainable=everything, dtype=torch.float64, batch_first=True)
    with torch.no_grad():
        for name, parameter in cell.named_parameters():
            parameter.add_((2.0 if "delay" in name else 0.2) * torch.randn_like(parameter))
    trained = cell.to_motif()
    assert trained.circuit != circuit
    x = rng.random((8, 100, 2)) < 0.2
    expected = circuits.simulate(trained, x).spikes()
    assert expected.any()
    for mode in (cell.eval(), MotifCell(trained, dtype=torch.float64, batch_first=True)):
        assert np.array_equal(mode.run(torch.from_numpy(x))[0].detach().numpy() == 1, expected)


def test_the_formulas_of_the_constants_are_those_of_the_simulator():
    rng = np.random.default_rng(0)
    parameters = np.concatenate([random_circuit(rng, neurons=20).parameters for _ in range(10)])
    parameters[:5, 1] = parameters[:5, 0]  # tau_syn_e == tau_m
    parameters[5:10, 2] = parameters[5:10, 0] * (1 + 1e-9)
    for dt in (0.05, 1.0):
        found = _table(torch.from_numpy(parameters), dt)
        assert np.allclose(found.numpy(), LIF_PSC_EXP.table(parameters, dt), rtol=1e-11, atol=0)


def test_the_gradients_of_the_constants_are_those_of_finite_differences_even_where_time_constants_are_equal():
    parameters = torch.tensor([[10.0, 10.0, 2.0, -70.0, -55.0, -72.0, 2.0, 3.0], [5.0, 4.999, 5.001, -70, -50, -70, 1, 1]])
    parameters = parameters.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda p: _table(p, 0.5), (parameters,))


def test_time_constants_stay_where_motifs_may_have_them():
    neurons = LifNeurons(small_motif().parameters, 1.0, None, torch.float64, True, True)
    with torch.no_grad():
        neurons.log_tau_m.fill_(99.0)
        neurons.log_tau_syn_e.fill_(-99.0)
        neurons.log_gap.fill_(-50.0)
    now = neurons.now()
    assert now[:, 0].tolist() == [10_000.0] * 3
    assert now[:, 1].tolist() == [0.01] * 3
    assert (now[:, 4] >= now[:, 5]).all()
    assert torch.isfinite(neurons.constants()).all()
    neurons.now()[:, 0].sum().backward()
    assert (neurons.log_tau_m.grad > 0).all()  # downhill leads back inside: it may
    neurons.log_tau_m.grad = None
    (-neurons.now()[:, 0].sum()).backward()
    assert (neurons.log_tau_m.grad == 0).all()


@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_a_delay_between_steps_brings_a_spike_in_parts_in_both_and_is_rounded_in_eval_mode(engine):
    cell = MotifCell(small_motif(), trainable=("delays",), dtype=torch.float64, engine=engine)
    with torch.no_grad():
        cell.input.free_delay[0] = 2.25
    x = torch.zeros(4, 1, 2, dtype=torch.float64)
    x[0, 0, 0] = 1
    i_e = [cell(x[:k])[1].i_e[0, 0].item() for k in range(1, 5)]
    decay = np.exp(-0.5)
    assert i_e == pytest.approx([0, 0, 0.75 * 8, 0.75 * 8 * decay + 0.25 * 8])
    cell.eval()
    assert [cell(x[:k])[1].i_e[0, 0].item() for k in range(1, 5)] == pytest.approx([0, 0, 8, 8 * decay])
    assert cell.to_motif().inputs[0].synapses[0].delay_ms == 2.0


@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_delays_stay_between_one_step_and_the_longest(engine):
    cell = MotifCell(small_motif(), trainable=("delays",), longest_delay_ms=5.0, engine=engine)
    x = spikes(40, 4, 2)
    for wild in (-3.0, 0.0, 5.0, 77.0):
        with torch.no_grad():
            for kind in (cell.input, cell.excitatory, cell.inhibitory):
                kind.free_delay.fill_(wild)
        for mode in (cell.train(), cell.eval()):
            assert torch.isfinite(mode(x)[1].v).all()
        assert {s.delay_ms for s in cell.to_motif().synapses} <= {1.0, 5.0}


def test_copies_learn_delays_of_their_own():
    cell = MotifCell(small_motif(weights=STRONG), copies=2, trainable=("weights", "delays"), dtype=torch.float64).eval()
    with torch.no_grad():
        cell.input.free_delay[1] += 2
    x = torch.zeros(30, 2, 1, 2)
    x[0] = 5
    out, _ = cell(x)
    assert out[:, 0].any()
    assert torch.equal(out[2:, 1], out[:-2, 0])
    assert cell.to_motif(1).inputs[0].synapses[0].delay_ms == 3.0


def test_a_threshold_that_cannot_be_is_named():
    cell = MotifCell(small_motif(), trainable=("thresholds",))
    with torch.no_grad():
        cell.lif.log_gap.fill_(-99.0)
    with pytest.raises(UserError, match=r"^the trained cell is no motif: .*v_reset_mv"):
        cell.to_motif()
