"""Modules compute in the precision of their parameters, 32 or 64 bits, regardless of the input and autocast."""

from contextlib import nullcontext

import torch
from torch import nn

from circuits.errors import UserError

DTYPES = (torch.float32, torch.float64)


class OwnPrecision(nn.Module):
    """A module of 32 or 64 bits. Raises UserError on conversion to 16 bits (`.half()`, `.bfloat16()`), in which potentials
    cross thresholds in other steps."""

    def _apply(self, fn, recurse=True):
        before = next(self.parameters()).dtype
        after = fn(torch.zeros(1, dtype=before)).dtype
        if after not in DTYPES:
            raise UserError(
                f"{type(self).__name__}: computes in float32 or float64, not in {str(after).removeprefix('torch.')}; leave the "
                "module as it is: its inputs may have any dtype, and autocast may be on"
            )
        return super()._apply(fn, recurse)


def without_autocast(x: torch.Tensor):
    """A context without autocast to fewer bits on the device of x."""
    kind = x.device.type
    if kind != "meta" and torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
        return torch.autocast(kind, enabled=False)
    return nullcontext()
