"""Every motif of the zoo, as a cell in float64, spikes as the simulator does."""

import numpy as np
import pytest
import torch

import circuits
import fitness
from circuits import zoo
from circuits.errors import UserError
from circuits.torch import MotifCell

LEARNING = {name for name in zoo if any(s.stdp for s in zoo[name].synapses)}
EAGER = list(zoo)[::4]  # with plain tensor operations too, as in tests of random circuits
FADING = {name for name in zoo if any(s.short_term for s in zoo[name].synapses)}


@pytest.mark.parametrize(
    ("name", "engine"),
    [
        (name, engine)
        for name in zoo
        if name not in LEARNING
        for engine in ("fused", "eager")
        if (name not in FADING if engine == "fused" else name in FADING or name in EAGER)
    ],
)
def test_a_cell_spikes_as_the_simulator_does_on_trials_of_the_task_and_on_noise(name, engine):
    circuit = zoo[name].circuit.model_copy(update={"noise_mv": 0.0})  # a cell leaves membrane noise out
    task = fitness.task(**zoo.card(name).task)
    trials = task.trials(3, 16).spikes
    noise = np.random.default_rng(4).random((8, 100, trials.shape[-1])) < 0.1
    cell = MotifCell(circuit, dtype=torch.float64, batch_first=True, engine=engine).eval()
    fired = 0
    for spikes in (trials, noise):
        expected = circuits.simulate(circuit, spikes, dtype="float64").spikes()
        with torch.no_grad():
            assert np.array_equal(cell.run(torch.from_numpy(spikes))[0].numpy() == 1, expected)
        fired += expected.sum()
    assert fired > 0


@pytest.mark.parametrize("name", sorted(LEARNING))
def test_a_motif_whose_synapses_learn_by_themselves_is_refused(name):
    with pytest.raises(UserError, match="not stdp synapses"):
        MotifCell(zoo[name])
