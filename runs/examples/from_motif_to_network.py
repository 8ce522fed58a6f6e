"""From a motif to a network: evolve, inspect, assemble, train, compare. Some two minutes on two cores.

    python runs/examples/from_motif_to_network.py [FOLDER]

Circuits that tell four directions of a sound apart are evolved and pruned to their cores. Copies of the best core, behind a
learned projection, are trained by gradient descent to tell eight directions apart, and so are copies of circuits of the same
size drawn at random within the same bounds. The question is what evolution brings to training. (Two synapses onto a neuron are
all that the circuits may have: where neurons excite themselves, gradients explode over the 500 steps of a trial.)
"""

import argparse
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from rich.console import Console

import evo
import fitness
from circuits.motif_file import Motif, save
from circuits.torch import MotifLayer, MotifNetwork
from evo.inspect import page
from evo.inspect.terminal import table
from evo.spec.run_spec import CircuitBounds
from evo.studies.prune import prune

ROOT = Path(__file__).parents[2]
TASK = fitness.task("itd", detectors=8)
COPIES, BATCH = 8, 64


def main(
    folder: Path, workers: int | str = "auto", generations: int = 120, trials: int = 1024, epochs: int = 15, seeds: int = 5
):
    """The whole way; returns accuracy by epoch and seed, and spikes per trial, of the evolved and of the random motifs."""
    print("evolve: circuits that tell four directions apart")
    run = evo.run(ROOT / "runs" / "zoo" / "itd-lean.toml", out=folder, workers=workers, generations=generations)

    print("\ninspect: what was found, and the best of the cores, the smallest parts that do as well")
    table.show(run, Console(width=120))
    motif = best_core(run)
    print(f"{motif.circuit}\nscores {motif.provenance.scores['held_out']:.3f}")
    print(f"the page: {page.write(run, page.default_path(folder))}")
    save(motif, folder / "core.json")

    print(f"\nassemble, train, compare: {COPIES} copies of it, and of random circuits as large, on eight directions")
    results_of: dict[str, list] = {"evolved": [], "random": []}
    for seed in range(seeds):
        random = drawn(motif, run.spec.circuit, np.random.default_rng(seed))
        for name, one in (("evolved", motif), ("random", random)):
            accuracy, spikes, parameters = trained(one, seed, trials, epochs)
            results_of[name].append((accuracy, spikes))
            print(f"{name:8} seed {seed}: {parameters} parameters, accuracy {accuracy[-1]:.3f}, {spikes:.0f} spikes per trial")

    print(f"\nmeans of {seeds} seeds (chance is 0.125)")
    for name, results in results_of.items():
        middle, last = (mean(accuracy[k] for accuracy, _ in results) for k in (len(results[0][0]) // 3 - 1, -1))
        print(
            f"{name:8} accuracy {middle:.3f} after a third of the training, {last:.3f} after all of it, "
            f"{mean(spikes for _, spikes in results):.0f} spikes per trial"
        )
    return results_of


def best_core(run: evo.Run) -> Motif:
    """Of the cores of all that do more than half of their task the one that scores best; of equals the smallest."""
    cores = [prune(run.folder, member.rank).smaller for member in run.front if member.held_out > 0.5]
    return max(cores, key=lambda core: (core.provenance.scores["held_out"], -core.synapse_count))


def drawn(motif: Motif, bounds: CircuitBounds, rng: np.random.Generator) -> Motif:
    """A motif with the same neurons and as many synapses, but where to, how strong and how slow is drawn from the bounds."""
    ids = [neuron.id for neuron in motif.neurons]

    def anew(synapse, sign="E"):
        weight = bounds.excitatory_weight_mv if sign == "E" else bounds.inhibitory_weight_mv
        steps = max(1, round(rng.uniform(*bounds.delay_ms) / motif.dt_ms))
        changed = {"post": ids[rng.integers(len(ids))], "weight_mv": rng.uniform(*weight), "delay_ms": steps * motif.dt_ms}
        return synapse.model_copy(update=changed)

    sign = {neuron.id: neuron.sign for neuron in motif.neurons}
    inputs = [channel.model_copy(update={"synapses": tuple(map(anew, channel.synapses))}) for channel in motif.inputs]
    synapses = [anew(synapse, sign[synapse.pre]) for synapse in motif.synapses]
    return motif.model_copy(update={"inputs": tuple(inputs), "synapses": tuple(synapses)})


def trained(motif: Motif, seed: int, trials: int, epochs: int) -> tuple[list[float], float, int]:
    """Train a network of copies: test accuracy after each epoch, spikes per trial in the end, number of parameters."""
    (x, label), (fresh, answer) = data(1, trials), data(2, 512)
    torch.manual_seed(seed)
    layer = MotifLayer(motif, COPIES, in_features=len(TASK.inputs), share=False, spread=0.3, rate_hz=500.0)
    network = MotifNetwork([layer], classes=TASK.detectors, batch_first=True)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    accuracy = []
    for _ in range(epochs):
        for batch in torch.randperm(trials).split(BATCH):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(network(x[batch]), label[batch]).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
        slower.step()
        with torch.no_grad():
            accuracy.append((network(fresh).argmax(-1) == answer).float().mean().item())
    return accuracy, network.spikes(fresh).float().mean().item(), sum(p.numel() for p in network.parameters())


def data(seed: int, count: int):
    """Trials of the task: spikes [trials, steps, ears], and the direction of each."""
    drawn = TASK.trials(seed, count)
    return torch.from_numpy(drawn.spikes).float(), torch.from_numpy(drawn.labels)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "runs" / "motif-to-network", metavar="FOLDER")
    torch.set_num_threads(1)  # circuits are small: threads cost more than they bring
    main(parser.parse_args().folder)
