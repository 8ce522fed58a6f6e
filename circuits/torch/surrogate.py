"""Surrogate gradients: the forward pass is the exact threshold, the backward pass a smooth bump around it.

With x = V - v_th in mV and s = slope in 1/mV:

    fast_sigmoid   d spike / dV = 1 / (1 + s |x|)^2             SuperSpike; Zenke and Ganguli, Neural Computation 30, 2018
    arctan         d spike / dV = s / 2 / (1 + (pi/2 s x)^2)    Fang et al., ICCV 2021 (their alpha is s)
"""

import math

import torch


class FastSigmoid(torch.autograd.Function):
    """`apply(v, v_th, slope)`: 1 where v >= v_th, else 0, in the dtype of v [..., neurons]; no gradient for v_th."""

    @staticmethod
    def forward(ctx, v, v_th, slope):
        ctx.save_for_backward(v, v_th)
        ctx.slope = slope
        return (v >= v_th).to(v.dtype)

    @staticmethod
    def backward(ctx, grad):
        v, v_th = ctx.saved_tensors
        return grad / (1 + ctx.slope * (v - v_th).abs()).square(), None, None


class Arctan(torch.autograd.Function):
    """`apply(v, v_th, slope)`: 1 where v >= v_th, else 0, in the dtype of v [..., neurons]; no gradient for v_th."""

    @staticmethod
    def forward(ctx, v, v_th, slope):
        ctx.save_for_backward(v, v_th)
        ctx.slope = slope
        return (v >= v_th).to(v.dtype)

    @staticmethod
    def backward(ctx, grad):
        v, v_th = ctx.saved_tensors
        return grad * (ctx.slope / 2) / (1 + (math.pi / 2 * ctx.slope * (v - v_th)).square()), None, None


SURROGATES = {"fast_sigmoid": FastSigmoid.apply, "arctan": Arctan.apply}
