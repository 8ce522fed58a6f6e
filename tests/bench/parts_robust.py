"""How a trained network bears noise on its weights, and the loss of neurons."""

import copy

import torch

from fitness.learning.data import Trials
from fitness.learning.training import balanced, judged, one_thread
from tests.bench.bench_parts import ROBUST

SILENT = -1e4  # a bias at which nothing fires


@torch.no_grad()
def robust(network, trials: Trials, seed: int) -> dict[str, float]:
    """Balanced accuracies by the names in ROBUST, NaN for a network without layers of spiking neurons."""
    found, generator = dict.fromkeys(ROBUST, float("nan")), torch.Generator().manual_seed(seed)
    if not len(network.layers):
        return found
    for name in ROBUST:
        kind, _, percent = name.partition("_")
        other, share = copy.deepcopy(network), int(percent) / 100
        (blurred if kind == "noise" else thinned)(other, share, generator)
        with one_thread():
            found[name] = balanced(judged(other, trials)[0])
    return found


def blurred(network, share, generator):
    """Multiply every number that learned inside of the layers by 1 + share times a normal one."""
    for parameter in network.layers.parameters():
        if parameter.requires_grad:
            parameter.mul_(1 + share * torch.randn(parameter.shape, generator=generator))


def thinned(network, share, generator):
    """Silence a share of the neurons."""
    for layer in network.layers:
        bias = layer.cell.lif.bias_mv if hasattr(layer.cell, "lif") else layer.bias
        gone = torch.randperm(bias.numel(), generator=generator)[: round(share * bias.numel())]
        bias.view(-1)[gone] = SILENT
