"""Surrogate gradients: the forward pass is the exact threshold, the backward pass a smooth function around it.

With x = V - v_th in mV and s = slope in 1/mV, d spike / dV is taken to be

    fast_sigmoid   1 / (1 + s |x|)^2                 SuperSpike; Zenke and Ganguli, Neural Computation 30, 2018
    superspike     the same, by its other name
    arctan         s / 2 / (1 + (pi/2 s x)^2)        Fang et al., ICCV 2021 (their alpha is s)
    sigmoid        s y (1 - y), y = 1 / (1 + e^-sx)  Bengio et al., arXiv:1308.3432, 2013; Zenke and Vogels 2021
    gaussian       exp(-(s x)^2 / 2)                 Yin et al., Nature Machine Intelligence 3, 2021 (without their side lobes)
    triangle       max(0, 1 - s |x|)                 Esser et al., PNAS 113, 2016; Bellec et al., NeurIPS 2018

Each has two implementations, for tensors and for the 64 lanes of the fused kernels.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from circuits.numerics import exponential
from circuits.numerics.parts import implementations
from circuits.numerics.simd import add, div, fma, like, maximum, mul, splat, sub


class FastSigmoid(NamedTuple):
    slope: Any


class Arctan(NamedTuple):
    slope: Any


class Sigmoid(NamedTuple):
    slope: Any


class Gaussian(NamedTuple):
    slope: Any


class Triangle(NamedTuple):
    slope: Any


def surrogate_derivative(kind, x):
    """The slope of the spike at 64 distances x to the threshold. For compiled code only: numba chooses the function by the
    surrogate's kind."""
    raise NotImplementedError


_lanes = implementations(surrogate_derivative)


@_lanes(FastSigmoid)
def _fast_sigmoid(surrogate, x):
    below = fma(splat(surrogate.slope), maximum(x, sub(like(x, 0.0), x)), like(x, 1.0))
    return div(like(x, 1.0), mul(below, below))


@_lanes(Arctan)
def _arctan(surrogate, x):
    scaled = mul(like(x, math.pi / 2), mul(splat(surrogate.slope), x))
    return div(mul(like(x, 0.5), splat(surrogate.slope)), fma(scaled, scaled, like(x, 1.0)))


@_lanes(Sigmoid)
def _sigmoid(surrogate, x):
    fall = exponential.exp(sub(like(x, 0.0), mul(splat(surrogate.slope), maximum(x, sub(like(x, 0.0), x)))))
    below = add(like(x, 1.0), fall)
    return div(mul(splat(surrogate.slope), fall), mul(below, below))


@_lanes(Gaussian)
def _gaussian(surrogate, x):
    scaled = mul(splat(surrogate.slope), x)
    return exponential.exp(mul(like(x, -0.5), mul(scaled, scaled)))


@_lanes(Triangle)
def _triangle(surrogate, x):
    return maximum(sub(like(x, 1.0), mul(splat(surrogate.slope), maximum(x, sub(like(x, 0.0), x)))), like(x, 0.0))


class Surrogate(NamedTuple):
    """kind: for the kernels; tensor: (x, slope) -> surrogate derivative."""

    kind: type
    tensor: Callable[[torch.Tensor, float], torch.Tensor]


_FAST_SIGMOID = Surrogate(FastSigmoid, lambda x, s: 1 / (1 + s * x.abs()).square())

SURROGATES = {
    "fast_sigmoid": _FAST_SIGMOID,
    "superspike": _FAST_SIGMOID,
    "arctan": Surrogate(Arctan, lambda x, s: (s / 2) / (1 + (math.pi / 2 * s * x).square())),
    "sigmoid": Surrogate(Sigmoid, lambda x, s: s * torch.sigmoid(s * x) * torch.sigmoid(-s * x)),
    "gaussian": Surrogate(Gaussian, lambda x, s: torch.exp(-(s * x).square() / 2)),
    "triangle": Surrogate(Triangle, lambda x, s: (1 - s * x.abs()).clamp(min=0)),
}


class Spike(torch.autograd.Function):
    """`apply(v, v_th, held, surrogate_derivative, slope, dampening)`: 1 where v >= v_th and not held, else 0, in the dtype of v
    [..., neurons].

    held  bool [..., neurons]: refractory;   surrogate_derivative  a `Surrogate.tensor`;   dampening  its factor (Bellec et al.,
    NeurIPS 2018, whose value is 0.3)
    """

    @staticmethod
    def forward(ctx, v, v_th, held, surrogate_derivative, slope, dampening=1.0):
        ctx.save_for_backward(v, v_th, held)
        ctx.surrogate_derivative, ctx.slope, ctx.dampening = surrogate_derivative, slope, dampening
        return ((v >= v_th) & ~held).to(v.dtype)

    @staticmethod
    def backward(ctx, grad):
        v, v_th, held = ctx.saved_tensors
        grad = torch.where(held, 0, grad * (ctx.dampening * ctx.surrogate_derivative(v - v_th, ctx.slope)))
        threshold = -grad.sum_to_size(v_th.shape) if ctx.needs_input_grad[1] else None
        return grad, threshold, None, None, None, None
