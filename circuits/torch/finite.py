"""NaN and infinity in a gradient end the backward pass, before an optimiser carries them into the parameters."""

import math

import torch

from circuits.errors import UserError


class Finite(torch.autograd.Function):
    """`apply(tensor, name)`: the tensor itself, whose gradient must be finite. Raises UserError, in the backward pass."""

    @staticmethod
    def forward(ctx, tensor, name):
        ctx.name = name
        return tensor.view_as(tensor)

    @staticmethod
    def backward(ctx, grad):
        if not torch.compiler.is_compiling() and not math.isfinite(grad.sum().item()):
            raise UserError(
                f"the gradient of {ctx.name} is not finite: either the input or the loss is not (look for NaN there), or "
                "gradients explode through time: cut long sequences with state.detach(), take a larger slope or smaller weights"
            )
        return grad, None
