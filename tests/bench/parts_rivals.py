"""Networks of other neurons for bench_parts, trained as ours: adaptive LIF (LSNN), snnTorch's recurrent cell, a GRU."""

import math
from functools import partial
from types import SimpleNamespace

import torch
from torch import nn

from circuits.torch.bounds import Bounds
from fitness.learning.network import Network, Output, Sizes
from fitness.learning.settings import Learning

TAU_M, TAU_SYN, TAU_A = 20.0, 5.0, (100.0, 1000.0)  # ms
JUMP, DAMPENING = 1.8, 0.3  # of the threshold at a spike, over its distance from rest; of the surrogate derivative


class Cells(nn.Module):
    """A dense recurrent layer, step by step, behind a projection: `fitness.learning.network.Network` reads it as one of ours.

    `step(drive, spikes, state, hold)` gives spikes [batch, neurons] and the state, from those of the step before; `hold` bounds
    the gradient of the potential.
    clip  bound of gradients through time, as in `circuits.torch.MotifLayer`; None for none
    """

    def __init__(self, lines: int, neurons: int, clip: float | None = None):
        super().__init__()
        self.clip = clip
        self.projection = nn.Parameter(torch.randn(lines, neurons) / math.sqrt(lines))
        self.recurrent = nn.Parameter(torch.randn(neurons, neurons) * 0.5 / math.sqrt(neurons))
        self.bias = nn.Parameter(torch.zeros(neurons))
        self.out_features, self.neurons = neurons, neurons
        self.register_buffer("read", torch.arange(neurons), persistent=False)
        fan_out = SimpleNamespace(source=[k for k in range(neurons) for _ in range(neurons)])
        self.cell = SimpleNamespace(neurons=neurons, copies=None, wires=(None, fan_out))

    @property
    def projection_weight(self):
        return self.projection

    @torch.no_grad()
    def set_projection(self, weight):
        self.projection.copy_(weight)

    def run(self, x):
        """Spikes of all neurons, [steps, batch, neurons]."""
        drive, found = x @ self.projection + self.bias, []
        bounds = None if self.clip is None else Bounds(self.clip)
        spikes, state = drive.new_zeros(drive.shape[1:]), self.begin(drive)
        for k, now in enumerate(drive):
            hold = partial(bounds.hold, step=k) if bounds else _same
            spikes, state = self.step(now, spikes, state, hold)
            found.append(spikes)
        raster = torch.stack(found)
        if bounds:
            end = spikes.detach()  # nothing is read of the state at the end
            raster = bounds.watch(raster, raster[:0], end, end, end)[0]
        return raster, None

    def forward(self, x):
        return self.run(x)


class AdaptiveLif(Cells):
    """LSNN (Bellec et al., NeurIPS 2018): half of the neurons have a threshold that rises at each of their spikes, and falls
    back with time constants that are longer than those of membranes, and fixed like these."""

    def __init__(self, lines: int, neurons: int, dt_ms: float, clip: float | None = None):
        super().__init__(lines, neurons, clip)
        adapts = torch.arange(neurons) % 2 == 0
        tau = torch.logspace(*map(math.log10, TAU_A), int(adapts.sum()))
        self.register_buffer("jump", JUMP * adapts.float() * (1 - math.exp(-dt_ms / 100.0)), persistent=False)
        fall = torch.ones(neurons)
        fall[adapts] = torch.exp(-dt_ms / tau)
        self.register_buffer("fall", fall, persistent=False)
        self.keep, self.keep_i = math.exp(-dt_ms / TAU_M), math.exp(-dt_ms / TAU_SYN)

    def begin(self, drive):
        return (drive.new_zeros(drive.shape[1:]),) * 3

    def step(self, drive, spikes, state, hold):
        v, current, raised = state
        current = self.keep_i * current + drive + spikes @ self.recurrent
        v = hold(self.keep * v + (1 - self.keep) * current)
        spikes = Triangle.apply(v - 1 - raised)
        return spikes, (v - spikes.detach() * (1 + raised), current, self.fall * raised + self.jump * spikes)


def _same(v):
    return v


class Triangle(torch.autograd.Function):
    """A spike where x >= 0, and its surrogate derivative, dampened."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x >= 0).to(x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * DAMPENING * (1 - x.abs()).clamp(min=0)


class SnnTorch(Cells):
    """snnTorch's RSynaptic, its decays those of a membrane and a synapse, fixed; recurrent weights are its own."""

    def __init__(self, lines: int, neurons: int, dt_ms: float, clip: float | None = None):
        super().__init__(lines, neurons, clip)
        import snntorch

        decays = {"alpha": math.exp(-dt_ms / TAU_SYN), "beta": math.exp(-dt_ms / TAU_M)}
        self.unit = snntorch.RSynaptic(**decays, all_to_all=True, linear_features=neurons, reset_mechanism="zero")
        del self.recurrent

    def begin(self, drive):
        self.unit.reset_mem()
        return (drive.new_zeros(drive.shape[1:]),) * 2

    def step(self, drive, spikes, state, hold):
        spikes, current, v = self.unit(drive, spikes, *state)  # the potential is not seen before the spike: both are held
        return hold(spikes), (current, hold(v))


class Gru(nn.Module):
    """A GRU read at every step, or at the mean of its states: no spikes."""

    def __init__(self, sizes: Sizes, features: int, neurons: int):
        super().__init__()
        self.sizes, self.layers, self.neurons = sizes, [], neurons
        self.input_projection = nn.Linear(sizes.channels, features, bias=False) if features else None
        self.gru = nn.GRU(features or sizes.channels, neurons)
        self.readout = nn.Linear(neurons, sizes.heads * sizes.classes)

    def forward(self, x):
        found = self.gru(x if self.input_projection is None else self.input_projection(x))[0]
        logits = self.readout(found if self.sizes.every_step else found.mean(0))
        nothing = x.new_zeros(x.shape[1])
        return Output(logits.unflatten(-1, (self.sizes.heads, self.sizes.classes)), nothing, nothing)

    @property
    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.parameters() if p.requires_grad)


def cells(kind: type[Cells], settings: Learning, sizes: Sizes) -> Network:
    """As many neurons as the parameters allow."""
    lines, told = settings.features or sizes.channels, sizes.heads * sizes.classes
    own = 2 if kind is SnnTorch else 1  # biases
    neurons = _units(settings, sizes, lines + own + told, 1)
    layer = kind(lines, neurons, sizes.dt_ms, settings.clip)
    for name, parameter in layer.named_parameters():
        parameter.requires_grad_(name == "projection" or bool(settings.trainable))
    return Network([layer], sizes, settings.features, settings.readout_ms)


def gru(settings: Learning, sizes: Sizes) -> Gru:
    lines, told = settings.features or sizes.channels, sizes.heads * sizes.classes
    found = Gru(sizes, settings.features, _units(settings, sizes, 3 * lines + 6 + told, 3))
    for name, parameter in found.gru.named_parameters():
        parameter.requires_grad_("_ih" in name or bool(settings.trainable))
    return found


def _units(settings, sizes, each, squared):
    """How many units with `each` parameters of their own, and `squared` for every pair of them, fit."""
    left = settings.parameters - sizes.channels * settings.features - sizes.heads * sizes.classes
    return int((math.sqrt(each**2 + 4 * squared * left) - each) / (2 * squared))
