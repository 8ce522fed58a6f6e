"""The rate form: the same wiring and signs, in place of an RNN cell."""

import numpy as np
import pytest
import torch
from torch import nn

import circuits
from circuits.errors import UserError
from circuits.torch import MotifRateCell
from tests.circuits.torch.motifs import random_circuit, small_motif


@pytest.mark.parametrize("activation", ["relu", "softplus", "sigmoid"])
def test_a_step_is_its_equation(activation):
    circuit = random_circuit(np.random.default_rng(3), neurons=6, channels=2)
    cell = MotifRateCell(circuit, activation=activation, dtype=torch.float64)
    x, h = torch.rand(4, 2, dtype=torch.float64), torch.randn(4, 6, dtype=torch.float64)
    f = {
        "relu": lambda u: np.maximum(u, 0),
        "softplus": lambda u: np.log1p(np.exp(u)),
        "sigmoid": lambda u: 1 / (1 + np.exp(-u)),
    }
    place = {neuron.id: k for k, neuron in enumerate(circuit.neurons)}
    wanted = np.zeros((4, 6))
    for n, neuron in enumerate(circuit.neurons):
        distance = neuron.v_th_mv - neuron.v_rest_mv
        u = np.full(4, neuron.bias_mv / distance)
        for c, channel in enumerate(circuit.inputs):
            for s in channel.synapses:
                if place[s.post] == n:
                    u += s.weight_mv * neuron.tau_syn_e_ms / circuit.dt_ms / distance * x[:, c].numpy()
        for s in circuit.synapses:
            if place[s.post] == n:
                sign = circuit.neurons[place[s.pre]].sign
                tau = neuron.tau_syn_e_ms if sign == "E" else neuron.tau_syn_i_ms
                u += s.weight_mv * tau / circuit.dt_ms / distance * h[:, place[s.pre]].numpy()
        leak, sign = -np.expm1(-circuit.dt_ms / neuron.tau_m_ms), 1 if neuron.sign == "E" else -1
        wanted[:, n] = (1 - leak) * h[:, n].numpy() + leak * sign * f[activation](u)
    assert np.allclose(cell(x, h).detach().numpy(), wanted, rtol=1e-12)


def test_it_takes_the_place_of_an_rnn_cell():
    cells = [nn.RNNCell(5, 12), MotifRateCell(small_motif(), input_size=5, copies=4)]
    for cell in cells:
        x, h = torch.rand(3, 5), torch.zeros(3, cell.hidden_size)
        assert (cell.input_size, cell.hidden_size) == (5, 12)
        for _ in range(4):
            h = cell(x, h)
        assert h.shape == (3, 12)
        assert torch.equal(cell(x), cell(x, torch.zeros(3, 12)))


def test_what_inhibitory_units_put_out_is_negative_and_weights_never_are():
    circuit = random_circuit(np.random.default_rng(5), neurons=9, channels=2)
    cell = MotifRateCell(circuit, copies=2, input_size=3)
    optimizer = torch.optim.SGD(cell.parameters(), lr=5.0)
    x = torch.rand(20, 8, 3)
    for step in range(10):
        optimizer.zero_grad()
        out, last = cell.unroll(x)
        (out.square().mean() if step % 2 else -out.square().mean()).backward()
        torch.nn.utils.clip_grad_norm_(cell.parameters(), 1.0)
        optimizer.step()
    assert torch.equal(out[-1], last)
    excites = torch.tensor(circuit.excitatory).repeat(2)
    assert (out[..., excites] >= 0).all()
    assert (out[..., ~excites] <= 0).all()
    assert out[..., ~excites].any()
    for weight in (cell.input.weight, cell.recurrent.weight):
        assert (weight >= 0).all()
    wired = cell.recurrent.matrix().detach()[0] > 0
    place = {neuron.id: k for k, neuron in enumerate(circuit.neurons)}
    assert set(map(tuple, wired.nonzero().tolist())) <= {(place[s.pre], place[s.post]) for s in circuit.synapses}


def test_a_sequence_is_its_steps():
    cell = MotifRateCell(small_motif(), copies=3)
    x = torch.rand(10, 4, 6)
    out, last = cell.unroll(x)
    h = None
    for k in range(10):
        h = cell(x[k], h)
        assert torch.allclose(out[k], h)
    again, _ = cell.unroll(x, last)
    assert not torch.equal(again, out)
    assert cell.unroll(x[:0])[0].shape == (0, 4, 9)


def test_it_learns_to_remember():
    """Which of two channels was driven 20 steps ago."""
    torch.manual_seed(1)
    circuit = random_circuit(np.random.default_rng(11), neurons=12, channels=2)
    cell, readout = MotifRateCell(circuit, copies=2, input_size=2), nn.Linear(24, 2)
    label = torch.arange(32) % 2
    x = torch.zeros(20, 32, 2)
    x[:3, torch.arange(32), label] = 1.0
    optimizer, losses = torch.optim.Adam([*cell.parameters(), *readout.parameters()], lr=0.02), []
    for _ in range(80):
        optimizer.zero_grad()
        _, last = cell.unroll(x)
        loss = nn.functional.cross_entropy(readout(last), label)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(cell.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_outputs_are_the_columns_of_the_ports_and_provenance_travels_along():
    cell = MotifRateCell(small_motif(run="r"), copies=2)
    assert cell.outputs == [0, 1, 3, 4]
    assert cell.motif.provenance.run == "r"
    twin = MotifRateCell(small_motif(), copies=2)
    with torch.no_grad():
        cell.bias.add_(1.0)
    twin.load_state_dict(cell.state_dict())
    x = torch.rand(2, 4)
    assert torch.equal(twin(x), cell(x))


def test_a_circuit_without_synapses_or_channels_is_one_too():
    circuit = circuits.Circuit(dt_ms=1.0, neurons=[{"id": 0, "sign": "E", "bias_mv": 15.0}])
    assert MotifRateCell(circuit)(torch.zeros(2, 0)).tolist() == [[pytest.approx(-np.expm1(-0.1))]] * 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MotifRateCell("m.json"), "motif: a Motif or a Circuit"),
        (lambda: MotifRateCell(small_motif(), activation="tanh"), "activation: one of relu, softplus, sigmoid"),
        (lambda: MotifRateCell(small_motif(), trainable=("delays",)), "trainable: a tuple of weights, bias"),
        (lambda: MotifRateCell(small_motif(), input_size=0), "input_size: a whole number"),
        (lambda: MotifRateCell(small_motif())(torch.zeros(3, 5)), r"x: must be \[batch, 2\]"),
        (lambda: MotifRateCell(small_motif()).unroll(torch.zeros(3, 2)), r"x: must be \[steps, batch, 2\]"),
        (lambda: MotifRateCell(small_motif())(torch.zeros(3, 2), torch.zeros(3, 2)), r"h: must be \[3, 3\]"),
    ],
)
def test_mistakes_are_named_in_one_line(call, message):
    with pytest.raises(UserError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("place", ["loss", "input"])
def test_a_gradient_that_is_not_finite_is_named_here_too(place):
    cell = MotifRateCell(small_motif())
    x = torch.rand(3, cell.input_size)
    if place == "input":
        x[1, 0] = float("nan")
    with pytest.raises(UserError, match="is not finite: "):
        (cell(x).sum() * (float("nan") if place == "loss" else 1.0)).backward()
