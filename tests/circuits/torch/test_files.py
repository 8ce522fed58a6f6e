"""Trained networks are saved: as one file, as motifs, as one circuit in the simulator."""

import copy

import numpy as np
import pytest
import torch

import circuits
from circuits.errors import UserError
from circuits.torch import Lateral, MixedLayer, MotifCell, MotifLayer, MotifNetwork, dense_layer, load, save
from circuits.torch.assemble import assembly
from tests.circuits.torch.motifs import of_model, random_circuit, small_motif, spikes

STRONG = (60.0, 50.0, 30.0, 9.0)
REAL = {"dtype": torch.float64}


def networks():
    motif = small_motif(weights=STRONG)
    excites = MotifLayer(motif, 3, 6, share=False, spread=0.2, **REAL)
    lateral = MotifLayer(motif, 3, excites.out_features, lateral=Lateral(weight_mv=3.0), **REAL)
    yield "excitatory", MotifNetwork([excites, lateral], 3)
    signed = MotifLayer(motif, 3, 4, share=False, projection="signed", outputs="all", trainable=("weights", "delays"), **REAL)
    yield "signed", MotifNetwork([signed], 2, in_features=9, batch_first=True, readout_ms=15.0)
    adaptive = of_model(
        random_circuit(np.random.default_rng(2), neurons=4, channels=2), "alif_psc_exp", np.random.default_rng(3)
    )
    parts = [MotifLayer(adaptive, copies, 5, **REAL, credit="local", clip=0.5, dampening=0.3) for copies in (2, 3)]
    yield "mixed", MotifNetwork([MixedLayer(parts)], 2)
    yield "dense", MotifNetwork([dense_layer(8, 5, dale=False, **REAL)], 2)


with torch.random.fork_rng():
    torch.manual_seed(0)  # whatever was imported before
    NETWORKS = dict(networks())


def disturbed(name):
    """A trained network, and spikes for it."""
    torch.manual_seed(1)
    net = copy.deepcopy(NETWORKS[name])
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.rand_like(parameter) * parameter.abs())
        for layer in net.modules():
            if isinstance(layer, MotifLayer):
                layer.projection.mul_(3)
    shape = (7, 60, net.in_features) if net.batch_first else (60, 7, net.in_features)
    return net.eval(), spikes(*shape, rate=0.3).double()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_has_the_whole_network(name, tmp_path):
    net, x = disturbed(name)
    twin = load(save(net, tmp_path / "net.safetensors")).eval()
    assert net.spikes(x).sum() > 100
    assert torch.equal(twin(x), net(x))
    assert [p.requires_grad for p in twin.parameters()] == [p.requires_grad for p in net.parameters()]
    assert repr(twin) == repr(net)
    for mine, theirs in zip(net.modules(), twin.modules(), strict=True):
        if isinstance(mine, MotifCell):
            assert mine.settings == theirs.settings
            assert mine.motif == theirs.motif


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_runs_in_the_simulator_with_the_same_spikes(name):
    net, x = disturbed(name)
    raster, logits = net.simulate(x)
    found = torch.from_numpy(raster.spikes())
    rows = x.transpose(0, 1) if net.batch_first else x
    features = rows if net.input_projection is None else net.input_projection(rows)
    wanted = []
    for layer in net.layers:
        everything, _ = layer.run(features)
        wanted.append(everything)
        features = everything.index_select(-1, layer.read)
    assert torch.equal(torch.cat(wanted, -1).transpose(0, 1) == 1, found)
    assert found.sum() > 100
    assert torch.allclose(logits, net(x))


def test_an_excitatory_network_is_one_circuit_and_its_copies_are_motifs():
    net, x = disturbed("excitatory")
    circuit = net.to_circuit()
    raster, _ = net.simulate(x)
    assert np.array_equal(circuits.simulate(circuit, x.transpose(0, 1).numpy() == 1).spikes(), raster.spikes())
    assert [len(motifs) for motifs in net.to_motifs()] == [3, 1]
    assert net.to_motifs()[0][2] == net.layers[0].cell.to_motif(2)
    with pytest.raises(UserError, match=r"the network is no circuit: .*weight_mv.*simulate.* runs it") as caught:
        disturbed("signed")[0].to_circuit()
    assert "\n" not in str(caught.value)


def test_signed_weights_have_any_sign_and_are_no_motif():
    layer = dense_layer(12, 4, dale=False, seed=3)
    assert (layer.cell.excitatory.weight < 0).any()
    assert (layer.cell.excitatory.weight > 0).any()
    layer(spikes(40, 8, 4, rate=0.4).float())[0].sum().backward()
    assert layer.cell.excitatory.free.grad.any()
    assert layer.cell.input.free.grad is None
    with pytest.raises(UserError, match="signed weights broke Dale's law"):
        layer.to_motifs()
    kept = dense_layer(12, 4, seed=3, parameters={"tau_m_ms": (5.0, 20.0)}).to_motifs()[0]
    assert len(kept.synapses) == 144
    assert 5 <= kept.neurons[3].tau_m_ms <= 20


def test_layers_and_cells_travel_as_well(tmp_path):
    cell = MotifCell(small_motif(), copies=2, parametrisation="softplus", trainable=("weights", "thresholds"))
    twin = load(save(cell, tmp_path / "cell"))
    x = spikes(30, 2, 4, 2, rate=0.6)
    assert torch.equal(twin(x)[0], cell(x)[0])
    with pytest.raises(UserError, match=r"module: a MotifNetwork, .* not Linear"):
        save(torch.nn.Linear(2, 2), tmp_path / "linear")
    with pytest.raises(UserError, match="module: a MotifNetwork"):
        save(MotifCell(assembly(small_motif(), 3, None)), tmp_path / "assembly")


@pytest.mark.parametrize("damage", ["cut", "other", "empty", "missing", "newer", "motif"])
def test_a_file_that_is_no_network_is_refused_in_one_line(damage, tmp_path):
    path = save(NETWORKS["dense"], tmp_path / "net.safetensors")
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        newer = content.replace(b'{\\"version\\": 1,', b'{\\"version\\": 9,')
        motif = content.replace(b"lif_psc_exp", b"lif_psc_xxx")
        assert newer != content != motif
        damaged = {"cut": content[:-9], "other": b"{}", "empty": b"", "newer": newer, "motif": motif}
        path.write_bytes(damaged[damage])
    with pytest.raises(UserError, match=r"net\.safetensors: ") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_input_that_is_no_spikes_is_refused_by_the_simulator():
    with pytest.raises(UserError, match="x: the simulator takes spikes"):
        NETWORKS["dense"].simulate(torch.rand(5, 2, 5))
