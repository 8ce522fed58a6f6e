"""The networks of bench_assembly that are made of our neurons, and a GRU, each with as many parameters as asked."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from circuits import Circuit
from circuits.motif_file import Motif
from circuits.torch import MotifLayer, MotifNetwork
from tests.bench.assembly_tasks import Sets, Task
from tests.bench.rivals.classify import parameters

LEARNS = ("weights", "bias", "time_constants")  # of motifs delays too
SURROGATE, SLOPE = "arctan", 2 / 15  # 1/mV: as wide and as high as snnTorch's, from rest to threshold being 15 mV
SPREAD = 0.3
TAU_M, TAU_SYN, T_REF = (5.0, 20.0), 5.0, 2.0  # ms, of dense layers
EXCITATORY = 0.8  # share of the neurons of the dense layer with Dale's law
ALIKE = {"trainable": LEARNS, "surrogate": SURROGATE, "slope": SLOPE, "projection": "signed", "share": False}


class Sizes(NamedTuple):
    """What all networks for a data set have in common.

    features    the lines are first brought together into so many, by a matrix that learns; 0: they are not
    parameters  that learn, about
    """

    lines: int
    features: int
    classes: int
    parameters: int

    @property
    def heard(self) -> int:
        """What the neurons' own weights are for: features, or lines."""
        return self.features or self.lines


def sizes_of(task: Task, sets: Sets) -> Sizes:
    return Sizes(sets.lines, task.features, task.classes, task.parameters)


class Network(MotifNetwork):
    """A MotifNetwork of one layer as `rivals.classify` wants it."""

    def __init__(self, layer: MotifLayer, sizes: Sizes):
        super().__init__([layer], sizes.classes, in_features=sizes.lines if sizes.features else None)

    def forward_with_spikes(self, x):
        """Logits [batch, classes] and the spikes of all neurons [batch]."""
        logits, found = super().forward_with_spikes(x)
        return logits, found.sum(-1)

    @property
    def neurons(self) -> int:
        return sum(layer.cell.neurons * (layer.cell.copies or 1) for layer in self.layers)

    @torch.no_grad()
    def drive_(self, factor: float):
        layer = self.layers[0]
        layer.set_projection(layer.projection_weight * factor)


def assembled(motif: Motif, sizes: Sizes, gain: float = 1.0) -> Network:
    """As many copies of a motif as the parameters allow, whose E neurons are read; `gain` multiplies its recurrent weights."""

    def made(copies):
        options = ALIKE | {"trainable": (*LEARNS, "delays"), "outputs": "excitatory"}
        return Network(MotifLayer(motif, copies, sizes.heard, spread=SPREAD, **options), sizes)

    one, two = parameters(made(1)), parameters(made(2))
    network = made(max(1, round((sizes.parameters - one) / (two - one)) + 1))
    return _scaled(network, gain)


def dense(sizes: Sizes, dale: bool, seed: int, gain: float = 1.0) -> Network:
    """Every neuron connected with every other, without delays: with Dale's law, or with weights of any sign."""

    def made(neurons):
        layer = MotifLayer(_all_to_all(neurons, dale, seed), 1, sizes.heard, outputs="all", **ALIKE)
        layer.cell.input.free.requires_grad_(False)  # each neuron has a channel of its own: the projection says it all
        return Network(layer, sizes)

    # what it hears, three time constants, a bias, the readout; and recurrence
    each = sizes.heard + 4 + sizes.classes
    neurons = units(sizes, each, 1)
    network = made(neurons)
    if not dale:
        kind = network.layers[0].cell.excitatory
        kind._positive = kind._free = _same
        with torch.no_grad():
            kind.free.normal_(0, 15 / math.sqrt(neurons))
    return _scaled(network, gain)


def units(sizes: Sizes, each: int, squared: int) -> int:
    """How many units with `each` parameters of their own, and `squared` for every pair of them, fit."""
    left = sizes.parameters - sizes.lines * sizes.features - sizes.classes
    return round((math.sqrt(each**2 + 4 * squared * left) - each) / (2 * squared))


def _all_to_all(neurons, dale, seed):
    """Weights of mean 15 mV / sqrt(neurons), those of I neurons so much larger that they balance those of E neurons."""
    rng = np.random.default_rng(seed)
    excitatory = round(neurons * EXCITATORY) if dale else neurons
    mean = 15 / math.sqrt(neurons)
    times = {"tau_syn_e_ms": TAU_SYN, "tau_syn_i_ms": TAU_SYN, "t_ref_ms": T_REF}

    def weight(pre):
        return rng.exponential(mean * (1 if pre < excitatory else excitatory / (neurons - excitatory)))

    return Circuit(
        dt_ms=1.0,
        neurons=[{"id": k, "sign": "EI"[k >= excitatory], "tau_m_ms": rng.uniform(*TAU_M)} | times for k in range(neurons)],
        inputs=[{"name": f"in{k}", "synapses": [{"post": k, "weight_mv": 15.0, "delay_ms": 1.0}]} for k in range(neurons)],
        synapses=[
            {"pre": pre, "post": post, "weight_mv": weight(pre), "delay_ms": 1.0}
            for pre in range(neurons)
            for post in range(neurons)
        ],
        outputs=[{"name": "out", "neurons": [0]}],
    )


def _scaled(network, gain):
    cell = network.layers[0].cell
    for kind in (cell.excitatory, cell.inhibitory):
        kind.set_weight(kind.weight * gain)
    return network


def _same(values):
    return values


class Gru(nn.Module):
    """A GRU whose states are summed and read, as spikes are: it has none."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        # three gates of what it hears and two biases, the readout; and recurrence
        number = units(sizes, 3 * sizes.heard + 6 + sizes.classes, 3)
        self.input_projection = nn.Linear(sizes.lines, sizes.features, bias=False) if sizes.features else nn.Identity()
        self.gru, self.readout = nn.GRU(sizes.heard, number), nn.Linear(number, sizes.classes)

    def forward(self, x):
        return self.readout(self.gru(self.input_projection(x))[0].sum(0) / math.sqrt(len(x)))
