"""How many circuits a minute a search by learning tries, beside the same search with networks of snnTorch:
python -m tests.bench.bench_learning [--circuits N] [--spec FILE]

The same random circuits are judged by the judge of the spec, once as they race, once trained in full; and the same training
(data, batches, steps, optimiser, readout, race) is done with snnTorch's RSynaptic in place of copies, as many neurons, the
recurrent weights of which are there where a random wiring of as many synapses has them. On one thread, by processor time.
snnTorch is skipped by name where it is not installed.
"""

import argparse
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from evo.engine.race import raced
from evo.engine.request import driven
from evo.spec.run_spec import read_alone
from fitness.judges import Race, Results
from fitness.learning.network import Network, Sizes
from fitness.learning.training import Training
from tests.bench.parts_rivals import SnnTorch
from tests.bench.report import figure, skipped

ROOT = Path(__file__).parents[2]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--circuits", type=int, default=16)
    parser.add_argument("--spec", default=str(ROOT / "runs" / "learning" / "flip-flop.toml"))
    chosen = parser.parse_args()
    spec = read_alone(chosen.spec)
    candidates = spec.founders(spec.make_judge().interface, chosen.circuits)
    spec.make_judge().evaluate(candidates[:1])  # compiles
    racing, in_full = (a_minute(Ours(spec, candidates), race) for race in (True, False))
    figure("circuits a minute, racing", racing, "a minute", "each trained in full", racing / in_full)
    if find_spec("snntorch") is None:
        skipped("snnTorch", "not installed")
        return
    theirs = a_minute(Theirs(spec, candidates), True)
    figure("circuits a minute, racing", racing, "a minute", "snnTorch, racing", racing / theirs)


def a_minute(arm, race: bool) -> float:
    """Circuits a minute of processor time."""
    begin, judge = time.process_time(), arm.judge

    def answer(request):
        until = judge.settings.steps if request.rung is None else judge.ends[request.rung]
        score = np.array([arm.trained(int(k), until) for k in request.genomes])
        return Results.unmeasured(-score[:, None], score, score[:, None].astype("f4"))

    for some in [np.arange(len(arm.candidates))] if race else np.arange(len(arm.candidates))[:, None]:
        driven(raced(some, judge.race if race else Race((1.0,), 1.0)), answer)
    return 60 * len(arm.candidates) / (time.process_time() - begin)


class Ours:
    """Trainings of the judge itself."""

    def __init__(self, spec, candidates):
        self.judge, self.candidates, self.known = spec.make_judge(), candidates, {}

    def trained(self, k: int, until: int) -> float:
        """The accuracy of circuit k after so many steps, going on from where its training stopped."""
        if k not in self.known:
            self.known[k] = self.judge._training(self.candidates.circuit(k), "search", 0)
        training = self.known[k]
        return -1.0 if training is None else training.advance(until).accuracy


class Theirs(Ours):
    """Trainings of dense layers of snnTorch with as many neurons as ours, masked by a random wiring."""

    def trained(self, k: int, until: int) -> float:
        if k not in self.known:
            mine, sets = self.judge._training(self.candidates.circuit(k), "search", 0), self.judge.data.sets("search")
            neurons = 8 if mine is None else mine.network.neurons
            sizes = Sizes.of(sets.train, self.judge.data.dt_ms)
            torch.manual_seed(k)
            layer = Masked(sizes.channels, neurons, sizes.dt_ms, self.candidates.circuit(k))
            network = Network([layer], sizes, 0, self.judge.settings.readout_ms)
            self.known[k] = Training(network, sets, self.judge.settings, k, self.judge.ends)
        return self.known[k].advance(until).accuracy


class Masked(SnnTorch):
    """snnTorch's cell of which few recurrent weights are there."""

    def __init__(self, lines, neurons, dt_ms, circuit):
        super().__init__(lines, neurons, dt_ms)
        share = circuit.synapse_count / len(circuit.neurons) ** 2 / max(1, neurons / len(circuit.neurons))
        self.register_buffer("mask", (torch.rand(neurons, neurons) < share).float(), persistent=False)

    def run(self, x):
        with torch.no_grad():
            self.unit.recurrent.weight.mul_(self.mask)
        return super().run(x)


if __name__ == "__main__":
    main()
