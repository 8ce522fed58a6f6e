"""Dale's law under any optimiser: a synapse's weight is a positive function of a free parameter, its sign is fixed.

    abs       weight = |free|               the default: keeps every bit of the motif's weight
    softplus  weight = log(1 + exp(free))
    exp       weight = exp(free)

No weight freezes. The slope of abs is taken as +1 at 0, where its usual gradient is 0; a weight pushed through 0 is reflected.
The slopes of softplus and exp vanish with the weight, but in the backward pass they never fall below `LEAST_SLOPE`. Those two
cannot be 0: a weight of 0 starts at `LEAST_WEIGHT`.
"""

import torch
from torch import nn

from circuits.torch.wiring import Wires

LEAST_SLOPE = 0.01
LEAST_WEIGHT = 1e-6  # mV


class _FlooredSlope(torch.autograd.Function):
    @staticmethod
    def forward(ctx, free, weight, slope):
        ctx.save_for_backward(slope)
        return weight

    @staticmethod
    def backward(ctx, grad):
        (slope,) = ctx.saved_tensors
        return grad * slope.clamp(min=LEAST_SLOPE), None, None


def _abs(free):
    return free * torch.where(free >= 0, 1.0, -1.0).to(free.dtype)


def _softplus(free):
    fixed = free.detach()
    return _FlooredSlope.apply(free, torch.logaddexp(fixed, torch.zeros_like(fixed)), torch.sigmoid(fixed))


def _exp(free):
    weight = free.detach().exp()
    return _FlooredSlope.apply(free, weight, weight)


def _softplus_inverse(weight):
    weight = weight.clamp(min=LEAST_WEIGHT)
    return weight + torch.log(-torch.expm1(-weight))


def _exp_inverse(weight):
    return weight.clamp(min=LEAST_WEIGHT).log()


# name -> (free parameter to weight >= 0, weight to free parameter in float64)
PARAMETRISATIONS = {"abs": (_abs, torch.clone), "softplus": (_softplus, _softplus_inverse), "exp": (_exp, _exp_inverse)}


class DaleSynapses(nn.Module):
    """The synapses of one kind (all excitatory or all inhibitory), as a matrix of signed weights.

    wires   weights and places, from `circuits.torch.wiring`
    sign    +1 or -1
    copies  None, or the length of a leading axis of independent weights
    """

    sign: torch.Tensor
    place: torch.Tensor

    def __init__(self, wires: Wires, sign: float, parametrisation: str, copies: int | None, dtype: torch.dtype):
        super().__init__()
        self.rows, self.neurons = wires.rows, wires.neurons
        self._positive, invert = PARAMETRISATIONS[parametrisation]
        free = invert(wires.weight).to(dtype)
        self.free = nn.Parameter(free if copies is None else free.repeat(copies, 1))
        self.register_buffer("sign", torch.tensor(sign, dtype=dtype), persistent=False)
        self.register_buffer("place", wires.place, persistent=False)

    @property
    def weight(self):
        """Weights in mV, >= 0: [synapses], or [copies, synapses]."""
        return self._positive(self.free)

    def matrix(self):
        """Signed weights, real [rows, neurons] or [copies, rows, neurons]; synapses on the same place add up."""
        lead = self.free.shape[:-1]
        flat = self.free.new_zeros(*lead, self.rows * self.neurons)
        return flat.index_add(-1, self.place, self.sign * self.weight).view(*lead, self.rows, self.neurons)
