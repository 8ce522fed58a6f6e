"""Networks of motifs, by hand and from a description."""

import pytest
import torch

import circuits
from circuits.errors import UserError
from circuits.torch import Lateral, MixedLayer, MotifLayer, MotifNetwork
from tests.circuits.torch.motifs import small_motif, spikes

STRONG = (20.0, 20.0, 10.0, 10.0)


@pytest.mark.parametrize("share", [True, False])
def test_a_network_of_motifs_learns_to_classify(share):
    motif = small_motif(weights=STRONG)
    layers = [MotifLayer(motif, 4, 6, share=share), MotifLayer(motif, 3, 8, share=share)]
    network = MotifNetwork(layers, classes=2, batch_first=True)
    label = torch.arange(32) % 2
    x = spikes(32, 40, 6, rate=0.1).float()
    x[label == 0, :, :3] += spikes(16, 40, 3, rate=0.3, seed=1)
    x[label == 1, :, 3:] += spikes(16, 40, 3, rate=0.3, seed=2)
    optimizer, losses = torch.optim.Adam(network.parameters(), lr=0.02), []
    for _ in range(40):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(x), label)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    grads = [parameter.grad for parameter in network.layers[0].parameters() if parameter.requires_grad]
    assert all((grad != 0).any() for grad in grads)


def test_a_network_counts_the_spikes_of_all_neurons():
    network = MotifNetwork([MotifLayer(small_motif(weights=STRONG), 2, 6), MotifLayer(small_motif(), 3, 4)], classes=2)
    x = spikes(50, 5, 6, rate=0.4)
    found = network.spikes(x)
    assert found.shape == (5, 2)
    assert torch.equal(found[:, 0], network.layers[0].run(x)[0].sum((0, 2)).long())
    assert (found[:, 0] > 0).all()
    assert not found.requires_grad


def networks():
    """One layer after the other, wired with their neighbours, mixed, sharing and not."""
    one, two = small_motif(weights=STRONG), small_motif(weights=(30.0, 5.0, 2.0, 1.0))
    mixed = MixedLayer([MotifLayer(one, 2, 6), MotifLayer(two, 3, 6, share=False, lateral=Lateral(reach=1, to="E"))])
    yield MotifNetwork([MotifLayer(one, 3, 6, lateral=Lateral(reach=1, to="E")), MotifLayer(two, 2, 6, share=False)], 2)
    yield MotifNetwork([mixed, MotifLayer(one, 3, mixed.out_features, outputs="all")], 3)


@pytest.mark.parametrize("which", range(2))
def test_logits_and_counts_come_from_one_pass_and_both_have_gradients(which):
    network = list(networks())[which]
    x = spikes(50, 5, 6, rate=0.4).float()
    logits, counts = network.forward_with_spikes(x)
    assert torch.equal(logits, network(x))
    assert torch.equal(counts.long(), network.spikes(x))
    counts[:, 0].mean().backward()
    projection = next(p for name, p in network.layers[0].named_parameters() if name.endswith("projection"))
    assert (projection.grad != 0).any()


def test_many_lines_are_brought_together_before_the_first_layer():
    motif, x = small_motif(weights=STRONG), spikes(40, 5, 30, rate=0.3).float()
    parts = [MotifLayer(motif, 2, 3, projection="signed"), MotifLayer(motif, 1, 3, projection="signed")]
    for layer in (parts[0], MixedLayer(parts)):
        network = MotifNetwork([layer], 4, in_features=30)
        assert torch.equal(network(x), network.readout(layer(network.input_projection(x))[0].sum(0)))
        assert network.input_projection.weight.shape == (3, 30)
        network(x).square().sum().backward()
        assert (network.input_projection.weight.grad != 0).all()
        older = network.state_dict()
        older["together.weight"] = older.pop("input_projection.weight") + 1
        network.load_state_dict(older)
        assert torch.equal(network.input_projection.weight, older["together.weight"]), "as version 0.4 named it"
    with pytest.raises(UserError, match=r'in_features: .* layers\[0\] needs projection="signed"'):
        MotifNetwork([MotifLayer(motif, 2, 3)], 4, in_features=30)
    with pytest.raises(UserError, match=r"x: must be a sequence, \[steps, batch, 30\], not \[40, 5, 3\]"):
        network(x[..., :3])


@pytest.fixture
def files(tmp_path):
    """Two motif files and a network of them."""
    circuits.save(small_motif(weights=STRONG, run="first"), tmp_path / "a.json")
    circuits.save(small_motif(weights=(30.0, 5.0, 2.0, 1.0), run="second"), tmp_path / "b.json")
    path = tmp_path / "network.toml"
    path.write_text(
        """
        inputs = 6
        classes = 3
        batch_first = true

        [[layers]]
        motif = "a.json"
        copies = 4
        share = false

        [[layers]]
        mixed = [{motif = "a.json", copies = 2}, {motif = "b.json", copies = 5, lateral = {reach = 1, to = "E"}}]

        [options]
        trainable = ["weights", "bias"]
        surrogate = "arctan"
        slope = 2.0
        """
    )
    return path


def test_a_network_is_described_in_a_few_lines(files):
    network = MotifNetwork.from_config(files)
    first, second = network.layers
    assert (first.copies, first.share, first.in_features) == (4, False, 6)
    assert isinstance(second, MixedLayer)
    assert [layer.cell.motif.provenance.run for layer in second.layers] == ["first", "second"]
    assert len(second.layers[1].cell.motif.neurons) == 15
    assert all(layer.cell.surrogate == "arctan" and layer.cell.slope == 2 for layer in (first, *second.layers))
    assert first.cell.lif.bias_mv.requires_grad
    assert network(spikes(7, 30, 6)).shape == (7, 3)


def test_a_description_may_be_a_dict_with_motifs_in_it():
    motif = small_motif(run="mine")
    config = {"inputs": 4, "classes": 2, "layers": [{"motif": motif, "copies": 3}], "dtype": "float64"}
    network = MotifNetwork.from_config(config)
    assert network.layers[0].cell.motif == motif
    assert network(spikes(20, 5, 4)).dtype == torch.float64


def test_a_description_may_bring_its_inputs_together():
    layer = {"motif": small_motif(), "copies": 3, "projection": "signed"}
    network = MotifNetwork.from_config({"inputs": 40, "features": 4, "classes": 2, "layers": [layer]})
    assert network.layers[0].in_features == 4
    assert network(spikes(20, 5, 40)).shape == (5, 2)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("inputs = 6", "inputs = 6\nfeatures = 2", r"network.toml: in_features: .* needs projection=.signed"),
        ("inputs = 6", "input = 6", "inputs: is missing"),
        ("classes = 3", "classes = 0", "classes: "),
        ("copies = 4", "copys = 4", r"layers\[0\].copys: unknown key; did you mean copies"),
        ('motif = "a.json"\n', "", r"layers\[0\]: needs a motif, or several"),
        ("a.json", "c.json", r"layers\[0\]: .*c.json: there is no such file"),
        ("reach = 1", "reach = 3", r"layers\[1\]: lateral.reach: .*not 3"),
        ("reach = 1", "far = 1", r"layers\[1\]: lateral: unknown key 'far'"),
        ('"arctan"', '"step"', r"layers\[0\]: surrogate: one of"),
        ("classes = 3", "classes = ", "is not TOML"),
    ],
)
def test_a_bad_description_is_named_by_file_and_place(files, before, after, message):
    text = files.read_text()
    assert before in text
    files.write_text(text.replace(before, after, 1))
    with pytest.raises(UserError, match=message) as caught:
        MotifNetwork.from_config(files)
    assert str(caught.value).startswith(str(files))
    assert "\n" not in str(caught.value)


def test_a_description_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none.toml: there is no such file"):
        MotifNetwork.from_config(tmp_path / "none.toml")


def test_a_description_takes_motifs_of_the_zoo_and_may_begin_with_a_byte_order_mark(tmp_path):
    layer = {"motif": "zoo:gate-3", "copies": 2}
    described = MotifNetwork.from_config({"inputs": 4, "classes": 2, "layers": [layer]})
    path = tmp_path / "network.toml"
    text = 'inputs = 4\nclasses = 2\n[[layers]]\nmotif = "zoo:gate-3"\ncopies = 2\n'
    path.write_text(text, encoding="utf-8-sig")
    count = sum(p.numel() for p in described.parameters())
    assert sum(p.numel() for p in MotifNetwork.from_config(path).parameters()) == count > 0
    with pytest.raises(UserError, match=r"layers\[0\]: the zoo has no 'gate-9'"):
        MotifNetwork.from_config({"inputs": 4, "classes": 2, "layers": [layer | {"motif": "zoo:gate-9"}]})
