"""The backward state held within bounds, for the plain tensor operations; `fused.backward` does the same in its kernels.

The gradient of the loss with respect to a potential is held, in each step, trial and circuit, within `clip` times the largest
gradient that has come from outside to one of its spikes, now or in a later step; gradients of potentials and currents at the
end count as they are. Elements are clipped, as in Graves, arXiv:1308.0850, 2013. That the bound follows what comes from outside
makes the gradient of twice the loss twice the gradient, and that of a trial independent of the other trials.
"""

import torch


class Bounds:
    """The bounds of one run: `watch` what goes out, and `hold` each step's potential."""

    def __init__(self, clip: float):
        self.clip, self.by_step = clip, torch.empty(0)

    def watch(self, raster, tail, v, i_e, i_i):
        """The same tensors: spikes [steps, ..., neurons], the last of them again, potential and currents at the end."""
        return _Watch.apply(self, raster, tail, v, i_e, i_i)

    def hold(self, v, step: int):
        """The same potential, whose gradient is held within the bound of the step."""
        return _Hold.apply(v, self, step)


class _Watch(torch.autograd.Function):
    @staticmethod
    def forward(ctx, bounds, *going_out):
        ctx.bounds = bounds
        return tuple(tensor.view_as(tensor) for tensor in going_out)

    @staticmethod
    def backward(ctx, of_raster, of_tail, *of_end):
        steps, tail, total = len(of_raster), len(of_tail), of_raster.clone()
        late = min(steps, tail)
        total[steps - late :] += of_tail[tail - late :]
        at_the_end = torch.stack(of_end).abs().amax((0, -1), keepdim=True)
        bound = torch.cat([ctx.bounds.clip * total.abs().amax(-1, keepdim=True), at_the_end])
        ctx.bounds.by_step = bound.flip(0).cummax(0).values.flip(0)
        return None, of_raster, of_tail, *of_end


class _Hold(torch.autograd.Function):
    @staticmethod
    def forward(ctx, v, bounds, step):
        ctx.bounds, ctx.step = bounds, step
        return v.view_as(v)

    @staticmethod
    def backward(ctx, grad):
        bound = ctx.bounds.by_step[ctx.step]
        return torch.minimum(torch.maximum(grad, -bound), bound), None, None
