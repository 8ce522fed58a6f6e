"""Layers: copies behind a projection, wired with their neighbours or not, different motifs mixed; where they begin."""

import copy

import numpy as np
import pytest
import torch

import circuits
from circuits.errors import UserError
from circuits.torch import Lateral, MixedLayer, MotifCell, MotifLayer, assemble, balance_, drive_
from circuits.torch.lif import INDEX
from circuits.torch.positive import PARAMETRISATIONS
from tests.circuits.torch.motifs import random_circuit, small_motif, spikes
from tests.products import few_of

STRONG = (60.0, 50.0, 30.0, 9.0)


@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_copies_with_their_own_weights_behave_as_shared_ones_while_the_weights_are_equal(engine):
    motif = random_circuit(np.random.default_rng(5), neurons=6, channels=2)
    options = {"copies": 3, "in_features": 4, "dtype": torch.float64, "engine": engine}
    shared, own = MotifLayer(motif, **options), MotifLayer(motif, share=False, batch_first=True, **options)
    own.projection.data.copy_(shared.projection.data)
    assert own.cell.excitatory.free.shape == (3, *shared.cell.excitatory.free.shape)
    x = spikes(50, 5, 4)
    out, state = shared(x)
    other, _ = own(x.transpose(0, 1))
    assert out.shape == (50, 5, shared.out_features)
    assert out.any()
    assert torch.equal(other.transpose(0, 1), out)
    if engine == "eager":
        step, _ = shared(x[0], state)
        assert step.shape == (5, shared.out_features)
    with torch.no_grad():
        own.cell.input.free[1] = 0
    changed, _ = own(x.transpose(0, 1))
    slots = own.out_features // 3
    assert torch.equal(changed[..., :slots], other[..., :slots])
    assert not torch.equal(changed[..., slots : 2 * slots], other[..., slots : 2 * slots])
    assert [s.weight_mv for c in own.cell.to_motif(1).inputs for s in c.synapses] == [0.0] * (2 * 2 * 6)


def test_a_copy_of_a_layer_is_a_cell_on_its_columns_of_the_projection():
    motif = random_circuit(np.random.default_rng(6), neurons=7, channels=3)
    layer = MotifLayer(motif, copies=4, in_features=5, share=False, spread=0.3, dtype=torch.float64)
    x = spikes(60, 6, 5, rate=0.4).double()
    out, _ = layer(x)
    everything, _ = layer.run(x)
    assert out.any()
    for k in range(4):
        cell = MotifCell(layer.cell.to_motif(k), dtype=torch.float64)
        drive = x @ layer.projection_weight[:, 3 * k : 3 * (k + 1)]
        slots = len(cell.readout)
        assert torch.equal(cell(drive)[0], out[..., k * slots : (k + 1) * slots])
        assert torch.equal(cell.run(drive)[0], everything[..., 7 * k : 7 * (k + 1)])


@pytest.mark.parametrize("parametrisation", PARAMETRISATIONS)
def test_a_projection_never_inhibits(parametrisation):
    layer = MotifLayer(small_motif(), copies=2, in_features=3, parametrisation=parametrisation)
    with torch.no_grad():
        layer.projection.mul_(-1)
    _, state = layer(torch.ones(5, 1, 3))
    assert (state.inputs >= 0).all()


def test_a_signed_projection_may_inhibit_and_the_synapses_behind_it_keep_their_signs():
    layer = MotifLayer(small_motif(), copies=50, in_features=3, projection="signed")
    assert 0.3 < (layer.projection_weight < 0).double().mean() < 0.7
    (layer(spikes(40, 8, 3, rate=0.5).float())[0].sum() - 100).square().backward()
    torch.optim.SGD(layer.parameters(), 10.0).step()
    assert layer.projection.grad.any()
    assert (layer.cell.input.weight >= 0).all()
    with pytest.raises(UserError, match="projection: one of excitatory, signed"):
        MotifLayer(small_motif(), 2, 3, projection="free")


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_neighbours_hold_one_another_back(share, engine):
    motif = small_motif(weights=STRONG)
    counts = {}
    for weight in (0.0, 200.0):
        lateral = Lateral(reach=1, to="I", weight_mv=weight)
        layer = MotifLayer(motif, copies=5, in_features=10, share=share, lateral=lateral, engine=engine)
        layer.set_projection(torch.eye(10))
        x = torch.zeros(80, 3, 10)
        x[::4, :, [2, 4]] = 1  # the left channels of copies 1 and 2
        x[:, :, 5] = spikes(80, 3, rate=0.2).float()  # and the right one of copy 2, which drives its b
        counts[weight] = layer.run(x)[0].sum((0, 1)).unflatten(0, (5, 3))
    a, b, i = 0, 1, 2
    assert counts[0.0][3].sum() == 0
    assert counts[200.0][3, i] > 0  # hears copy 2, in whose ring it is next
    assert counts[200.0][4].sum() == 0  # and copy 4 is too far
    assert counts[200.0][2, b] < counts[0.0][2, b]
    assert counts[200.0][1, a] == counts[0.0][1, a]


def test_lateral_weights_learn_and_are_shared_by_offset():
    lateral = Lateral(reach=2, to="both", weight_mv=3.0, delay_ms=2.0)
    shared = MotifLayer(small_motif(weights=STRONG), copies=6, in_features=4, lateral=lateral)
    own = MotifLayer(small_motif(weights=STRONG), copies=6, in_features=4, lateral=lateral, share=False)
    inside, between = 3, 2 * 4 * 3  # synapses; 2 sources to 3 neurons at 4 offsets
    assert sum(k.free.numel() for k in (shared.cell.excitatory, shared.cell.inhibitory)) == inside + between
    assert sum(k.free.numel() for k in (own.cell.excitatory, own.cell.inhibitory)) == 6 * (inside + between)
    out, _ = shared(spikes(60, 3, 4, rate=0.5))
    out.sum().backward()
    assert (shared.cell.excitatory.free.grad != 0).all()
    assert own.cell.motif == assemble(small_motif(weights=STRONG), 6, lateral)
    assert {s.delay_ms for s in own.cell.motif.synapses if s.weight_mv == 3.0} == {2.0}


def test_ids_that_are_one_text_are_two_neurons_in_an_assembly():
    neurons = [{"id": n, "sign": "E"} for n in (1, "1", "1'")]
    whole = assemble(
        circuits.Circuit(
            dt_ms=1.0,
            neurons=neurons,
            synapses=[{"pre": 1, "post": "1", "weight_mv": 2.0, "delay_ms": 1.0}],
            outputs=[{"name": "out", "neurons": ["1", 1]}],
        ),
        2,
    )
    assert [n.id for n in whole.neurons] == ["0.1", "0.1'", "0.1''", "1.1", "1.1'", "1.1''"]
    assert [(s.pre, s.post) for s in whole.synapses] == [("0.1", "0.1'"), ("1.1", "1.1'")]
    assert whole.outputs[1].neurons == ("1.1'", "1.1")


def test_an_assembly_without_lateral_wiring_is_so_many_circuits_at_once():
    motif = random_circuit(np.random.default_rng(3), neurons=6, channels=2)
    x = spikes(4, 60, 4, rate=0.3).numpy()
    whole = circuits.simulate(assemble(motif, 2), x)
    parts = [circuits.simulate(motif, np.ascontiguousarray(x[..., 2 * k : 2 * k + 2])).spikes() for k in (0, 1)]
    assert np.array_equal(whole.spikes(), np.concatenate(parts, -1))
    assert whole.names[6] == "1.n0"


@pytest.mark.parametrize(
    ("lateral", "message"),
    [
        (Lateral(reach=2), "lateral.reach: a whole number from 1, and at most 1 of 4 copies"),
        (Lateral(to="X"), "lateral.to: one of E, I, both"),
        (Lateral(weight_mv=-1.0), "lateral: .*weight_mv"),
        (Lateral(delay_ms=0.5), "lateral: .*delay_ms"),
    ],
)
def test_lateral_wiring_that_cannot_be_is_refused(lateral, message):
    with pytest.raises(UserError, match=message) as caught:
        MotifLayer(small_motif(), copies=4, in_features=2, lateral=lateral)
    assert "\n" not in str(caught.value)


def test_mixed_layers_put_out_what_their_parts_do():
    one = MotifLayer(small_motif(weights=STRONG), copies=2, in_features=4)
    two = MotifLayer(random_circuit(np.random.default_rng(9), neurons=5, channels=1), copies=3, in_features=4)
    with pytest.raises(UserError, match="the same dt_ms"):
        MixedLayer([one, two])
    two = MotifLayer(small_motif(weights=(90.0, 10.0, 5.0, 3.0)), copies=3, in_features=4)
    mixed, x = MixedLayer([one, two]), spikes(40, 3, 4, rate=0.4)
    out, state = mixed(x)
    assert torch.equal(out, torch.cat([one(x)[0], two(x)[0]], -1))
    assert out.shape[-1] == mixed.out_features
    again, _ = mixed(x, state)
    assert torch.equal(again[..., : one.out_features], one(x, state[0])[0])
    assert mixed.run(x)[0].shape == (40, 3, 15)
    with pytest.raises(UserError, match="the same number of input features"):
        MixedLayer([one, MotifLayer(small_motif(), 2, 5)])


@pytest.mark.parametrize(
    ("rate_hz", "lines", "projection"),
    few_of([5.0, 50.0], [10, 300], ["excitatory", "signed"], few=[(5.0, 300, "excitatory"), (50.0, 10, "signed")]),
)
def test_a_fresh_projection_brings_neurons_to_threshold_by_fluctuations(rate_hz, lines, projection):
    motif = circuits.Circuit(
        dt_ms=1.0,
        neurons=[{"id": k, "sign": "E", "tau_m_ms": 10.0 + k} for k in range(4)],
        inputs=[{"name": f"in{k}", "synapses": [{"post": k, "weight_mv": 2.0, "delay_ms": 1.0}]} for k in range(4)],
        outputs=[{"name": "out", "neurons": list(range(4))}],
    )
    layer = MotifLayer(motif, copies=20, in_features=lines, rate_hz=rate_hz, projection=projection)
    free = copy.deepcopy(layer)
    free.cell.lif.table[:, 7] = 1e9  # no threshold: the free potential
    x = (torch.rand(2000, 4, lines) < rate_hz / 1000).float()
    state, seen = None, []
    for k in range(0, 2000, 20):
        _, state = free(x[k : k + 20], state)
        seen.append(state.v.detach())
    v = torch.stack(seen[10:]).double()
    assert (v.mean() + 2 * v.std((0, 2)).mean()).item() == pytest.approx(15, rel=0.25)
    rate = layer(x)[0].mean().item() * 1000
    assert 0.5 < rate < 60


def test_balanced_copies_hear_as_much_inhibition_as_excitation():
    motif = random_circuit(np.random.default_rng(1), neurons=12, channels=2)
    cell = MotifLayer(motif, copies=3, in_features=4, init="balanced", share=False, spread=0.5, dtype=torch.float64).cell
    assert not torch.equal(cell.input.weight[0], cell.input.weight[1])
    now = cell.lif.now().detach()[0]
    for k in range(3):
        heard = {sign: np.zeros(12) for sign in "EI"}
        kinds = (("E", cell.input, "tau_syn_e_ms"), ("E", cell.excitatory, "tau_syn_e_ms"))
        for sign, kind, tau in (*kinds, ("I", cell.inhibitory, "tau_syn_i_ms")):
            for target, weight in zip(kind.target.tolist(), kind.weight[k].tolist(), strict=True):
                heard[sign][target] += weight * now[target, INDEX[tau]].item()
        both = (heard["E"] > 0) & (heard["I"] > 0)
        assert both.sum() >= 2
        assert heard["I"][both] == pytest.approx(heard["E"][both])


def test_initialising_again_changes_the_layer_in_place():
    layer = MotifLayer(small_motif(), copies=2, in_features=3)
    before, parameter = layer.projection_weight.clone(), layer.projection
    drive_(layer, 100.0)
    assert layer.projection is parameter
    assert layer.projection_weight.mean() < before.mean()
    balance_(layer.cell)
    assert layer.cell.inhibitory.weight.item() == pytest.approx((8 + 5) * 2 / 5)  # charge: E 8 + 5 mV for 2 ms, I for 5 ms
