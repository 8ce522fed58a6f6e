"""Gradient clipping in the backward pass through time, for the eager engine; `fused.backward` does the same in its kernels.

The gradient of the loss with respect to a potential is clipped, in each step, trial and circuit, to `clip` times the largest
external gradient of a spike of the circuit, in this or a later step; gradients of the final potentials and currents count
unscaled. Elements are clipped, as in Graves, arXiv:1308.0850, 2013. Since the bound is relative to external gradients, twice
the loss has twice the gradient, and the gradient of a trial does not depend on other trials.
"""

import torch


class Bounds:
    """The bounds of one run: `watch` its outputs, and `hold` the potential of each step."""

    def __init__(self, clip: float):
        self.clip, self.by_step = clip, torch.empty(0)

    def watch(self, raster, tail, v, i_e, i_i):
        """The same tensors, whose gradients set the bounds: spikes [steps, ..., neurons], the last of them again, and the final
        potential and currents."""
        return _Watch.apply(self, raster, tail, v, i_e, i_i)

    def hold(self, v, step: int):
        """The same potential, whose gradient is clipped to the bound of the step."""
        return _Hold.apply(v, self, step)


class _Watch(torch.autograd.Function):
    @staticmethod
    def forward(ctx, bounds, *outputs):
        ctx.bounds = bounds
        return tuple(tensor.view_as(tensor) for tensor in outputs)

    @staticmethod
    def backward(ctx, grad_raster, grad_tail, *grad_end):
        steps, tail, total = len(grad_raster), len(grad_tail), grad_raster.clone()
        overlap = min(steps, tail)
        total[steps - overlap :] += grad_tail[tail - overlap :]
        end_bound = torch.stack(grad_end).abs().amax((0, -1), keepdim=True)
        bound = torch.cat([ctx.bounds.clip * total.abs().amax(-1, keepdim=True), end_bound])
        ctx.bounds.by_step = bound.flip(0).cummax(0).values.flip(0)
        return None, grad_raster, grad_tail, *grad_end


class _Hold(torch.autograd.Function):
    @staticmethod
    def forward(ctx, v, bounds, step):
        ctx.bounds, ctx.step = bounds, step
        return v.view_as(v)

    @staticmethod
    def backward(ctx, grad):
        bound = ctx.bounds.by_step[ctx.step]
        return torch.minimum(torch.maximum(grad, -bound), bound), None, None
