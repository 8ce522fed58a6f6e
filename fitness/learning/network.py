"""A network of copies of a motif: a trained projection of the data, layers of copies, and a trained readout of their spikes.

The readout is linear in the spike counts of a whole trial, or at every step in filtered spikes. Needs PyTorch.
"""

from itertools import count
from typing import Any, NamedTuple

import torch
from torch import nn

from circuits.circuit import Circuit
from circuits.torch import Lateral, MotifLayer
from circuits.torch.networks.readout import CountReadout, StepReadout
from fitness.learning.data import Trials
from fitness.learning.settings import Learning

SURROGATE, SLOPE = "arctan", 2 / 15  # 1/mV, for 15 mV from rest to threshold


class Sizes(NamedTuple):
    """Sizes that follow from the data: input channels, readouts, classes of each readout, the time step."""

    channels: int
    heads: int
    classes: int
    every_step: bool
    dt_ms: float

    @classmethod
    def of(cls, trials: Trials, dt_ms: float) -> "Sizes":
        return cls(trials.x.shape[-1], trials.heads, trials.classes, trials.every_step, dt_ms)


class Output(NamedTuple):
    """Output of a network: logits [batch, heads, classes], or [steps, batch, heads, classes]; spikes of all
    neurons and their synaptic events, [batch]."""

    logits: torch.Tensor
    spikes: torch.Tensor
    events: torch.Tensor


class Network(nn.Module):
    """Network of copies of a motif. It maps x, [steps, batch, channels], to `Output`, differentiably."""

    def __init__(self, layers, sizes: Sizes, features: int = 0, readout_ms: float = 20.0):
        super().__init__()
        self.sizes = sizes
        self.layers: Any = nn.ModuleList(layers)
        self.input_projection = nn.Linear(sizes.channels, features, bias=False) if features else None
        width, answers = layers[-1].out_features, sizes.heads * sizes.classes
        self.readout: StepReadout | CountReadout = (
            StepReadout(width, answers, readout_ms, sizes.dt_ms) if sizes.every_step else CountReadout(width, answers)
        )
        for k, layer in enumerate(layers):
            self.register_buffer(f"fan_out{k}", _fan_out(layer), persistent=False)

    def forward(self, x: torch.Tensor) -> Output:
        x = x if self.input_projection is None else self.input_projection(x)
        spikes = events = x.new_zeros(x.shape[1])
        for k, layer in enumerate(self.layers):
            layer_spikes, _ = layer.run(x)
            counts = layer_spikes.sum(0)
            spikes, events = spikes + counts.sum(-1), events + counts @ getattr(self, f"fan_out{k}")
            x = layer_spikes.index_select(-1, layer.read)
        logits, _ = self.readout.read(x)
        return Output(logits.unflatten(-1, (self.sizes.heads, self.sizes.classes)), spikes, events)

    @property
    def parameter_count(self) -> int:
        """Number of trained parameters."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)

    @property
    def neurons(self) -> int:
        return sum(layer.cell.neurons * (layer.cell.copies or 1) for layer in self.layers)


def assembled(circuit: Circuit, settings: Learning, sizes: Sizes, copies: int | None = None) -> Network:
    """A network of copies of a circuit: as many as the settings say, or as its parameters allow. Initial weights are drawn by
    torch's generator. Raises UserError for circuits that cannot be trained."""
    options: dict[str, Any] = {
        **{name: getattr(settings, name) for name in ("share", "spread", "projection", "dampening", "clip", "credit")},
        **{"trainable": tuple(settings.trainable), "outputs": settings.read, "surrogate": SURROGATE, "slope": SLOPE},
    }
    features = settings.features or sizes.channels
    copies = copies or settings.copies or _copies(circuit, settings, sizes, features, options)
    if settings.lateral is not None:
        options["lateral"] = _lateral(settings.lateral, copies)
    layers = []
    for k in range(settings.layers):
        # features may be negative, for which an excitatory projection is unfit
        signed = {"projection": "signed"} if k == 0 and settings.features else {}
        layers.append(MotifLayer(circuit, copies, features, **options | signed))
        features = layers[-1].out_features
    return Network(layers, sizes, settings.features, settings.readout_ms)


def _copies(circuit, settings, sizes, features, options):
    """The largest number of copies whose network has at most `settings.parameters`, and at least one."""
    layer = MotifLayer(circuit, 1, 1, **options)
    inside = sum(p.numel() for name, p in layer.named_parameters() if p.requires_grad and name != "projection")
    answers = sizes.heads * sizes.classes

    def parameters(copies):
        width, total = features, sizes.channels * settings.features + answers
        for _ in range(settings.layers):
            total += width * copies * layer.channels + inside * (1 if settings.share else copies)
            width = copies * layer.out_features
        return total + width * answers

    return next(n for n in count(1) if parameters(n + 1) > settings.parameters)


def _lateral(lateral, copies):
    """The lateral synapses, with a reach that the copies allow; None where a copy has no neighbours."""
    reach = None if lateral.reach is None else min(lateral.reach, (copies - 1) // 2)
    if reach == 0 or copies == 1:
        return None
    return Lateral(reach, lateral.to, lateral.weight_mv, lateral.delay_ms)


def _fan_out(layer):
    """Number of synapses from each neuron of a layer, float32 [neurons]."""
    cell = layer.cell
    counts = torch.zeros(cell.neurons)
    for wires in cell.wires[1:]:
        for source in wires.source:
            counts[int(source)] += 1
    return counts.repeat(cell.copies or 1)
