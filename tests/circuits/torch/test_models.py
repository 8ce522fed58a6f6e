"""Every model that trains: spikes of the simulator, gradients of the equations, and what cannot train is refused by name."""

import numpy as np
import pytest
import torch

import circuits
from circuits.errors import UserError
from circuits.neurons import MODELS
from circuits.torch import Lateral, MotifCell, MotifLayer
from circuits.torch.models import FORMS
from tests.circuits.torch.motifs import of_model, random_circuit, small_motif, spikes
from tests.products import some_of

KINDS = [(model, share) for model in FORMS for share in (0.0, 0.5) if (model, share) != ("lif_psc_exp", 0.0)]
FEW = some_of(KINDS, few=[kind for kind in KINDS if kind not in (("lif_cond_exp", 0.5), ("alif_psc_exp", 0.5))])
EVERYTHING = ("weights", "bias", "time_constants", "thresholds")


def problem(model, short_term, seed, neurons=None):
    rng = np.random.default_rng([seed, len(model), int(2 * short_term)])
    circuit = of_model(random_circuit(rng, neurons=neurons, channels=None if neurons is None else 2), model, rng, short_term)
    return circuit, rng.random((8, 80, len(circuit.inputs))) < rng.uniform(0.02, 0.3)


@pytest.mark.parametrize(("model", "short_term"), FEW)
def test_in_float64_the_spikes_are_those_of_the_simulator(model, short_term):
    counts = []
    for seed in range(8):
        circuit, trials = problem(model, short_term, seed)
        expected = circuits.simulate(circuit, trials)
        counts.append(expected.counts().sum())
        cells = [MotifCell(circuit, dtype=torch.float64, batch_first=True, engine=engine) for engine in ("auto", "eager")]
        for before, after in (cells, cells[::-1]):  # as well in two parts, by two engines
            with torch.no_grad():
                first, state = before.run(torch.from_numpy(trials[:, :30]))
                second, _ = after.run(torch.from_numpy(trials[:, 30:]), state)
            assert np.array_equal(torch.cat([first, second], 1).numpy() == 1, expected.spikes()), seed
    assert np.median(counts) > 100


@pytest.mark.parametrize(("model", "short_term"), FEW)
def test_learnt_parameters_go_back_to_the_simulator(model, short_term):
    circuit, trials = problem(model, short_term, 3, neurons=8)
    cell = MotifCell(circuit, dtype=torch.float64, batch_first=True, trainable=EVERYTHING)
    assert cell.to_motif().circuit == circuit
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.05 * torch.rand_like(parameter))
    expected = circuits.simulate(cell.to_motif(), trials)
    assert expected.counts().sum() > 100
    assert np.array_equal(cell.run(torch.from_numpy(trials))[0].detach().numpy() == 1, expected.spikes())


@pytest.mark.parametrize(("model", "short_term"), FEW)
def test_gradients_below_threshold_are_those_of_finite_differences(model, short_term):
    rng = np.random.default_rng(0)
    circuit = of_model(small_motif(weights=(2.0, 1.5, 0.0, 0.0)), model, rng, short_term=2 * short_term)
    narrow = 1e6  # the surrogate derivative is all but 0 as far below threshold as this
    cell = MotifCell(circuit, dtype=torch.float64, trainable=EVERYTHING, slope=narrow)
    names = ["input.free", *(name for name, _ in cell.named_parameters() if name.startswith("lif.") and "gap" not in name)]
    x = 0.8 * torch.rand(8, 1, 2, dtype=torch.float64) + 0.1
    x.requires_grad_()

    def potential(x, *parameters):
        _, state = torch.func.functional_call(cell, dict(zip(names, parameters, strict=True)), (x,))
        return state.v

    assert cell(x)[0].sum() == 0
    assert torch.autograd.gradcheck(potential, (x, *(cell.get_parameter(name) for name in names)), fast_mode=True)


@pytest.mark.parametrize(("model", "short_term"), FEW)
def test_a_layer_of_any_model_learns(model, short_term):
    circuit = of_model(small_motif(weights=(60.0, 50.0, 30.0, 9.0)), model, np.random.default_rng(0), 2 * short_term)
    layer = MotifLayer(circuit, 3, 4, share=False, trainable=EVERYTHING, clip=1.0, spread=0.1, dtype=torch.float64)
    x, losses = spikes(20, 8, 4, rate=0.4).double(), []
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    for _ in range(8):
        optimizer.zero_grad()
        loss = (layer(x)[0].sum((0, 2)) - 9.0).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in layer.parameters())


def test_copies_and_lateral_wiring_keep_the_plasticity_of_their_synapses():
    circuit = of_model(small_motif(weights=(60.0, 50.0, 30.0, 9.0)), "alif_psc_exp", np.random.default_rng(1), 1.0)
    x = spikes(60, 3, 4, rate=0.4).float()
    shared, own = (MotifLayer(circuit, 3, 4, share=share, dtype=torch.float64) for share in (True, False))
    shared.set_projection(torch.ones(4, 6))
    own.load_state_dict(own.state_dict() | {"projection": shared.projection})
    assert torch.equal(shared.run(x)[0], own.run(x)[0])
    assert shared.run(x)[0].any()
    together = MotifLayer(circuit, 3, 4, lateral=Lateral(weight_mv=0.0), dtype=torch.float64)
    together.load_state_dict(together.state_dict() | {"projection": shared.projection})
    assert torch.equal(together.run(x)[0], shared.run(x)[0])


def test_conversions_round_the_constants_of_synapses_once():
    circuit = of_model(small_motif(), "lif_psc_exp", np.random.default_rng(1), 1.0)
    cell, other = MotifCell(circuit, dtype=torch.float64), MotifCell(circuit).double()
    assert all(torch.equal(cell.plastic[name].constants, part.constants) for name, part in other.plastic.items())


@pytest.mark.parametrize("model", sorted(set(MODELS) - set(FORMS)))
def test_a_model_that_cannot_train_is_refused_by_name(model):
    neuron = {"id": 0, "sign": "E"}
    circuit = circuits.Circuit(dt_ms=1.0, neuron_model=model, neurons=[neuron])
    with pytest.raises(UserError, match=f"neurons of {', '.join(FORMS)}, not of {model};") as caught:
        MotifCell(circuit)
    assert "\n" not in str(caught.value)


def test_what_plasticity_cannot_do_is_refused():
    circuit = of_model(small_motif(), "lif_psc_exp", np.random.default_rng(1), 1.0)
    with pytest.raises(UserError, match="delays of synapses with short-term plasticity"):
        MotifCell(circuit, trainable=("delays",))
    with pytest.raises(UserError, match=r'"fused" has static synapses .* no short_term synapses'):
        MotifCell(circuit, engine="fused")
    circuit = of_model(small_motif(), "lif_cond_exp", np.random.default_rng(1))
    with pytest.raises(UserError, match="lif_psc_exp and alif_psc_exp neurons, no neurons of lif_cond_exp"):
        MotifCell(circuit, engine="fused")
    data = small_motif().circuit.model_dump(exclude_none=True)
    data["synapses"][0]["stdp"] = {}
    with pytest.raises(UserError, match="not stdp synapses"):
        MotifCell(circuits.Circuit(**data))
