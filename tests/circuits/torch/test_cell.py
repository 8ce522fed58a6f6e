"""A cell beyond its spikes: ports, state dicts, the way back to a motif, what it refuses."""

import copy
import pickle

import numpy as np
import pytest
import torch

import circuits
from circuits.errors import UserError
from circuits.torch import MotifCell, MotifLayer, MotifNetwork
from tests.circuits.torch.motifs import kinds, random_circuit, small_motif, spikes

EVERYTHING = ("weights", "bias", "time_constants", "thresholds", "delays")


def test_propagators_are_rounded_once_whatever_the_conversions():
    motif = small_motif()
    through_half = MotifCell(motif, dtype=torch.float64).float().double()
    assert torch.equal(through_half.lif.table, MotifCell(motif, dtype=torch.float64).lif.table)


def test_ports_name_the_columns_of_the_output():
    cell = MotifCell(random_circuit(np.random.default_rng(3), neurons=6, channels=1))
    out, _ = cell(spikes(50, 2, 1))
    assert list(cell.ports) == ["first", "all"]
    assert torch.equal(out[..., cell.ports["first"]], out[..., cell.ports["all"]][..., -1:])


@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_outputs_are_the_ports_or_all_e_neurons_or_all(engine):
    motif, x = small_motif(weights=(50.0, 40.0, 20.0, 9.0)), spikes(60, 3, 2)
    everything, _ = MotifCell(motif, engine=engine).run(x)
    assert everything.sum((0, 1)).all()
    for outputs, columns in (("ports", [0, 1]), ("excitatory", [0, 1]), ("all", [0, 1, 2])):
        cell = MotifCell(motif, outputs=outputs, engine=engine)
        assert torch.equal(cell(x)[0], everything[..., columns])
    assert MotifCell(motif, outputs="all").ports == {"all": slice(0, 3)}


def test_a_cell_learns_a_spike_count():
    cell = MotifCell(small_motif(), trainable=("weights", "bias"))
    optimizer = torch.optim.Adam(cell.parameters(), lr=1.0)
    x, losses = spikes(50, 16, 2), []
    for _ in range(40):
        optimizer.zero_grad()
        out, _ = cell(x)
        loss = (out.sum(0).mean(0) - torch.tensor([6.0, 3.0])).square().sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.05 * losses[0]


def test_a_trained_cell_goes_back_to_the_simulator():
    motif = small_motif(run="r", seed=3)
    cell = MotifCell(motif, dtype=torch.float64, trainable=("weights", "bias"))
    assert cell.to_motif() == motif
    with torch.no_grad():
        for kind in kinds(cell):
            kind.free.mul_(-1.7)
        cell.lif.bias_mv.add_(3.0)
    trained = cell.to_motif()
    assert trained.provenance == motif.provenance
    assert trained.inputs[0].synapses[0].weight_mv == 8.0 * 1.7
    assert trained.neurons[0].bias_mv == 3.0
    x = spikes(16, 200, 2)
    out, _ = cell(x.transpose(0, 1))
    assert out.any()
    assert np.array_equal(out.transpose(0, 1).detach().numpy() == 1, circuits.simulate(trained, x.numpy()).outputs.spikes())


def test_what_no_motif_may_hold_does_not_become_one():
    cell = MotifCell(small_motif())
    with torch.no_grad():
        cell.excitatory.free[0] = float("nan")
    with pytest.raises(UserError, match=r"^the trained cell is no motif: .*weight_mv"):
        cell.to_motif()


@pytest.mark.parametrize("trainable", [("weights", "bias"), EVERYTHING])
def test_copies_and_state_dicts_are_the_same_cell(trainable):
    motif = small_motif(weights=(40.0, 30.0, 10.0, 5.0), run="r")
    cell = MotifCell(motif, parametrisation="softplus", trainable=trainable)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.3 * torch.rand_like(parameter))
    x = spikes(60, 4, 2, rate=0.5)
    out, _ = cell(x)
    assert out.any()
    fresh = MotifCell(motif, parametrisation="softplus", trainable=trainable)
    fresh.load_state_dict(cell.state_dict())
    twin, thawed = copy.deepcopy(cell), pickle.loads(pickle.dumps(cell))
    for other in (twin, fresh, thawed):
        assert torch.equal(other(x)[0], out)
        assert other.to_motif() == cell.to_motif()
        assert other.motif.provenance.run == "r"
    with torch.no_grad():
        twin.excitatory.free.zero_()
    assert torch.equal(cell(x)[0], out)


def test_what_is_not_trainable_keeps_still():
    assert not any(p.requires_grad for p in MotifCell(small_motif(), trainable=()).parameters())
    cell = MotifCell(small_motif())
    assert not cell.lif.bias_mv.requires_grad
    assert all(kind.free.requires_grad for kind in kinds(cell))
    x = spikes(30, 4, 2).float().requires_grad_()
    MotifCell(small_motif(), trainable=())(x)[0].sum().backward()
    assert x.grad.any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MotifCell("motif.json"), "motif: a Motif or a Circuit"),
        (
            lambda: MotifCell(small_motif(), parametrisation="relu"),
            "parametrisation: one of abs, softplus, exp, clamp, signed, not 'relu'",
        ),
        (lambda: MotifCell(small_motif(), surrogate="step"), "surrogate: one of fast_sigmoid, superspike, arctan"),
        (lambda: MotifCell(small_motif(), engine="gpu"), "engine: one of auto, fused, eager"),
        (lambda: MotifCell(small_motif(), outputs="I"), "outputs: one of ports, excitatory, all"),
        (lambda: MotifCell(small_motif(), slope=0), "slope: a number above 0"),
        (lambda: MotifCell(small_motif(), trainable="weights"), "trainable: a tuple"),
        (lambda: MotifCell(small_motif(), trainable=("signs",)), "trainable: a tuple of weights, bias"),
        (lambda: MotifCell(small_motif(), longest_delay_ms=5), "longest_delay_ms: is for trained delays"),
        (
            lambda: MotifCell(small_motif(), trainable=("delays",), longest_delay_ms=2.5),
            "longest_delay_ms: whole steps of dt_ms = 1",
        ),
        (
            lambda: MotifCell(small_motif(), trainable=("delays",), longest_delay_ms=2),
            "at least the longest delay of the motif",
        ),
        (lambda: MotifCell(small_motif(), dtype=torch.float16), "dtype: torch.float32 or torch.float64"),
        (lambda: MotifCell(small_motif(), engine="fused")(torch.zeros(0, 3, 2)), 'engine: "fused" needs steps on the CPU'),
        (lambda: MotifCell(small_motif())(torch.zeros(5, 3, 4)), r"x: must be \[batch, 2 channels\].*not a tensor \[5, 3, 4\]"),
        (lambda: MotifCell(small_motif())(torch.zeros(2)), r"x: must be \[batch, 2 channels\]"),
        (lambda: MotifCell(small_motif())(np.zeros((5, 2))), "not a ndarray"),
        (lambda: MotifCell(small_motif())(torch.zeros(3, 2), MotifCell(small_motif()).init_state(4)), "state: of a batch of"),
        (lambda: MotifCell(small_motif(), copies=2)(torch.zeros(3, 5, 2)), "x: must be .2 copies, batch, 2 channels"),
        (lambda: MotifLayer(small_motif(), 0, 4), "copies: a whole number above 0"),
        (lambda: MotifLayer(small_motif(), 2, 4)(torch.zeros(3, 5)), "x: must be .batch, 4."),
        (lambda: MotifLayer(small_motif(), 2, 4, init="zeros"), "init: one of motif, balanced"),
        (lambda: MotifLayer(small_motif(), 2, 4, rate_hz=0), "rate_hz: a number above 0"),
        (lambda: MotifNetwork([], 2), "layers: at least one MotifLayer"),
        (lambda: MotifNetwork([MotifLayer(small_motif(), 2, 4), MotifLayer(small_motif(), 2, 5)], 2), r"layers\[1\]: takes 5"),
        (lambda: MotifNetwork([MotifLayer(small_motif(), 2, 4)], 2)(torch.zeros(3, 4)), "x: must be a sequence"),
        (lambda: MotifNetwork([MotifLayer(small_motif(), 2, 4)], 0), "classes: a whole number above 0"),
    ],
)
def test_mistakes_are_named_in_one_line(call, message):
    with pytest.raises(UserError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
