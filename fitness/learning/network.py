"""A network of copies of a motif: a trained projection of the data, layers of copies, and a trained readout of their spikes.

The readout is one of spike counts of a whole trial, or at every step one of spikes that fade. Needs PyTorch.
"""

from itertools import count
from typing import Any, NamedTuple

import torch
from torch import nn

from circuits.circuit import Circuit
from circuits.torch import Lateral, MotifLayer
from circuits.torch.readout import CountReadout, StepReadout
from fitness.learning.data import Trials
from fitness.learning.settings import Learning

SURROGATE, SLOPE = "arctan", 2 / 15  # 1/mV: from rest to threshold being 15 mV


class Sizes(NamedTuple):
    """What networks for some data have in common: lines of input, readouts, classes that each tells apart, the time step."""

    lines: int
    heads: int
    classes: int
    every_step: bool
    dt_ms: float

    @classmethod
    def of(cls, trials: Trials, dt_ms: float) -> "Sizes":
        return cls(trials.x.shape[-1], trials.heads, trials.classes, trials.every_step, dt_ms)


class Heard(NamedTuple):
    """What a network makes of trials: logits [batch, heads, classes], or [steps, batch, heads, classes]; spikes of all neurons,
    and their synaptic events, [batch]."""

    logits: torch.Tensor
    spikes: torch.Tensor
    events: torch.Tensor


class Network(nn.Module):
    """Call it with x, [steps, batch, lines]; it returns `Heard`, all of it with gradients."""

    def __init__(self, layers, sizes: Sizes, features: int = 0, readout_ms: float = 20.0):
        super().__init__()
        self.sizes = sizes
        self.layers: Any = nn.ModuleList(layers)
        self.together = nn.Linear(sizes.lines, features, bias=False) if features else None
        read, told = layers[-1].out_features, sizes.heads * sizes.classes
        self.readout: StepReadout | CountReadout = (
            StepReadout(read, told, readout_ms, sizes.dt_ms) if sizes.every_step else CountReadout(read, told)
        )
        for k, layer in enumerate(layers):
            self.register_buffer(f"fan_out{k}", _fan_out(layer), persistent=False)

    def forward(self, x: torch.Tensor) -> Heard:
        x = x if self.together is None else self.together(x)
        spikes = events = x.new_zeros(x.shape[1])
        for k, layer in enumerate(self.layers):
            everything, _ = layer.run(x)
            of_each = everything.sum(0)
            spikes, events = spikes + of_each.sum(-1), events + of_each @ getattr(self, f"fan_out{k}")
            x = everything.index_select(-1, layer.read)
        logits, _ = self.readout.read(x)
        return Heard(logits.unflatten(-1, (self.sizes.heads, self.sizes.classes)), spikes, events)

    @property
    def parameter_count(self) -> int:
        """How many numbers learn."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)

    @property
    def neurons(self) -> int:
        return sum(layer.cell.neurons * (layer.cell.copies or 1) for layer in self.layers)


def assembled(circuit: Circuit, settings: Learning, sizes: Sizes, copies: int | None = None) -> Network:
    """A network of copies of a circuit: as many as are asked for, or as its parameters allow. Its first weights are drawn by
    torch's generator. Raises UserError for circuits that cannot be trained."""
    options: dict[str, Any] = {
        "share": settings.share,
        "spread": settings.spread,
        "projection": settings.projection,
        "trainable": tuple(settings.trainable),
        "outputs": settings.read,
        "surrogate": SURROGATE,
        "slope": SLOPE,
        "dampening": settings.dampening,
        "clip": settings.clip,
        "credit": settings.credit,
    }
    lines = settings.features or sizes.lines
    copies = copies or settings.copies or _copies(circuit, settings, sizes, lines, options)
    if settings.lateral is not None:
        options["lateral"] = _lateral(settings.lateral, copies)
    layers = []
    for k in range(settings.layers):
        # an excitatory projection is for what is not negative, which features may be
        signed = {"projection": "signed"} if k == 0 and settings.features else {}
        layers.append(MotifLayer(circuit, copies, lines, **options | signed))
        lines = layers[-1].out_features
    return Network(layers, sizes, settings.features, settings.readout_ms)


def _copies(circuit, settings, sizes, lines, options):
    """The largest number of copies whose network has no more parameters than asked for, and one at least."""
    one = MotifLayer(circuit, 1, 1, **options)
    inside = sum(p.numel() for name, p in one.named_parameters() if p.requires_grad and name != "projection")
    told = sizes.heads * sizes.classes

    def parameters(copies):
        heard, total = lines, sizes.lines * settings.features + told
        for _ in range(settings.layers):
            total += heard * copies * one.channels + inside * (1 if settings.share else copies)
            heard = copies * one.out_features
        return total + heard * told

    return next(n for n in count(1) if parameters(n + 1) > settings.parameters)


def _lateral(wanted, copies):
    """The lateral synapses, with no more neighbours than there are; None where there are none."""
    most = (copies - 1) // 2
    reach = wanted.reach if wanted.reach is None else min(wanted.reach, most)
    if reach == 0 or copies == 1:
        return None
    return Lateral(reach, wanted.to, wanted.weight_mv, wanted.delay_ms)


def _fan_out(layer):
    """Synapses from each neuron of a layer to others, float32 [neurons]."""
    cell = layer.cell
    found = torch.zeros(cell.neurons)
    for wires in cell.wires[1:]:
        for source in wires.source:
            found[int(source)] += 1
    return found.repeat(cell.copies or 1)
