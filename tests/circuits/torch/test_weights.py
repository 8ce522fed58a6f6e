"""Dale's law whatever the optimiser, and no weight that freezes."""

import numpy as np
import pytest
import torch

from circuits.errors import UserError
from circuits.torch import ExponentiatedGradient, MotifCell, MotifLayer, magnitudes
from circuits.torch.positive import PARAMETRISATIONS
from tests.circuits.torch.motifs import kinds, random_circuit, small_motif, spikes, weights
from tests.products import some_of

OPTIMISERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=1.0, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=1.0, weight_decay=0.5),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.5, weight_decay=0.5),
    "exponentiated": lambda p: ExponentiatedGradient(p, lr=0.5, momentum=0.5),
}


@pytest.mark.parametrize("parametrisation", PARAMETRISATIONS)
def test_the_weights_to_begin_with_are_those_of_the_motif(parametrisation):
    motif = small_motif(weights=(8.123456789, 1e-3, 45.0, 700.0))
    found = torch.cat(weights(MotifCell(motif, parametrisation=parametrisation, dtype=torch.float64)))
    wanted = [s.weight_mv for c in motif.inputs for s in c.synapses] + [motif.synapses[k].weight_mv for k in (0, 2, 1)]
    if parametrisation in ("abs", "clamp"):
        assert found.tolist() == wanted
    assert found.tolist() == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize("parametrisation", PARAMETRISATIONS)
@pytest.mark.parametrize("optimiser", some_of(list(OPTIMISERS), few=["sgd", "exponentiated"]))
def test_dales_law_holds_under_any_optimiser(parametrisation, optimiser):
    motif = random_circuit(np.random.default_rng(1), neurons=8, channels=2)
    cell = MotifCell(motif, parametrisation=parametrisation)
    optimizer = OPTIMISERS[optimiser](magnitudes(cell))
    x = spikes(20, 4, 2)
    before = torch.cat(weights(cell))
    for step in range(20):
        optimizer.zero_grad()
        out, _ = cell.run(x)
        (out.sum() if step % 2 else -out.square().sum()).backward()
        torch.nn.utils.clip_grad_norm_(cell.parameters(), 5.0)
        optimizer.step()
    assert not torch.equal(torch.cat(weights(cell)), before)
    for weight in weights(cell):
        assert torch.isfinite(weight).all()
        assert (weight >= 0).all()
    for kind in (cell.input, cell.excitatory):
        assert (kind.taps()[0] >= 0).all()
        assert (kind.matrix() >= 0).all()
    assert (cell.inhibitory.taps()[0] <= 0).all()
    assert (cell.inhibitory.matrix() <= 0).all()
    back = cell.to_motif()
    assert [(s.pre, s.post, s.delay_ms) for s in back.synapses] == [(s.pre, s.post, s.delay_ms) for s in motif.synapses]


@pytest.mark.parametrize("parametrisation", PARAMETRISATIONS)
@pytest.mark.parametrize("free", [0.0, 1e-12, -1e-12, -40.0, -1e4])
def test_no_weight_freezes(parametrisation, free):
    cell = MotifCell(small_motif(), parametrisation=parametrisation)
    with torch.no_grad():
        cell.excitatory.free.fill_(free)
    (-cell.excitatory.weight.sum()).backward()  # a loss that wants them to grow
    assert (cell.excitatory.free.grad.abs() >= 0.01).all()


def test_a_clamped_weight_does_not_sink_below_zero_for_ever():
    cell = MotifCell(small_motif(), parametrisation="clamp")
    with torch.no_grad():
        cell.excitatory.free.fill_(-1.0)
    cell.excitatory.weight.sum().backward()  # a loss that wants them smaller still
    assert (cell.excitatory.free.grad == 0).all()


@pytest.mark.parametrize("parametrisation", PARAMETRISATIONS)
def test_weights_of_zero_learn(parametrisation):
    cell = MotifCell(small_motif(weights=(0.0, 0.0, 0.0, 0.0)), parametrisation=parametrisation)
    assert torch.cat(weights(cell)).max() <= 1.001e-6
    optimizer = torch.optim.Adam([cell.input.free], lr=1.0)
    for _ in range(30):
        optimizer.zero_grad()
        out, _ = cell.run(spikes(20, 4, 2))
        (-out.sum()).backward()
        assert (cell.input.free.grad != 0).all()
        optimizer.step()
    assert (cell.input.weight > 1).all()


def test_a_weight_pushed_through_zero_comes_back():
    cell = MotifCell(small_motif())
    optimizer = torch.optim.SGD(cell.parameters(), lr=6.0)
    for _ in range(3):
        optimizer.zero_grad()
        cell.excitatory.weight.sum().backward()
        optimizer.step()
    assert cell.excitatory.free.tolist() == [-1.0, -1.0] or (cell.excitatory.weight > 0).all()
    optimizer.zero_grad()
    (-cell.excitatory.weight.sum()).backward()
    before = cell.excitatory.weight.detach()
    optimizer.step()
    assert (cell.excitatory.weight > before).all()


def test_inhibitory_weights_get_gradients_of_the_right_sign():
    cell = MotifCell(small_motif(weights=(30.0, 90.0, 5.0, 2.0)))
    out, _ = cell(spikes(40, 8, 2, rate=0.5))
    out[..., cell.ports["b"]].sum().backward()
    assert (cell.inhibitory.free.grad < 0).all()
    assert (cell.input.free.grad[1] > 0).all()


def test_exponentiated_gradients_multiply_and_keep_signs_and_zeros():
    w = torch.nn.Parameter(torch.tensor([2.0, -3.0, 0.0, 1.0]))
    optimizer = ExponentiatedGradient([w], lr=0.1)
    w.grad = torch.tensor([1.0, 1.0, 5.0, -1e9])
    assert optimizer.step(lambda: 7.0) == 7.0
    wanted = torch.tensor([2 * np.exp(-0.1), -3 * np.exp(0.1), 0.0, np.e], dtype=torch.float32)
    assert torch.allclose(w, wanted)


def test_exponentiated_gradients_with_momentum_follow_the_running_mean():
    w = torch.nn.Parameter(torch.ones(1))
    optimizer = ExponentiatedGradient([w], lr=0.1, momentum=0.5)
    for g in (1.0, 0.0):
        w.grad = torch.tensor([g])
        optimizer.step()
    assert w.item() == pytest.approx(np.exp(-0.1 * 0.5 - 0.1 * 0.25))


def test_exponentiated_gradients_learn():
    cell = MotifCell(small_motif(weights=(20.0, 20.0, 10.0, 10.0)))
    optimizer, losses, x = ExponentiatedGradient(magnitudes(cell), lr=0.02), [], spikes(50, 16, 2)
    for _ in range(60):
        optimizer.zero_grad()
        loss = (cell(x)[0].sum(0).mean(0) - torch.tensor([6.0, 3.0])).square().sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_magnitudes_are_the_weights_that_learn_and_nothing_else():
    layer = MotifLayer(small_motif(), 2, 3, trainable=("weights", "bias"))
    assert {id(p) for p in magnitudes(layer)} == {id(layer.projection), *(id(k.free) for k in kinds(layer.cell))}
    assert [id(p) for p in magnitudes(MotifLayer(small_motif(), 2, 3, trainable=("bias",)))] != []
    assert magnitudes(MotifCell(small_motif(), trainable=("bias",))) == []


@pytest.mark.parametrize(("options", "message"), [({"lr": 0}, "lr: a number above 0"), ({"momentum": 1}, "momentum: from 0")])
def test_an_optimiser_that_cannot_be_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        ExponentiatedGradient([torch.nn.Parameter(torch.ones(1))], **options)
