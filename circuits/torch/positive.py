"""Parametrisations: functions from a free parameter, which an optimiser changes, to a weight >= 0 or of any sign.

    abs       weight = |free|               the default: keeps every bit of the motif's weight
    softplus  weight = log(1 + exp(free))
    exp       weight = exp(free)
    clamp     weight = max(free, 0)
    signed    weight = free                 of any sign: without Dale's law, for comparisons

Weights never freeze. The slope of abs at 0, usually 0, is +1; a weight pushed through 0 is reflected. The slopes of softplus
and exp vanish with the weight, but are at least `MIN_SLOPE` in the backward pass. These two cannot be 0: a weight of 0 starts
at
`MIN_WEIGHT`. Clamp passes the gradient where a step along it leads back above 0.
"""

import torch

MIN_SLOPE = 0.01
MIN_WEIGHT = 1e-6  # mV


class _FlooredSlope(torch.autograd.Function):
    @staticmethod
    def forward(ctx, free, weight, slope):
        ctx.save_for_backward(slope)
        return weight

    @staticmethod
    def backward(ctx, grad):
        (slope,) = ctx.saved_tensors
        return grad * slope.clamp(min=MIN_SLOPE), None, None


class Between(torch.autograd.Function):
    """`apply(free, low, high)`: clamped, but outside the limits a gradient passes if a step along it leads back inside."""

    @staticmethod
    def forward(ctx, free, low, high):
        ctx.save_for_backward(free)
        ctx.limits = low, high
        return free.clamp(low, high)

    @staticmethod
    def backward(ctx, grad):
        (free,) = ctx.saved_tensors
        low, high = ctx.limits
        outwards = ((free < low) & (grad > 0)) | ((free > high) & (grad < 0))
        return torch.where(outwards, 0, grad), None, None


def _abs(free):
    return free * torch.where(free >= 0, 1.0, -1.0).to(free.dtype)


def _softplus(free):
    fixed = free.detach()
    return _FlooredSlope.apply(free, torch.logaddexp(fixed, torch.zeros_like(fixed)), torch.sigmoid(fixed))


def _exp(free):
    weight = free.detach().exp()
    return _FlooredSlope.apply(free, weight, weight)


def _clamp(free):
    return Between.apply(free, 0.0, float("inf"))


def _softplus_inverse(weight):
    weight = weight.clamp(min=MIN_WEIGHT)
    return weight + torch.log(-torch.expm1(-weight))


def _exp_inverse(weight):
    return weight.clamp(min=MIN_WEIGHT).log()


# name -> (free parameter to weight >= 0, weight to free parameter in float64)
PARAMETRISATIONS = {
    "abs": (_abs, torch.clone),
    "softplus": (_softplus, _softplus_inverse),
    "exp": (_exp, _exp_inverse),
    "clamp": (_clamp, torch.clone),
}


def identity(values):
    return values


# with weights of any sign
WEIGHTS = PARAMETRISATIONS | {"signed": (identity, torch.clone)}
