"""e-prop: online, and yet the gradient of backpropagation through time without recurrent spikes."""

import numpy as np
import pytest
import torch

from circuits.errors import UserError
from circuits.torch import Lateral, MotifCell, MotifLayer, MotifNetwork, windows
from tests.circuits.torch.motifs import of_model, random_circuit, small_motif, spikes

KINDS = [({"share": False}, "lif_psc_exp"), ({"share": True}, "alif_psc_exp"), ({"lateral": Lateral(reach=1)}, "alif_psc_exp")]


def layers(model, options):
    """A layer that learns by e-prop and its twin of local credit."""
    rng = np.random.default_rng(5)
    circuit = of_model(random_circuit(rng, neurons=5, channels=2, longest=6), model, rng)
    given = {"dtype": torch.float64, "trainable": ("weights", "bias"), "dampening": 0.6, "slope": 0.3} | options
    first, second = (MotifLayer(circuit, 3, 4, credit=credit, engine="eager", **given) for credit in ("eprop", "local"))
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter) * (1 + parameter.abs()))
        first.projection.mul_(4)
    second.load_state_dict(first.state_dict())
    return first, second


def gradients(layer, x, signal, steps):
    """Of sums of spikes times a signal, taken in windows."""
    layer.zero_grad()
    state = None
    for begin in range(0, len(x), steps):
        out, state = layer.run(x[begin : begin + steps], state)
        state = state.detach()
        (out * signal[begin : begin + steps]).sum().backward()
    return {name: p.grad for name, p in layer.named_parameters()}, out


@pytest.mark.parametrize(("options", "model"), KINDS)
def test_its_gradients_are_those_of_local_credit_whatever_the_windows(options, model):
    online, twin = layers(model, options)
    x = spikes(40, 3, 4, rate=0.3).double()
    signal = torch.randn(40, 3, 15, dtype=torch.float64)
    wanted, last = gradients(twin, x, signal, 40)
    assert last.any()
    for steps in (40, 7, 1):
        found, spiked = gradients(online, x, signal, steps)
        assert torch.equal(spiked, last[-len(spiked) :])
        for name, mine in found.items():
            scale = wanted[name].abs().max()
            assert scale > 0 or not wanted[name].numel()
            assert torch.allclose(mine, wanted[name], rtol=1e-9, atol=1e-10 * scale), (name, steps)


def test_windows_of_backpropagation_lose_what_e_prop_keeps():
    _, twin = layers("alif_psc_exp", {"share": False})
    x, signal = spikes(40, 3, 4, rate=0.3).double(), torch.randn(40, 3, 15, dtype=torch.float64)
    whole, _ = gradients(twin, x, signal, 40)
    cut, _ = gradients(twin, x, signal, 4)
    assert (cut["projection"] - whole["projection"]).abs().max() > 0.01 * whole["projection"].abs().max()


def test_a_network_learns_by_e_prop_window_by_window():
    layer = MotifLayer(
        small_motif(weights=(60.0, 50.0, 30.0, 9.0)), 3, 4, share=False, credit="eprop", trainable=("weights", "bias")
    )
    net = MotifNetwork([layer], 1, readout_ms=10.0)
    x, adam, losses = spikes(24, 4, 4, rate=0.3).float(), torch.optim.Adam(net.parameters(), lr=0.05), []
    wanted = x[..., :1].cumsum(0).remainder(2)
    for _ in range(5):
        adam.zero_grad()
        parts = []
        for window in windows(net, x, 12):
            loss = (window.logits - wanted[window.steps]).square().mean()
            loss.backward()
            parts.append(loss.item())
        adam.step()
        losses.append(sum(parts))
    assert losses[-1] < losses[0]
    assert layer.projection.grad.any()
    assert layer.cell.excitatory.free.grad.any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MotifCell(small_motif(), credit="eprop")(torch.zeros(3, 1, 2)), '"eprop" is for a MotifLayer'),
        (lambda: MotifLayer(small_motif(), 1, 2, credit="eprop", trainable=("delays",)), "trains weights and bias, not delays"),
        (lambda: MotifLayer(small_motif(), 1, 2, credit="eprop", clip=1.0), "clip: is for backpropagation"),
        (
            lambda: MotifLayer(of_model(small_motif(), "lif_cond_exp", np.random.default_rng(0)), 1, 2, credit="eprop"),
            "lif_psc_exp and alif_psc_exp, not of lif_cond_exp",
        ),
        (
            lambda: MotifLayer(of_model(small_motif(), "lif_psc_exp", np.random.default_rng(0), 1.0), 1, 2, credit="eprop"),
            "static synapses",
        ),
    ],
)
def test_what_it_cannot_train_is_refused(call, message):
    with pytest.raises(UserError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
