"""The counts that NeuroBench takes of a network, beside a count by hand of its spikes and synapses."""

import numpy as np
import pytest
import torch

from circuits.torch import MixedLayer, MotifLayer, MotifNetwork
from circuits.torch.neurobench import Reading, neurobench_model
from tests.circuits.torch.motifs import small_motif, spikes

TRIALS, STEPS, LINES, COPIES, CLASSES = 6, 50, 4, (3, 2), 3


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    first = MotifLayer(small_motif(weights=(60.0, 50.0, 30.0, 9.0)), COPIES[0], LINES, projection="signed", share=False)
    second = MotifLayer(small_motif(weights=(60.0, 50.0, 30.0, 9.0)), COPIES[1], first.out_features)
    with torch.no_grad():
        first.projection.mul_(4)
        first.projection[0, :2] = 0  # a silent part of the projection
    return MotifNetwork([first, MixedLayer([second])], CLASSES).eval()


@pytest.fixture(scope="module")
def by_hand(network):
    """Counts from the wiring of `small_motif`: a -> i, b; i -> b; left -> a; right -> b, i."""
    x = spikes(TRIALS, STEPS, LINES, rate=0.4).float()
    with torch.no_grad():
        early, _ = network.layers[0].run(x.transpose(0, 1))
        late, _ = network.layers[1].run(early[..., network.layers[0].read])
    lines = x.sum((0, 1)).numpy()
    a, b, i = (early.sum((0, 1)).view(COPIES[0], 3).numpy()[:, n] for n in range(3))
    a2, b2, i2 = (late.sum((0, 1)).view(COPIES[1], 3).numpy()[:, n] for n in range(3))
    behind = 3  # synapses behind the channels of a copy
    effective = lines.sum() * behind * COPIES[0] - lines[0] * behind  # without the weights of 0, both channels of a copy
    effective += (2 * a + i).sum() + (a + b).sum() * behind * COPIES[1]
    effective += (2 * a2 + i2).sum() + (a2 + b2).sum() * CLASSES
    features = 2 * COPIES[0]
    synapses = behind * COPIES[0] * LINES - behind + behind * COPIES[1] * features + 3 * sum(COPIES)
    dense = STEPS * (synapses + 2 * COPIES[1] * CLASSES)
    fired = early.sum() + late.sum()
    weights = synapses + 2 * COPIES[1] * CLASSES + CLASSES
    return x, {
        "sparsity": 1 - float(fired) / (TRIALS * STEPS * 3 * sum(COPIES)),
        "effective": effective / TRIALS,
        "dense": dense,
        "footprint": 4 * weights + 6 * synapses + 3 * sum(COPIES) * (9 * 4 + 2),
        "fired": float(fired),
    }


def test_the_parts_that_neurobench_hooks_have_the_counts_of_the_wiring(network, by_hand):
    x, wanted = by_hand
    reading, found = Reading(network), {"effective": 0, "dense": 0}

    def count(layer, inputs):
        binary = (inputs[0] != 0).float()
        found["effective"] += float((binary @ (layer.weight != 0).float().T).sum())
        found["dense"] += layer.weight.numel() * binary[..., 0].numel()

    def zeros(module, inputs, output):
        found["sparsity"] = float((output == 0).float().mean())

    hooks = [layer.register_forward_pre_hook(count) for layer in (*reading.synapses, reading.readout)]
    hooks.append(reading.spikes.register_forward_hook(zeros))
    logits = reading(x)
    assert torch.allclose(logits, network(x.transpose(0, 1)))
    assert wanted["fired"] > 100
    assert found["effective"] / TRIALS == pytest.approx(wanted["effective"])
    assert found["dense"] / TRIALS == wanted["dense"]
    assert found["sparsity"] == pytest.approx(wanted["sparsity"], rel=1e-6)
    assert sum(t.numel() * t.element_size() for t in (*reading.parameters(), *reading.buffers())) == wanted["footprint"]


def test_neurobench_itself_counts_so(network, by_hand):
    pytest.importorskip("neurobench")
    from neurobench.benchmarks import Benchmark
    from neurobench.metrics.static import ConnectionSparsity, Footprint
    from neurobench.metrics.workload import ActivationSparsity, SynapticOperations
    from torch.utils.data import DataLoader, TensorDataset

    x, wanted = by_hand
    loader = DataLoader(TensorDataset(x, torch.zeros(TRIALS, dtype=torch.int64)), batch_size=3)
    metrics = [[Footprint, ConnectionSparsity], [ActivationSparsity, SynapticOperations]]
    found = Benchmark(neurobench_model(network), loader, [], [lambda logits: logits.argmax(-1)], metrics).run(quiet=True)
    assert found["Footprint"] == wanted["footprint"]
    assert found["ActivationSparsity"] == pytest.approx(wanted["sparsity"], rel=1e-6)
    operations = found["SynapticOperations"]
    assert operations["Effective_ACs"] == pytest.approx(wanted["effective"])
    assert operations["Effective_MACs"] == 0
    assert operations["Dense"] == wanted["dense"]


def test_reals_are_multiplied(network):
    reading, kinds = Reading(network), []
    for layer, (kind, _) in zip(reading.synapses, reading.sources, strict=True):
        layer.register_forward_pre_hook(lambda _, x, kind=kind: kinds.append((kind, bool(np.isin(x[0], (0, 1)).all()))))
    reading(torch.rand(2, 10, LINES))
    assert {binary for kind, binary in kinds if kind == "neurons"} == {True}
    assert {binary for kind, binary in kinds if kind == "features"} == {False}
