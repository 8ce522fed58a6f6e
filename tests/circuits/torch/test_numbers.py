"""What modules make of numbers that are none, and of floats of other widths."""

import re
from functools import partial

import numpy as np
import pytest
import torch

from circuits.errors import UserError
from circuits.torch import MixedLayer, MotifCell, MotifLayer, MotifNetwork, MotifRateCell
from tests.circuits.torch.motifs import small_motif, spikes

MOTIF = small_motif(weights=(60.0, 50.0, 30.0, 9.0))
BAD = [float("nan"), float("inf"), float("-inf")]


def cell(**options):
    cell = MotifCell(MOTIF, **options)
    return cell, cell, len(MOTIF.inputs)


def layer():
    layer = MotifLayer(MOTIF, 3, 5)
    return layer, layer, 5


def mixed():
    mixed = MixedLayer([MotifLayer(MOTIF, 2, 5), MotifLayer(MOTIF, 1, 5)])
    return mixed, mixed, 5


def network():
    first = MotifLayer(MOTIF, 3, 5)
    network = MotifNetwork([first, MotifLayer(MOTIF, 2, 3 * len(first.cell.readout))], 4)
    return network, network, 5


def forward_with_spikes():
    _, module, lines = network()
    return module.forward_with_spikes, module, lines


def wide():
    wide = MotifNetwork([MotifLayer(MOTIF, 2, 5, projection="signed")], 4, in_features=7)
    return wide, wide, 7


def rate(*projected, **options):
    rate = MotifRateCell(MOTIF, *projected, **options)
    return rate.unroll, rate, projected[0] if projected else len(MOTIF.inputs)


MAKERS = {
    "cell": cell,
    "eager cell": partial(cell, engine="eager"),
    "layer": layer,
    "mixed layer": mixed,
    "network": network,
    "network, counted": forward_with_spikes,
    "network with lines": wide,
    "rate": rate,
    "rate with projection": partial(rate, 6, copies=2),
}
NAMES = list(MAKERS)


def made(name):
    """A call that takes a sequence, its module, and the number of lines of its input of 0 and 1 [steps, batch, lines]."""
    torch.manual_seed(0)
    return MAKERS[name]()


def first(found):
    return found[0] if isinstance(found, tuple) else found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", BAD)
def test_one_number_that_is_none_is_one_line_that_says_where(name, bad):
    call, _, lines = made(name)
    x = spikes(12, 4, lines, rate=0.3).float()
    call(x)
    x[7, 2, lines - 1] = bad
    last = "channel" if "cell" in name else "feature"
    with pytest.raises(UserError, match=f"^x is not finite: {bad} at step 7, trial 2, {last} {lines - 1}$"):
        call(x)
    with pytest.raises(UserError, match="x is not finite"):
        call(torch.full_like(x, 1e300, dtype=torch.float64))  # above what 32 bits hold


@pytest.mark.parametrize("name", NAMES)
def test_batch_first_or_a_single_step_or_copies_do_not_hide_it(name):
    call, _, lines = made(name)
    x = torch.zeros(4, lines)
    x[3, 0] = float("nan")
    if "network" in name:
        network = MotifNetwork([MotifLayer(MOTIF, 3, lines)], 4, batch_first=True)
        with pytest.raises(UserError, match="nan at trial 0, step 3, feature 0"):
            network(x[None])
    elif "rate" not in name:
        with pytest.raises(UserError, match="nan at step 0, trial 3, "):
            call(x)
        with pytest.raises(UserError, match="at step 0, copy 1, trial 3, channel 0"):
            MotifCell(MOTIF, copies=2)(torch.stack([torch.zeros(4, len(MOTIF.inputs)), x[:, : len(MOTIF.inputs)]]))


def test_large_numbers_whose_sum_overflows_are_numbers():
    cell = MotifCell(MOTIF)
    cell(torch.full((2, 4, len(MOTIF.inputs)), 3e38))


def test_a_state_and_weights_that_are_none_are_named():
    cell, layer, rate = MotifCell(MOTIF), MotifLayer(MOTIF, 2, 5), MotifRateCell(MOTIF)
    x = torch.zeros(6, 2, len(MOTIF.inputs))
    _, state = cell(x)
    spoilt = state.i_e.clone()
    spoilt[0, 0] = float("nan")
    with pytest.raises(UserError, match="the state is not finite"):
        cell(x, state._replace(i_e=spoilt))
    with pytest.raises(UserError, match="h is not finite"):
        rate(x[0], torch.full((2, rate.hidden_size), float("nan")))
    with torch.no_grad():
        layer.projection[3, 1] = float("nan")
    with pytest.raises(UserError, match="the projection is not finite: nan at feature 3, channel 1"):
        layer(torch.zeros(6, 2, 5))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float16, torch.bfloat16, torch.float64])
def test_inputs_of_any_dtype_say_the_same(name, dtype):
    call, _, lines = made(name)
    x = spikes(30, 3, lines, rate=0.3)
    assert torch.equal(first(call(x.to(dtype))), first(call(x.float())))


@pytest.mark.parametrize("name", NAMES)
def test_autocast_changes_no_spike(name):
    call, module, lines = made(name)
    x = torch.tensor(np.random.default_rng(0).random((40, 3, lines)), dtype=torch.float32)
    expected = first(call(x))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = first(call(x))
        found.float().sum().backward()
    if "network" in name:  # its readout, a plain linear layer, does as autocast says
        assert torch.allclose(found.float(), expected, rtol=0.1, atol=0.5)
    else:
        assert torch.equal(found, expected)
    assert all(p.grad is None or p.grad.dtype == torch.float32 for p in module.parameters())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("how", ["half", "bfloat16", "to", "type"])
def test_sixteen_bits_are_refused_in_one_line_and_the_module_stays_as_it_is(name, how):
    module = made(name)[1]
    before = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    arguments = {"to": (torch.bfloat16,), "type": (torch.float16,)}.get(how, ())
    with pytest.raises(UserError, match=f"^{type(module).__name__}: computes in float32 or float64, not in b?float16"):
        getattr(module, how)(*arguments)
    assert all(torch.equal(tensor, before[key]) for key, tensor in module.state_dict().items())
    assert {p.dtype for p in module.parameters()} == {torch.float32}
    outer = torch.nn.Sequential(torch.nn.Linear(2, 2), module)
    with pytest.raises(UserError, match="computes in float32 or float64"):
        getattr(outer, how)(*arguments)


@pytest.mark.parametrize("name", NAMES)
def test_sixty_four_bits_and_back(name):
    module = made(name)[1]
    assert {p.dtype for p in module.double().parameters()} == {torch.float64}
    assert {p.dtype for p in module.float().parameters()} == {torch.float32}


@pytest.mark.parametrize("name", NAMES)
def test_complex_numbers_are_refused(name):
    call, _, lines = made(name)
    with pytest.raises(
        UserError, match=re.escape(f"not {'a tensor ' if 'cell' in name else ''}[5, 2, {lines}] of torch.complex64")
    ):
        call(torch.zeros(5, 2, lines, dtype=torch.complex64))


def test_a_state_of_another_width_is_refused():
    cell = MotifCell(MOTIF)
    x = torch.zeros(6, 2, len(MOTIF.inputs))
    _, state = MotifCell(MOTIF, dtype=torch.float64)(x)
    with pytest.raises(UserError, match=r"state: of torch.float64, but the cell is of torch.float32"):
        cell(x, state)
