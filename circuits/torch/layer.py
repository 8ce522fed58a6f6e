"""Copies of one motif side by side behind a learned excitatory projection."""

import torch
from torch import nn

from circuits.circuit import Circuit
from circuits.errors import UserError
from circuits.motif_file import Motif
from circuits.torch.cell import MotifCell, State
from circuits.torch.dale import PARAMETRISATIONS


class MotifLayer(nn.Module):
    """`copies` copies of a motif, their channels driven by `in_features` lines through weights >= 0.

    motif   a Motif or Circuit with input channels and output ports
    share   True: all copies have the same synapses, trained together; False: each copy its own
    batch_first and the other keywords are those of `MotifCell`.

    Call it with x [batch, in_features] or [steps, batch, in_features] (spikes or reals >= 0). It returns the spikes of all
    ports [batch, out_features] or [steps, batch, out_features], copy after copy, and the State to go on from. A line of 1
    through a projection weight of 1 drives a channel as one spike does. Raises UserError as `MotifCell`.
    """

    def __init__(self, motif: Motif | Circuit, copies: int, in_features: int, share: bool = True, batch_first=False, **options):
        super().__init__()
        for name, number in (("copies", copies), ("in_features", in_features)):
            if not (isinstance(number, int) and number >= 1):
                raise UserError(f"{name}: a whole number above 0, not {number!r}")
        self.cell = MotifCell(motif, copies=None if share else copies, **options)
        self.copies, self.in_features, self.share, self.batch_first = copies, in_features, share, batch_first
        if self.cell.channels == 0 or len(self.cell.readout) == 0:
            raise UserError("motif: a layer needs one with input channels and output ports")
        self.out_features = copies * len(self.cell.readout)
        free = torch.rand(in_features, copies * self.cell.channels, dtype=self.cell.bias_mv.dtype)
        self.projection = nn.Parameter(free * (2 / in_features**0.5))

    def forward(self, x: torch.Tensor, state: State | None = None) -> tuple[torch.Tensor, State]:
        """Spikes of all copies' ports and the next state; shapes in the docstring of the class."""
        if not isinstance(x, torch.Tensor) or x.ndim not in (2, 3) or x.shape[-1] != self.in_features:
            given = list(x.shape) if isinstance(x, torch.Tensor) else type(x).__name__
            raise UserError(f"x: must be [batch, {self.in_features}] or [steps, batch, {self.in_features}], not {given}")
        steps_second = self.batch_first and x.ndim == 3
        x = x.transpose(0, 1) if steps_second else x
        weight, _ = PARAMETRISATIONS["abs"]
        drive = (x.to(self.projection.dtype) @ weight(self.projection)).unflatten(-1, (self.copies, self.cell.channels))
        if self.share:  # one weight for all: copies are only more trials
            spikes, state = self.cell(drive.flatten(-3, -2), state)
            spikes = spikes.unflatten(-2, (-1, self.copies))
        else:
            spikes, state = self.cell(drive.transpose(-3, -2), state)
            spikes = spikes.transpose(-3, -2)
        spikes = spikes.flatten(-2)
        return (spikes.transpose(0, 1) if steps_second else spikes), state
