"""Networks of copies of a circuit, and their training."""

import numpy as np
import pytest
import torch

import circuits
from circuits import Circuit
from circuits.errors import UserError
from fitness.learning.data import Data
from fitness.learning.network import Sizes, assembled
from fitness.learning.settings import settings
from fitness.learning.training import Training
from tests.fitness.learning.tiny import TASK, judge

pytestmark = pytest.mark.long  # torch alone takes seconds to start
SIZES = Sizes(channels=4, heads=1, classes=2, every_step=True, dt_ms=1.0)


def network(circuit=circuits.zoo["toggle-2"].circuit, sizes=SIZES, **task):
    return assembled(circuit, settings(TASK | task), sizes)


def test_a_network_has_as_many_copies_as_its_parameters_allow():
    small, large = network(parameters=100), network(parameters=1000)
    assert small.parameter_count <= 100 < assembled(large.layers[0].cell.motif, settings(TASK), SIZES, 20).parameter_count
    assert 950 < large.parameter_count <= 1000
    two = network(parameters=1000, layers=2)
    assert two.parameter_count <= 1000
    assert [layer.copies for layer in two.layers] == [two.layers[0].copies] * 2


def test_frozen_inside_projection_and_readout_learn_alone():
    learning = {name for name, p in network(trainable=[]).named_parameters() if p.requires_grad}
    assert learning == {"layers.0.projection", "readout.weight", "readout.bias"}


def test_lateral_synapses_join_copies():
    found = network(parameters=400, lateral={"reach": 1, "to": "both"})
    assert found.layers[0].cell.motif.synapse_count > found.layers[0].copies * 5


def test_a_training_that_is_stopped_goes_on_as_if_it_had_not():
    sets, whole = judge().data.sets("search"), []
    for stops in ((8,), (2, 3, 8)):
        torch.manual_seed(1)
        training = Training(network(sizes=Sizes.of(sets.train, 1.0)), sets, settings(TASK), 3, ends=(2, 3))
        for until in stops:
            training.advance(until)
        whole.append([p.detach().numpy().tobytes() for p in training.network.parameters()])
    assert whole[0] == whole[1]


def test_a_network_learns_what_a_channel_says():
    rng = np.random.default_rng(1)
    targets = rng.permutation(np.arange(64) % 2)
    x = np.zeros((64, 40, 2), bool)
    x[np.arange(64), ::5, targets] = True
    data = Data("mine.py:trials", {}, 64, 64, 1, function=lambda count, seed: (x, targets))
    chosen = settings(TASK | {"steps": 40, "batch": 16})
    torch.manual_seed(0)
    sets = data.sets("search")
    found = Training(network(sizes=Sizes.of(sets.train, 1.0)), sets, chosen, 0).advance()
    assert found.score(chosen) > 0.9
    assert found.curve["accuracy"][0] < found.curve["accuracy"][-1]


def test_other_neuron_models_than_can_be_trained_are_refused_by_name():
    found = circuits.zoo["toggle-2"].circuit.model_dump()
    found |= {"neuron_model": "izhikevich"}
    with pytest.raises(UserError, match="izhikevich"):
        assembled(
            Circuit(
                **{k: v for k, v in found.items() if k != "neurons"},
                neurons=[{"id": n["id"], "sign": n["sign"]} for n in found["neurons"]],
            ),
            settings(TASK),
            SIZES,
        )
