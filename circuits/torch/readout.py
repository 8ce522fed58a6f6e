"""Linear readouts of spikes: of the counts of a trial, or in every step."""

import math

import torch
from torch import nn

from circuits.errors import UserError

BLOCK = 64  # steps that are filtered at once, by a matrix


class CountReadout(nn.Linear):
    """Logits of the spike counts since the trial began."""

    def read(self, spikes, before=None):
        """Of spikes [steps, batch, features] and the counts before, [batch, features] or None: logits [batch, classes] and the
        counts now."""
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
        self.tau_ms, self.keep = tau_ms, math.exp(-dt_ms / tau_ms)
        later = torch.arange(BLOCK)[:, None] - torch.arange(BLOCK)
        decay = torch.where(later >= 0, self.keep ** later.clamp(min=0).double(), 0.0)
        self.register_buffer("decay", decay.to(self.weight.dtype), persistent=False)

    def read(self, spikes, before=None):
        """As of `CountReadout`, but what is carried is y, [batch, classes], and logits are [steps, batch, classes]."""
        weighted = spikes.to(self.weight.dtype) @ self.weight.T
        y = weighted.new_zeros(weighted.shape[1:]) if before is None else before
        fading = self.keep * self.decay[:, 0, None]
        found = []
        for part in weighted.split(BLOCK):
            steps = len(part)
            own = (self.decay[:steps, :steps] @ part.flatten(1)).view_as(part)
            found.append(own + fading[:steps, :, None] * y)
            y = found[-1][-1]
        filtered = torch.cat(found) if found else weighted
        return filtered + self.bias, y
