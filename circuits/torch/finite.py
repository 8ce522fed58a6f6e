"""Refuse NaN and infinity early: in an input, before they change spikes; in a gradient, before an optimiser changes
parameters."""

import math
from collections.abc import Sequence

import torch

from circuits.errors import UserError


class NotFiniteError(UserError):
    """A tensor holds NaN or infinity."""


class Finite(torch.autograd.Function):
    """`apply(tensor, name)`: the tensor itself, whose gradient must be finite. Raises UserError, in the backward pass."""

    @staticmethod
    def forward(ctx, tensor, name):
        ctx.name = name
        return tensor.view_as(tensor)

    @staticmethod
    def backward(ctx, grad):
        if not all_finite(grad):
            raise UserError(
                f"the gradient of {ctx.name} is not finite: either the input or the loss is not (look for NaN there), or "
                "gradients explode through time: cut long sequences with state.detach(), take a larger slope or smaller weights"
            )
        return grad, None


def all_finite(*tensors: torch.Tensor) -> bool:
    """Are all numbers finite? Tests their sum, which is not finite if any is not: one pass, and one number to wait for on a
    GPU. True where no number can be read: in torch.compile and in the capture of a CUDA graph."""
    if torch.compiler.is_compiling() or tensors[0].is_meta:
        return True
    if tensors[0].is_cuda and torch.cuda.is_current_stream_capturing():
        return True
    total = torch.stack([tensor.detach().sum() for tensor in tensors]).sum() if len(tensors) > 1 else tensors[0].detach().sum()
    # Large numbers may sum to infinity: then test each.
    return math.isfinite(total.item()) or all(bool(tensor.detach().isfinite().all()) for tensor in tensors)


def require_finite(tensor: torch.Tensor, name: str, axes: Sequence[str]) -> None:
    """Raise NotFiniteError with the position of the first number that is not finite, in terms of the `axes`."""
    if not all_finite(tensor):
        position = (~tensor.detach().isfinite()).nonzero()[0].tolist()
        where = ", ".join(f"{axis} {k}" for axis, k in zip(axes, position, strict=True))
        raise NotFiniteError(f"{name} is not finite: {tensor.detach()[tuple(position)].item()} at {where}")
