"""Linear readouts of spikes: of the counts of a trial, or in every step."""

import math

import torch
from torch import nn

from circuits.errors import UserError

BLOCK = 64  # steps filtered at once, by a matrix


class CountReadout(nn.Linear):
    """Logits of the spike counts since the trial began."""

    def read(self, spikes, before=None):
        """Logits [batch, classes] and the updated counts, of spikes [steps, batch, features] and the counts before, [batch,
        features] or None."""
        counts = spikes.sum(0).to(self.weight.dtype)
        counts = counts if before is None else before + counts
        return self(counts), counts


class StepReadout(nn.Linear):
    """Logits in every step, of spikes z behind a low-pass filter: y <- y exp(-dt / tau) + W z, logits y + b (the readout of
    Bellec et al., Nat. Commun. 11, 2020)."""

    decay: torch.Tensor

    def __init__(self, features, classes, tau_ms: float, dt_ms: float, dtype=None):
        if not (isinstance(tau_ms, (int, float)) and 0 < tau_ms < math.inf):
            raise UserError(f"readout_ms: a time above 0, or None, not {tau_ms!r}")
        super().__init__(features, classes, dtype=dtype)
        self.tau_ms, self.step_decay = tau_ms, math.exp(-dt_ms / tau_ms)
        age = torch.arange(BLOCK)[:, None] - torch.arange(BLOCK)
        decay = torch.where(age >= 0, self.step_decay ** age.clamp(min=0).double(), 0.0)
        self.register_buffer("decay", decay.to(self.weight.dtype), persistent=False)

    def read(self, spikes, before=None):
        """As `CountReadout.read`, with y, [batch, classes], in place of counts, and logits [steps, batch, classes]."""
        weighted = spikes.to(self.weight.dtype) @ self.weight.T
        y = weighted.new_zeros(weighted.shape[1:]) if before is None else before
        initial_decay = self.step_decay * self.decay[:, 0, None]
        blocks = []
        for part in weighted.split(BLOCK):
            steps = len(part)
            filtered_block = (self.decay[:steps, :steps] @ part.flatten(1)).view_as(part)
            blocks.append(filtered_block + initial_decay[:steps, :, None] * y)
            y = blocks[-1][-1]
        filtered = torch.cat(blocks) if blocks else weighted
        return filtered + self.bias, y
