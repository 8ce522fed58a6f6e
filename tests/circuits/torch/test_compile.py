"""Under torch.compile the plain code is what gets compiled."""

import pytest
import torch

from circuits.torch import MotifCell, MotifLayer
from tests.circuits.torch.motifs import small_motif, spikes

EVERYTHING = ("weights", "bias", "time_constants", "thresholds", "delays")


@pytest.mark.slow  # it takes 40 s to compile; the layer is made of the same code
def test_a_compiled_cell_is_the_same_cell():
    motif = small_motif(weights=(60.0, 50.0, 30.0, 9.0))
    plain = MotifCell(motif, dtype=torch.float64, trainable=EVERYTHING)
    twin = MotifCell(motif, dtype=torch.float64, trainable=EVERYTHING)
    compiled = torch.compile(twin, backend="aot_eager", fullgraph=True)
    x = spikes(8, 5, 2, rate=0.6)
    found = []
    for cell, module in ((plain, plain), (compiled, twin)):
        out, state = cell(x)
        again, state = cell(x, state.detach())
        (out.sum(0).square().sum() + again.sum() + state.v.sum()).backward()
        found.append(
            [out, again, *(t for t in state if t is not None), *(p.grad for p in module.parameters() if p.requires_grad)]
        )
    assert found[0][0].any()
    for mine, theirs in zip(*found, strict=True):
        assert torch.allclose(mine.double(), theirs.double(), rtol=1e-9)


@pytest.mark.slow
def test_a_compiled_layer_is_the_same_layer():
    torch.manual_seed(0)
    layer = MotifLayer(small_motif(weights=(60.0, 50.0, 30.0, 9.0)), copies=3, in_features=4, share=False)
    x = spikes(4, 5, 4, rate=0.7).float()
    wanted, _ = layer(x)
    found, _ = torch.compile(layer, backend="aot_eager", fullgraph=True)(x)
    assert wanted.any()
    assert torch.equal(found, wanted)
