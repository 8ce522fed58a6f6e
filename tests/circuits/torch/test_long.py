"""Long sequences: windows with states handed on, memory that grows with the window, gradients that stay finite."""

import weakref

import pytest
import torch

import circuits
from circuits.errors import UserError
from circuits.torch import MixedLayer, MotifLayer, MotifNetwork, windows
from tests.circuits.torch.motifs import small_motif, spikes

STRONG = (60.0, 50.0, 30.0, 9.0)


def network(readout_ms=None, **options):
    first = MotifLayer(small_motif(weights=STRONG), 3, 4, share=False, dtype=torch.float64)
    second = MotifLayer(small_motif(weights=STRONG), 2, first.out_features, **{"dtype": torch.float64} | options)
    return MotifNetwork([first, MixedLayer([second])], classes=2, readout_ms=readout_ms)


@pytest.mark.parametrize("readout_ms", [None, 20.0])
@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_windows_are_the_whole_trial(readout_ms, engine):
    net, x = network(readout_ms, engine=engine), spikes(130, 3, 4, rate=0.4).double()
    wanted, counts = net.forward_with_spikes(x)
    assert counts.all()
    found = list(windows(net, x, 50))
    assert [window.steps for window in found] == [slice(0, 50), slice(50, 100), slice(100, 130)]
    logits = found[-1].logits if readout_ms is None else torch.cat([window.logits for window in found])
    assert torch.allclose(logits, wanted, rtol=1e-9)
    assert torch.equal(sum(window.spikes for window in found), counts)
    assert torch.allclose(net(x), wanted, rtol=1e-9)


def test_the_readout_in_every_step_is_a_low_pass_filter():
    net, x = network(15.0), spikes(150, 3, 4, rate=0.4).double()
    rows = net.layers[1](net.layers[0](x)[0])[0]
    y, wanted = torch.zeros(3, 2, dtype=torch.float64), []
    for row in rows:
        y = y * torch.exp(torch.tensor(-1 / 15.0, dtype=torch.float64)) + row @ net.readout.weight.T
        wanted.append(y + net.readout.bias)
    assert torch.allclose(net(x), torch.stack(wanted))
    first = MotifNetwork(list(net.layers), 2, batch_first=True, readout_ms=15.0)
    first.load_state_dict(net.state_dict())
    assert torch.equal(first(x.transpose(0, 1)), net(x).transpose(0, 1))


def test_gradients_end_where_their_window_begins():
    net, x = network(20.0), spikes(60, 3, 4, rate=0.4).double().requires_grad_()
    list(windows(net, x, 20))[-1].logits.sum().backward()
    assert not x.grad[:40].any()
    assert x.grad[40:].any()


@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_memory_grows_with_the_window_and_not_with_the_trial(engine):
    def most_kept(steps, window):
        """The most bytes that are kept for backward passes at once, without the input itself."""
        net, x = network(20.0, engine=engine), spikes(steps, 64, 4, rate=0.4).double()
        alive, most = {x.untyped_storage().data_ptr(): 0}, 0

        def pack(tensor):
            nonlocal most
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in alive:
                alive[storage.data_ptr()] = storage.nbytes()
                weakref.finalize(storage, alive.pop, storage.data_ptr(), None)
                most = max(most, sum(alive.values()))
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            for part in windows(net, x, window):
                part.logits.square().mean().backward()
        return most

    base = most_kept(80, 40)
    assert most_kept(320, 40) < 1.1 * base
    assert most_kept(160, 80) > 1.5 * base
    assert most_kept(160, None) > 2 * base


@pytest.mark.parametrize("passed", [{"clip": 1.0}, {"credit": "local"}, {"dampening": 0.3, "clip": 1.0}])
def test_no_step_is_lost_on_thousands_of_steps(passed):
    """Copies of the flip-flop of the zoo, whose gradients overflow if nothing holds them."""
    x = torch.zeros(3000, 4, 6)
    x[20::400] = 1.0

    def largest(**options):
        torch.manual_seed(0)
        layer = MotifLayer(circuits.zoo["toggle-2"], 4, 6, share=False, slope=2 / 15, **options)
        layer.set_projection(torch.tensor([0.5, 0.01]).repeat(6, 4))  # set, hardly reset
        net = MotifNetwork([layer], classes=1, readout_ms=20.0)
        logits, counts = net.forward_with_spikes(x)
        assert counts.sum() > 4 * 100
        logits.square().mean().backward()
        return max(p.grad.abs().max().item() for p in net.parameters() if p.grad is not None)

    assert largest(**passed) < 1e6
    with pytest.raises(UserError, match="gradients explode through time"):
        largest()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: network(0.0), "readout_ms: a time above 0"),
        (lambda: next(windows(network(), torch.zeros(5, 2, 4), 0)), "steps: a whole number above 0"),
        (lambda: next(windows(network(), torch.zeros(2, 4), 3)), "x: must be a sequence"),
        (lambda: MotifLayer(small_motif(), 1, 2, dampening=0), "dampening: a number above 0 and at most 1"),
        (lambda: MotifLayer(small_motif(), 1, 2, clip=-1.0), "clip: a number above 0"),
        (lambda: MotifLayer(small_motif(), 1, 2, credit="none"), "credit: one of full, local"),
    ],
)
def test_mistakes_are_named_in_one_line(call, message):
    with pytest.raises(UserError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
