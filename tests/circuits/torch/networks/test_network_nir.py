"""A trained network as a NIR graph: solved by NIR's equations it fires and answers as the network does."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import circuits
from circuits.errors import UserError
from circuits.torch import MotifLayer, MotifNetwork, dense_layer
from tests.circuits.torch.motifs import of_model, small_motif, spikes

nir = pytest.importorskip("nir")


@pytest.fixture(scope="module")
def solve():
    """The solver that an export comes with."""
    path = Path(circuits.__file__).parent / "export" / "scripts" / "run_nir.py"
    spec = importlib.util.spec_from_file_location("run_nir", path)
    module = importlib.util.module_from_spec(spec)
    names = dict.fromkeys(("DT_MS", "HERE", "INPUTS", "OUTPUTS", "SPIKES", "cannot_run", "compare"))
    before = sys.modules.get("example")
    sys.modules["example"] = SimpleNamespace(**names)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.modules.pop("example")
        if before is not None:
            sys.modules["example"] = before
    return module.solve


@pytest.mark.parametrize("readout_ms", [None, 12.0])
def test_a_network_fires_and_answers_by_the_equations_of_nir(readout_ms, solve, tmp_path):
    from circuits.export.network import to_nir

    torch.manual_seed(0)
    real = {"dtype": torch.float64, "share": False}
    first = MotifLayer(small_motif(weights=(60.0, 50.0, 30.0, 9.0)), 3, 4, projection="signed", spread=0.2, **real)
    second = dense_layer(6, first.out_features, seed=1, dtype=torch.float64)
    net = MotifNetwork([first, second], 3, in_features=5, readout_ms=readout_ms)
    with torch.no_grad():
        first.projection.mul_(6)
        second.projection.mul_(3)
    x = spikes(80, 1, 5, rate=0.4).double()
    path = to_nir(net, tmp_path / "network.nir")
    graph = nir.read(path)
    dt = graph.metadata["dt"]
    found = solve(graph, x[:, 0].numpy(), dt, graph.nodes["neurons"].metadata["t_ref"])
    raster, logits = net.simulate(x)
    assert found.sum() > 100
    assert np.array_equal(found, raster.spikes()[0])
    pulses = found @ graph.nodes["ports"].weight.T @ graph.nodes["readout_weights"].weight.T
    if readout_ms is None:
        integrated = graph.nodes["readout"].r * pulses.sum(0)
    else:
        keep, integrated = np.exp(-dt / graph.nodes["readout"].tau), []
        for row in pulses:
            integrated.append((integrated[-1] if integrated else 0) * keep + row)
    wanted = np.array(integrated) @ graph.nodes["readout_bias"].weight.T + graph.nodes["readout_bias"].bias
    np.testing.assert_allclose(logits[:, 0] if readout_ms else logits[0], wanted, rtol=1e-5, atol=1e-5)
    with pytest.raises(UserError, match="exists already"):
        to_nir(net, path)


def test_what_nir_does_not_have_is_refused(tmp_path):
    from circuits.export.network import to_nir

    adaptive = of_model(small_motif(), "alif_psc_exp", np.random.default_rng(0))
    with pytest.raises(UserError, match="nir: alif_psc_exp neurons cannot be exported"):
        to_nir(MotifNetwork([MotifLayer(adaptive, 2, 3)], 2), tmp_path / "network.nir")
