"""The networks of bench_assembly that are made of our neurons, and a GRU, each with as many parameters as asked."""

import math

import numpy as np
import torch
from torch import nn

from circuits import Circuit
from circuits.motif_file import Motif
from circuits.torch import MotifLayer, MotifNetwork
from tests.bench.rivals.classify import parameters

LEARNS = ("weights", "bias", "time_constants")  # of motifs delays too
SLOPE = 0.5  # of the surrogate gradient, 1/mV
SPREAD = 0.3
TAU_M, TAU_SYN, T_REF = (5.0, 20.0), 5.0, 2.0  # ms, of dense layers
EXCITATORY = 0.8  # share of the neurons of the dense layer with Dale's law
ALIKE = {"trainable": LEARNS, "slope": SLOPE, "projection": "signed", "share": False}


class Network(MotifNetwork):
    """A MotifNetwork as `rivals.classify` wants it."""

    @property
    def neurons(self) -> int:
        return sum(layer.cell.neurons * (layer.cell.copies or 1) for layer in self.layers)

    def spikes(self, x):
        """Of all neurons, [batch]."""
        return super().spikes(x).sum(-1)

    @torch.no_grad()
    def drive_(self, factor: float):
        layer = self.layers[0]
        layer.set_projection(layer.projection_weight * factor)


def assembled(motif: Motif, lines: int, classes: int, budget: int, gain: float = 1.0) -> Network:
    """As many copies of a motif as the parameters allow, whose E neurons are read; `gain` multiplies its recurrent weights."""

    def made(copies):
        options = ALIKE | {"trainable": (*LEARNS, "delays"), "outputs": "excitatory"}
        return Network([MotifLayer(motif, copies, lines, spread=SPREAD, **options)], classes)

    one, two = parameters(made(1)), parameters(made(2))
    network = made(max(1, round((budget - one) / (two - one)) + 1))
    return _scaled(network, gain)


def dense(lines: int, classes: int, budget: int, dale: bool, seed: int, gain: float = 1.0) -> Network:
    """Every neuron connected with every other, without delays: with Dale's law, or with weights of any sign."""

    def made(neurons):
        layer = MotifLayer(_all_to_all(neurons, dale, seed), 1, lines, outputs="all", **ALIKE)
        layer.cell.input.free.requires_grad_(False)  # each neuron has a channel of its own: the projection says it all
        return Network([layer], classes)

    # lines, recurrence, three time constants, a bias, the readout
    each = lines + 4 + classes
    neurons = round((math.sqrt(each**2 + 4 * (budget - classes)) - each) / 2)
    network = made(neurons)
    if not dale:
        kind = network.layers[0].cell.excitatory
        kind._positive = kind._free = _same
        with torch.no_grad():
            kind.free.normal_(0, 15 / math.sqrt(neurons))
    return _scaled(network, gain)


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

    def __init__(self, lines: int, classes: int, budget: int):
        super().__init__()
        # three gates of lines, recurrence and two biases, the readout
        each = 3 * lines + 6 + classes
        units = round((math.sqrt(each**2 + 12 * (budget - classes)) - each) / 6)
        self.gru, self.readout = nn.GRU(lines, units), nn.Linear(units, classes)

    def forward(self, x):
        return self.readout(self.gru(x)[0].sum(0) / math.sqrt(len(x)))
